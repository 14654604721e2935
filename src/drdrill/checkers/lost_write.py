# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Was a write lost that the service had acknowledged?

Lost is what was acknowledged before the reading began and is on no member that can be read. A write of unknown outcome may be
there or not and proves nothing, so it is counted apart. A recovery point objective above zero allows the losses of its last
seconds, measured from the oldest to the youngest lost acknowledgement and one period of the writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers.causes import Cause, causes
from drdrill.checkers.check import END, Case, some
from drdrill.checkers.ledger import Ledger, databases, ledger
from drdrill.checkers.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.journal.recording import Recording

NAME = "lost_write"


def judge(case: Case) -> Iterable[Judgement]:
    """Over the whole drill: one judgement for each database that was written to, against its recovery point objective."""
    promised = case.recording.about.get("objectives", {}).get("databases", {})
    for database in databases(case.recording):
        yield lost(case.recording, database, case.phase, promised.get(database, {}).get("rpo_s", 0.0))


def lost(recording: Recording, database: str, phase: str = END, rpo_s: float = 0.0) -> Judgement:
    """Whether database `database` lost an acknowledged write, by the readback of this phase."""
    book = ledger(recording, database, phase)
    gone = sorted(set(book.acknowledged) - book.anywhere, key=book.acknowledged.__getitem__)
    told = {"acknowledged": len(book.acknowledged), "unknown": len(book.unknown), "refused": len(book.refused)}
    counts: dict[str, int | float | str] = {
        "database": database, "lost": len(gone), **told, "unsent": book.unsent,
        "unknown_found": len(book.unknown & book.anywhere), "members": len(book.held),
    }  # fmt: skip
    title = f'no acknowledged write of database "{database}" is lost'
    if not book.held or not book.acknowledged:
        return Judgement(NAME, title, Verdict.UNKNOWN, _nothing(book, database), counts, saw=book.saw)
    read = f"{some(len(book.acknowledged), 'acknowledged write')} looked for on {', '.join(book.held)}"
    apart = f" {some(len(book.unknown), 'write')} of unknown outcome, {counts['unknown_found']} of them found."
    if not gone:
        rows = some(len(book.anywhere), "row")
        words = f"None of {read} is missing everywhere, by {rows} that were read.{apart}{book.unread_words()}"
        return Judgement(NAME, title, Verdict.PASS, words, counts, saw=book.saw)
    span = (book.acknowledged[gone[-1]] - book.acknowledged[gone[0]]) / 1e9 + 1 / book.rate_hz
    counts["lost_s"] = round(span, 3)
    verdict = Verdict.PASS if span <= rpo_s else Verdict.FAIL
    words = (
        f'Database "{database}" lost {some(len(gone), "acknowledged write")} of {len(book.acknowledged)}: they are on none of '
        f"{', '.join(book.held)}. They were acknowledged within {span:.3f} s, {_when(recording, book, gone)}; the recovery point "
        f"objective is {rpo_s:g} s.{apart}{book.unread_words()}"
    )
    return Judgement(NAME, title, verdict, words, counts, tuple(gone), book.saw)


def _when(recording: Recording, book: Ledger, gone: list[str]) -> str:
    """When the lost writes were acknowledged, beside what was done to the estate.

    Only after a cut: the side that was cut off went on. Around a strike: the standby lagged. Long before it: the rows were never
    on another member.
    """
    first, last = book.acknowledged[gone[0]], book.acknowledged[gone[-1]]
    known = [c for c in causes(recording.timeline) if c.kind != "heal"]
    cause = next((c for c in reversed(known) if c.first_ns <= last), known[0] if known else None)
    if cause is None:
        return "before anything was struck or moved"
    return f"from {_beside(first, cause)} to {_beside(last, cause)} {cause.title}"


def _beside(at: int, cause: Cause) -> str:
    seconds = (at - cause.first_ns) / 1e9
    return f"{abs(seconds):.2f} s {'before' if seconds < 0 else 'after'}"


def _nothing(book: Ledger, database: str) -> str:
    if not book.acknowledged:
        return f'No write to database "{database}" was acknowledged, so none could be lost and nothing is proven.'
    acknowledged = some(len(book.acknowledged), "acknowledged write")
    return f'No member of database "{database}" was read back, so {acknowledged} cannot be looked for.{book.unread_words()}'
