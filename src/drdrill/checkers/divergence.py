# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Do all members of a database hold the same rows? Compared key by key, for the rows that this drill wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers.check import END, Case, some
from drdrill.checkers.ledger import databases, ledger
from drdrill.checkers.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drdrill.journal.recording import Recording

NAME = "divergence"
FEWEST = 2
"""Members that must have been read: one alone agrees with itself."""


def judge(case: Case) -> Iterable[Judgement]:
    """One judgement for each database that was written to."""
    for database in databases(case.recording):
        yield same(case.recording, database, case.phase)


def same(recording: Recording, database: str, phase: str = END) -> Judgement:
    """Whether every member that was read in this phase holds the same rows of this drill."""
    book = ledger(recording, database, phase)
    title = f'every replica of database "{database}" holds the same data'
    counts: dict[str, int | float | str] = {
        "database": database, "members": len(book.held), "unread": len(book.unread), "rows": len(book.anywhere),
    }  # fmt: skip
    differ = _differences(book.held, book.acknowledged)
    counts["differences"] = len(differ)
    if differ:
        rows = ", ".join(f"{member} {len(keys)}" for member, keys in book.held.items())
        words = (
            f'The members of database "{database}" differ in {some(len(differ), "row")} of {len(book.anywhere)} '
            f"(rows of this drill: {rows}).{book.unread_words()}"
        )
        return Judgement(NAME, title, Verdict.FAIL, words, counts, differ, book.saw)
    if len(book.held) < FEWEST or not book.anywhere:
        why = f"{some(len(book.held), 'member')} could be read, with {some(len(book.anywhere), 'row')} of this drill"
        words = (
            f'Whether the members of database "{database}" hold the same cannot be told: {why}.{book.unread_words()}'
        )
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=book.saw)
    words = (
        f"{' and '.join(book.held)} hold the same {some(len(book.anywhere), 'row')} of this drill.{book.unread_words()}"
    )
    return Judgement(NAME, title, Verdict.UNKNOWN if book.unread else Verdict.PASS, words, counts, saw=book.saw)


def _differences(held: Mapping[str, frozenset[str]], acknowledged: Mapping[str, int]) -> tuple[str, ...]:
    """Each key that is on some and missing on others, with where it is."""
    if not held:
        return ()
    everywhere = frozenset.intersection(*held.values())
    partly = sorted(frozenset().union(*held.values()) - everywhere)
    return tuple(
        f"{key}{'' if key in acknowledged else ' (not acknowledged)'}: on {_names(held, key, there=True)}, "
        f"not on {_names(held, key, there=False)}"
        for key in partly
    )


def _names(held: Mapping[str, frozenset[str]], key: str, *, there: bool) -> str:
    return ", ".join(member for member, keys in held.items() if (key in keys) is there)
