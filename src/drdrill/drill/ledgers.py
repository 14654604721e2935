# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The tables that a drill makes for writes directly into a database: made before anything is struck, dropped at the end.

A ledger lies in the same database as the data that it stands for, or it would prove nothing about it. It carries the drill's
id in its name. One that a killed drill left is dropped by a later drill that writes to that database, a day afterwards: the lock
of an estate is one of this machine, and a younger table may be in use by a drill that somebody runs from another.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from drdrill.drill.clients import members_for
from drdrill.engines.engine import LEDGER_KEY
from drdrill.errors import DrdrillError, Refused
from drdrill.estate.select import serving_sites
from drdrill.journal import events

if TYPE_CHECKING:
    from drdrill.drill.context import Context
    from drdrill.estate.model import Database, Estate

DAY: Final = timedelta(days=1)
_BEGUN: Final = re.compile(r"(\d{8})_(\d{6})")


def cannot_be_written(estate: Estate, database: Database) -> str | None:
    """Why clients cannot write into this database at every site, in a sentence; None when they can."""
    for site in serving_sites(estate):
        members = members_for(estate, database, site)
        if not members:
            return (
                f'{estate.path}: clients at site "{site}" have no member of database "{database.name}" to write to; '
                "give its nodes an `address`, such as postgresql://HOST:5432"
            )
        without = [m for m in members if m not in database.addresses]
        if without:
            return (
                f'{estate.path}: node {", ".join(without)} of database "{database.name}" has no `address` for clients'
            )
    return None


def surely_dead(table: str, now: datetime) -> bool:
    """Whether the drill of a ledger has ended for sure: its name says when it began, and no drill lasts a day."""
    found = _BEGUN.search(table)
    try:
        begun = datetime.strptime("".join(found.groups()), "%Y%m%d%H%M%S").replace(tzinfo=UTC) if found else now
    except ValueError:
        return False
    return now - begun > DAY


class Ledgers:
    """The ledgers of one drill."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._made: list[tuple[Database, str]] = []

    def make(self, database: Database) -> str:
        """Make the ledger of this drill in a database, and drop what dead drills left there; its name.

        Raises:
            Refused: it cannot be made; the database's own reason.
        """
        engine = self._context.engine(database.name)
        try:
            for left in engine.ledgers():
                words = f"table {left} of database {database.name} is of another drill"
                if surely_dead(left, datetime.now(UTC)):
                    engine.drop_ledger(left)
                    words += ", more than a day ago; it was dropped"
                else:
                    words += f", which may be running; if it is not: {engine.drop_statement(left)}"
                self._context.journal.write(events.NOTE, words=words)
            table = engine.make_ledger(self._context.id)
        except DrdrillError as error:
            raise Refused(
                f'writes to database "{database.name}" need a table of their own, which could not be made: {error}; '
                "its account must be allowed to create a table there"
            ) from error
        self._made.append((database, table))
        self._context.journal.write(events.LEDGER_MADE, database=database.name, table=table, key=LEDGER_KEY)
        return table

    def drop(self) -> list[tuple[str, str, str]]:
        """Drop them: (what, words, what a person can type) for each that may still be there. May be called twice."""
        left = []
        made, self._made = self._made, []
        for database, table in made:
            engine = self._context.engine(database.name)
            told = {"database": database.name, "table": table}
            try:
                engine.drop_ledger(table)
                self._context.journal.write(events.LEDGER_DROPPED, **told, words="dropped", error=None)
            except DrdrillError as error:
                words = f"it could not be dropped: {error}"
                self._context.journal.write(events.LEDGER_DROPPED, **told, words=words, error=str(error))
                statement = f"{engine.drop_statement(table)}; (at the writer of database {database.name})"
                left.append((f"table {table} in database {database.name}", words, statement))
        return left
