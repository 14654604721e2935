# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Was each outage of each service inside its recovery time objective? Every outage has to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.checkers.causes import Counted, causes, counted
from drdrill.checkers.check import Case, some
from drdrill.checkers.meanwhile import meanwhile
from drdrill.checkers.verdict import Judgement, Verdict, worst
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drdrill.journal.outage import Outage, Strip
    from drdrill.journal.recording import Recording

NAME: Final = "objectives"
CLIENT: Final = "client"
_SINCE: Final = {
    "rto": "from its first command",
    "own length": "by its own length",
    "from its heal": "from its heal, since the loss of quorum was expected",
}


@dataclass(frozen=True)
class JudgedOutage:
    """One outage against its objective. One that is not `judged` is only shown."""

    outage: Outage
    counted: Counted
    objective_s: float
    verdict: Verdict
    judged: bool

    @property
    def words(self) -> str:
        """For messages: how long, and what caused it."""
        c = self.counted
        span = f"at least {c.lower_s:.2f} s" if c.upper_s is None else f"{c.lower_s:.2f} to {c.upper_s:.2f} s"
        since = _SINCE[c.way]
        cause = f"after {c.cause.title} ({since})" if c.cause else "before anything was struck"
        return f"{span} {cause}" + ("" if self.outage.end_by_ns is not None else ", and it did not end")


def judged(recording: Recording, strips: Sequence[Strip]) -> tuple[JudgedOutage, ...]:
    """Every outage of every strip.

    The client strip is judged always. The strip of a site is judged when a sentence named it, but not for an outage that
    began while that site was struck: its endpoint is promised nothing until its fault is healed.
    """
    known = causes(recording.timeline)
    said = _named(recording)
    found = []
    for strip in strips:
        promised = recording.about["objectives"]["services"][strip.service]
        latency_ns = round(promised["latency_s"] * 1e9)
        for outage in strip.outages:
            count = counted(outage, known, latency_ns)
            counts = strip.name == CLIENT or (
                (strip.service, strip.name) in said and not _struck(recording, strip.name, outage.first_ns + latency_ns)
            )
            found.append(JudgedOutage(outage, count, promised["rto_s"], count.against(promised["rto_s"]), counts))
    return tuple(found)


def judge(case: Case) -> Iterable[Judgement]:
    """One judgement for each service that was probed."""
    every = judged(case.recording, case.strips)
    for strip in (s for s in case.strips if s.name == CLIENT):
        objective = case.recording.about["objectives"]["services"][strip.service]["rto_s"]
        outages = [j for j in every if j.judged and j.outage.service == strip.service]
        yield _service(case.recording, strip, outages, objective)


def _service(recording: Recording, strip: Strip, outages: Sequence[JudgedOutage], objective_s: float) -> Judgement:
    title = f'service "{strip.service}" is back within its RTO of {objective_s:g} s'
    counts: dict[str, int | float | str] = {
        "service": strip.service, "objective_s": objective_s, "outages": len(strip.outages),
        "samples": strip.samples, "acknowledged": strip.acknowledged,
    }  # fmt: skip
    saw = {"samples": strip.samples, "operations": strip.acknowledged}
    if not strip.samples:
        words = f'Service "{strip.service}" was not measured from outside, so nothing can be said about its outages.'
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
    seen = f"{some(strip.samples, 'attempt')} from outside and {some(strip.acknowledged, 'acknowledged write')}"
    if not outages:
        words = f'Service "{strip.service}" was never seen away, in {seen}.'
        return Judgement(NAME, title, Verdict.PASS, words, counts, saw=saw)
    verdict = worst(j.verdict for j in outages)
    longest = max(outages, key=lambda j: (j.verdict is verdict, j.counted.upper_s is None, j.counted.lower_s))
    counts["lower_s"] = round(longest.counted.lower_s, 3)
    if longest.counted.upper_s is not None:
        counts["upper_s"] = round(longest.counted.upper_s, 3)
    how = {
        Verdict.PASS: f"was away within its RTO of {objective_s:g} s each time",
        Verdict.FAIL: f"was away for longer than its RTO of {objective_s:g} s",
        Verdict.UNKNOWN: f"was away, and it cannot be told whether within its RTO of {objective_s:g} s",
    }[verdict]
    where = "" if longest.outage.strip == CLIENT else f" at {longest.outage.strip}"
    words = f'Service "{strip.service}"{where} {how}: {longest.words}; {some(len(outages), "outage")} in {seen}.'
    words += meanwhile(recording, longest.outage, strip.horizon_ns)
    shown = tuple(f"{j.outage.strip}: {j.words}" for j in outages)
    return Judgement(NAME, title, verdict, words, counts, shown, saw)


def _named(recording: Recording) -> set[tuple[str, str]]:
    """The service and site of each sentence that named a site's endpoint."""
    found = (e.data["counts"] for e in recording.journal.of(events.CHECK) if e.data["check"] == "available_again")
    return {(str(c["service"]), str(c["site"])) for c in found if c.get("site")}


def _struck(recording: Recording, site: str, at_ns: int) -> bool:
    return any(
        site in s.sites and s.first_ns <= at_ns and (s.healed_ns is None or at_ns <= s.healed_ns)
        for s in recording.timeline.strikes
    )
