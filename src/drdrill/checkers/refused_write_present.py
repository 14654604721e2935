# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Is a write there that the service had refused? A client that was told no and writes again would then have written twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers.check import Case, some
from drdrill.checkers.ledger import databases, ledger
from drdrill.checkers.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "refused_write_present"


def judge(case: Case) -> Iterable[Judgement]:
    """One judgement for each database in which such a write was found. That none was found is no promise of a drill."""
    for database in databases(case.recording):
        book = ledger(case.recording, database, case.phase)
        there = sorted(book.refused & book.anywhere)
        if there:
            words = (
                f'Database "{database}" holds {some(len(there), "write")} of {len(book.refused)} that the service had refused. '
                "A client that repeats what was refused would write it twice; look at what the service answers when a commit fails."
            )
            counts: dict[str, int | float | str] = {
                "database": database,
                "present": len(there),
                "refused": len(book.refused),
            }
            yield Judgement(NAME, "a refused write is not there", Verdict.FAIL, words, counts, tuple(there), book.saw)
