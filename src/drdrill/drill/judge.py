# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From a recording to the result of the drill. `judge` is pure; `write` puts what it says into the journal.

The same function judges at the end of a drill and from what a killed one left behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.checkers import objectives
from drdrill.checkers.assumptions import assumptions
from drdrill.checkers.check import END, Case, some, tried
from drdrill.checkers.registry import checks
from drdrill.checkers.result import result
from drdrill.checkers.verdict import Judgement, Result, Verdict
from drdrill.journal import events
from drdrill.measure.strips import strips

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.checkers.check import Check
    from drdrill.checkers.objectives import JudgedOutage
    from drdrill.journal.journal import Journal
    from drdrill.journal.recording import Recording

MOST_WITNESSES = 50
KILLED = "The runner ended before it could judge; this is judged from what it left behind."


@dataclass(frozen=True)
class Judged:
    """What a drill came to. `checks` holds what the sentences said at their places, then what is said of the whole drill."""

    outages: tuple[JudgedOutage, ...]
    sentences: tuple[Judgement, ...]
    checks: tuple[Judgement, ...]
    assumptions: tuple[Judgement, ...]
    result: Result
    reasons: tuple[str, ...]


def judge(recording: Recording, error: str | None = None, known: Mapping[str, Check] | None = None) -> Judged:
    """Judge a drill from its recording.

    Args:
        recording: everything that it left.
        error: why its sentences ended early, in a complete sentence, or None; a check that failed is no such error.
        known: the checks to ask; all that are registered when None.
    """
    try:
        case = Case(recording, strips(recording))
        outages = objectives.judged(recording, case.strips)
        broken: tuple[Judgement, ...] = ()
    except Exception as crash:  # noqa: BLE001 - without strips the checks of the data must still be heard
        case, outages = Case(recording, ()), ()
        words = f"The outages could not be computed: {type(crash).__name__}: {crash}."
        broken = (Judgement("outages", "the outages of the services", Verdict.UNKNOWN, words, {"crashed": 1}),)
    asked = checks() if known is None else known
    whole = broken + tuple(j for name, check in asked.items() for j in tried(name, check, case))
    said = sentences(recording)
    held = assumptions(recording, (*said, *whole))
    if recording.journal.events:
        held += (_journal(recording),)
    # Armed, not struck: a strike that died half-way may have done half of its harm.
    struck = any(recording.journal.of(events.FAULT_ARMED, events.FAULT_STRUCK, events.OPERATION_BEGUN))
    outcome, reasons = result((*said, *whole), held, struck=struck, error=error)
    return Judged(outages, said, whole, held, outcome, reasons)


def sentences(recording: Recording) -> tuple[Judgement, ...]:
    """What the sentences concluded at their places, from the journal.

    A sentence that failed or did not know without a check of ours (a team's own step) counts with its own words.
    """
    found = []
    spoken = set()
    for event in recording.journal.of(events.CHECK):
        data = event.data
        if data["phase"] != END:
            spoken.add(str(data["phase"]))
            witnesses = tuple(data["witnesses"])
            saw = data.get("saw", {})  # a journal of an earlier version does not say it: then a pass is none
            said = (data["check"], data["title"], Verdict(data["verdict"]), data["message"], data["counts"])
            found.append(Judgement(*said, witnesses, saw))
    texts = {e.data["index"]: e.data["text"] for e in recording.journal.of(events.STEP_BEGUN)}
    for event in recording.journal.of(events.STEP_ENDED):
        index, status = event.data["index"], event.data["status"]
        if status in {"failed", "unknown"} and str(index) not in spoken:
            text = texts.get(index, f"sentence {index + 1}")
            verdict = Verdict.FAIL if status == "failed" else Verdict.UNKNOWN
            words = f'The sentence "{text}" {"failed" if status == "failed" else "could not be decided"}: {event.data["message"]}'
            found.append(Judgement("sentence", text, verdict, words))
    return tuple(found)


def _journal(recording: Recording) -> Judgement:
    """Whether the journal is what was written. What followed a break is unknown, and so is what was torn away."""
    journal = recording.journal
    torn = [e.data for e in journal.of(events.JOURNAL_TORN)]
    counts: dict[str, int | float | str] = {"tears": len(torn)}
    saw = {"events": len(journal.events)}
    wrong = [w for w in (journal.broken, journal.torn, *(t["words"] for t in torn)) if w]
    if not wrong:
        words = f"Each of {some(len(journal.events), 'event')} carries the hash of the one before, and none was torn."
        return Judgement("journal_whole", "the journal is whole", Verdict.PASS, words, counts, saw=saw)
    fail = journal.broken or any(t["gone"] for t in torn)
    words = f"The journal is not whole, so something may have happened that nobody can read: {'; '.join(wrong)}."
    verdict = Verdict.FAIL if fail else Verdict.UNKNOWN
    return Judgement("journal_whole", "the journal is whole", verdict, words, counts, tuple(wrong), saw)


def write(journal: Journal, judged: Judged) -> None:
    """Put the judgement into the journal: outages, checks of the whole drill, assumptions, result."""
    for outage in judged.outages:
        journal.write(events.OUTAGE, **_outage(outage))
    for check in judged.checks:
        journal.write(events.CHECK, check=check.name, phase=END, **_said(check))
    for assumption in judged.assumptions:
        told = _said(assumption)
        del told["witnesses"], told["witnesses_total"]
        journal.write(events.ASSUMPTION, assumption=assumption.name, **told)
    journal.write(events.DRILL_JUDGED, result=str(judged.result), reasons=list(judged.reasons))


def _said(judgement: Judgement) -> dict[str, object]:
    return {
        "title": judgement.title,
        "verdict": str(judgement.verdict),
        "message": judgement.message,
        "counts": dict(judgement.counts),
        "saw": dict(judgement.saw),
        "witnesses": list(judgement.witnesses[:MOST_WITNESSES]),
        "witnesses_total": len(judgement.witnesses),
    }


def _outage(judged: JudgedOutage) -> dict[str, object]:
    outage, count = judged.outage, judged.counted
    return {
        "service": outage.service,
        "strip": outage.strip,
        "begin_ns": outage.first_ns,
        "end_ns": outage.good_ns,
        "lower_s": round(count.lower_s, 6),
        "upper_s": None if count.upper_s is None else round(count.upper_s, 6),
        "way": outage.way,
        "cause": count.cause.id if count.cause else None,
        "cause_title": count.cause.title if count.cause else None,
        "counted": count.way,
        "objective_s": judged.objective_s,
        "verdict": str(judged.verdict),
        "judged": judged.judged,
    }
