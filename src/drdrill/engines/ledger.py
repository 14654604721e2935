# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of numbered writes: what they are called, whoever makes the database."""

from __future__ import annotations

import re
from typing import Final

LEDGER: Final = "drdrill_ledger_"
"""What the name of every ledger begins with."""
LIKE: Final = r"drdrill\_ledger\_%"
"""The same as a pattern of SQL's LIKE."""
ABOUT: Final = "drdrill: numbered writes of drill {drill}; of no use once that drill has ended"
"""The comment on the table, for whoever finds it."""
DROP: Final = "drop table if exists {table}"
_PLAIN: Final = re.compile(r"[a-z0-9_]+")


def ledger_of(drill: str) -> str:
    """The name of the ledger of a drill: its id, in the letters that need no quoting."""
    return LEDGER + re.sub(r"[^a-z0-9]+", "_", drill.lower())


def plain(table: str) -> str:
    """A table's name that may stand in a statement. Raises ValueError for any that would need quoting."""
    if not _PLAIN.fullmatch(table):
        raise ValueError(f"{table!r} is no name of a ledger")
    return table


def about(table: str) -> str:
    """The comment on a ledger, which may stand in a statement. Raises ValueError."""
    return ABOUT.format(drill=plain(table.removeprefix(LEDGER)))


def drop_statement(table: str) -> str:
    """What drops a ledger; fine when it is gone. Raises ValueError."""
    return DROP.format(table=plain(table))
