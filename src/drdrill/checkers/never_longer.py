# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Was a service ever away for longer than a sentence allows? Counted as the recovery time objective counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.checkers.causes import causes, counted
from drdrill.checkers.check import Case, some
from drdrill.checkers.verdict import Judgement, Verdict, worst
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.journal.outage import Strip
    from drdrill.journal.recording import Recording

NAME: Final = "never_longer"
CLIENT: Final = "client"


def judge(case: Case) -> Iterable[Judgement]:
    """Again over the whole drill, for each service and limit of which a sentence said so."""
    said = (e.data["counts"] for e in case.recording.journal.of(events.CHECK) if e.data["check"] == NAME)
    for service, allowed_s in dict.fromkeys((str(c["service"]), float(c["allowed_s"])) for c in said):
        for strip in case.strips:
            if (strip.service, strip.name) == (service, CLIENT):
                yield never(case.recording, strip, allowed_s)


def never(recording: Recording, strip: Strip, allowed_s: float) -> Judgement:
    """Whether every outage of the client strip up to now is at most so long."""
    title = f'service "{strip.service}" is never away for more than {allowed_s:g} s'
    latency_ns = round(recording.about["objectives"]["services"][strip.service]["latency_s"] * 1e9)
    known = causes(recording.timeline)
    found = [counted(o, known, latency_ns) for o in strip.outages]
    counts: dict[str, int | float | str] = {
        "service": strip.service, "allowed_s": allowed_s, "samples": strip.samples, "outages": len(found),
    }  # fmt: skip
    saw = {"samples": strip.samples, "operations": strip.acknowledged}
    if not strip.samples:
        words = f'Service "{strip.service}" was not measured from outside, so nothing can be said about its outages.'
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
    seen = f"{some(strip.samples, 'attempt')} from outside and {some(strip.acknowledged, 'acknowledged write')}"
    if not found:
        words = f'Service "{strip.service}" was never seen away, in {seen}.'
        return Judgement(NAME, title, Verdict.PASS, words, counts, saw=saw)
    verdict = worst(c.against(allowed_s) for c in found)
    longest = max(found, key=lambda c: (c.against(allowed_s) is verdict, c.upper_s is None, c.lower_s))
    counts["lower_s"] = round(longest.lower_s, 3)
    span = f"at least {longest.lower_s:.2f} s, and that outage has not ended"
    if longest.upper_s is not None:
        counts["upper_s"] = round(longest.upper_s, 3)
        span = f"{longest.lower_s:.2f} to {longest.upper_s:.2f} s"
    tail = {Verdict.PASS: "", Verdict.FAIL: ": too long", Verdict.UNKNOWN: ": it cannot be told whether too long"}[
        verdict
    ]
    words = (
        f'Service "{strip.service}" was away for {span}; {allowed_s:g} s are allowed{tail} '
        f"({some(len(found), 'outage')} in {seen})."
    )
    return Judgement(NAME, title, verdict, words, counts, saw=saw)
