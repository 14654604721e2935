# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Can probes see an outage? They were shown wrong answers before the strike, and watched while their site was cut off. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.checkers.check import some
from drdrill.checkers.sides import in_force, proven_in_force
from drdrill.checkers.verdict import Judgement, Verdict, worst
from drdrill.journal import events
from drdrill.journal.records import Seen

if TYPE_CHECKING:
    from drdrill.journal.recording import Recording, Strike


def probes_know_wrong(recording: Recording) -> Judgement | None:
    """Before anything was struck every stream of probes was shown wrong answers, and called each of them bad."""
    started = [e.data["stream"] for e in recording.journal.of(events.PROBES_STARTED)]
    if not started:
        return None
    shown = {e.data["stream"]: e.data for e in recording.journal.of(events.PROBES_CONTROLLED)}
    title = "the probes call a wrong answer wrong"
    believed = [(name, told["believed"]) for name, told in shown.items() if told["believed"]]
    unshown = [name for name in started if name not in shown]
    kinds = list(dict.fromkeys(words for told in shown.values() for words in told["shown"]))
    samples = sum(len(told["shown"]) for told in shown.values())
    counts: dict[str, int | float | str] = {"streams": len(shown), "unshown": len(unshown), "believed": len(believed)}
    saw = {"samples": samples}
    if believed:
        each = "; ".join(f"{', '.join(answers)} was called good by {name}" for name, answers in believed)
        words = f"A probe takes a wrong answer for right, so it sees no outage: {each}."
        return Judgement("probes_know_wrong", title, Verdict.FAIL, words, counts, tuple(n for n, _ in believed), saw)
    if unshown:
        words = f"Nobody knows whether these probes call a wrong answer wrong, none was shown to them: {', '.join(unshown)}."
        return Judgement("probes_know_wrong", title, Verdict.UNKNOWN, words, counts, tuple(unshown), saw)
    words = (
        f"{some(len(shown), 'stream')} of probes were shown {some(samples, 'wrong answer')} before anything was struck "
        f"({', '.join(kinds)}) and called each of them bad."
    )
    return Judgement("probes_know_wrong", title, Verdict.PASS, words, counts, saw=saw)


def probes_saw_the_cut(recording: Recording) -> Judgement | None:
    """While a site was struck as a whole, nobody outside was answered well by its endpoint."""
    found = [
        (strike, probe, *_answered(recording, strike, probe))
        for strike in recording.timeline.strikes
        if strike.sites and proven_in_force(strike)
        for probe in _from_outside(recording, strike)
    ]
    found = [part for part in found if part[2]]
    if not found:
        return None
    wrong = tuple(
        f"{probe['stream']} was answered well {good} of {due} times while {strike.title}"
        for strike, probe, due, good in found
        if good
    )
    samples = sum(due for _, _, due, _ in found)
    counts: dict[str, int | float | str] = {"streams": len(found), "good": sum(good for *_, good in found)}
    verdict = worst(Verdict.FAIL if good else Verdict.PASS for *_, good in found)
    words = f"{some(samples, 'attempt')} to the endpoint of a struck site from outside, none of them answered well."
    if wrong:
        words = f"What is cut off cannot answer, so the probe or the cut is not what it seems: {'; '.join(wrong)}."
    title = "no probe was answered by a site that was cut off"
    return Judgement("probes_saw_the_cut", title, verdict, words, counts, wrong, {"samples": samples})


def _from_outside(recording: Recording, strike: Strike) -> list[dict[str, Any]]:
    started = (e.data for e in recording.journal.of(events.PROBES_STARTED))
    return [p for p in started if p["site"] in strike.sites and p.get("vantage_site", p["vantage"]) not in strike.sites]


def _answered(recording: Recording, strike: Strike, probe: dict[str, Any]) -> tuple[int, int]:
    """Attempts that were due while it was surely in force, and how many of them were good.

    One that is due within a latency bound before the end may be answered after it, in time.
    """
    stream = recording.streams.get(probe["stream"])
    if stream is None:
        return 0, 0
    begin, end = in_force(strike)
    due = stream.records["due"]
    inside = stream.records[(due > begin) & (due < end - round(probe["latency_s"] * 1e9))]
    return len(inside), int((inside["outcome"] == Seen.GOOD).sum())
