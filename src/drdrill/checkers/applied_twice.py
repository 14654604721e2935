# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Is a write there more than once? We never repeat one, so whatever is there twice was repeated on its way by somebody else.

Told by the rows that each member gave at the readback, before equal keys were taken for one. The outcome of the write does
not matter: acknowledged, refused or unknown, it was sent once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.checkers.check import Case, some
from drdrill.checkers.ledger import databases
from drdrill.checkers.verdict import Judgement, Verdict
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.journal.recording import Recording

NAME: Final = "applied_twice"


def judge(case: Case) -> Iterable[Judgement]:
    """One judgement for each database that was written to."""
    for database in databases(case.recording):
        yield once(case.recording, database, case.phase)


def once(recording: Recording, database: str, phase: str) -> Judgement:
    """Whether every row of this drill is there once, on every member that was read in this phase."""
    reads = [e.data for e in recording.journal.of(events.READBACK)]
    reads = [r for r in reads if r["database"] == database and r["phase"] == phase and r["readable"]]
    held = {r["member"]: recording.keys.get((phase, r["member"]), frozenset()) for r in reads}
    title = f'no write to database "{database}" is there more than once'
    rows = sum(map(len, held.values()))
    repeated: dict[str, int] = {}
    for read in reads:
        for key, times in read.get("repeated", {}).items():
            repeated[key] = max(times, repeated.get(key, 0))
    most = max((r.get("repeated_total", 0) for r in reads), default=0)
    counts: dict[str, int | float | str] = {"database": database, "members": len(reads), "rows": rows, "repeated": most}
    saw = {"rows": rows, "replicas": sum(map(bool, held.values()))}
    members = ", ".join(member for member, keys in held.items() if keys)
    if not rows:
        words = f'No row of this drill was read from database "{database}", so none can be there twice.'
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
    if not most:
        words = f"Each of {some(rows, 'row')} of this drill on {members} is there once."
        return Judgement(NAME, title, Verdict.PASS, words, counts, saw=saw)
    words = (
        f'Database "{database}" holds {some(most, "write")} of this drill more than once (read on {members}); each was sent '
        "once. Something on the way repeats a write that may have taken effect: give the row a unique key that the client "
        "chooses, or stop repeating what nobody refused."
    )
    shown = tuple(f"{key}: {some(times, 'row')}" for key, times in repeated.items())
    return Judgement(NAME, title, Verdict.FAIL, words, counts, shown, saw)
