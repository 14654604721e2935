# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Did the probes and the writers keep their schedules? Who did not measure saw no outage. Pure.

A stream kept its schedule when it ran until it was stopped, when at most one of a hundred attempts is missing or was sent later
than a quarter of the latency bound after it was due, and when there was never a time without an attempt as long as the latency
bound: an outage as long as the bound allows could have hidden in it. (The quarter is ours: an attempt that starts so late
still has most of its time; more would make the service look slow for what this machine did.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drdrill.checkers.check import some
from drdrill.checkers.verdict import Judgement, Verdict, worst
from drdrill.journal import events
from drdrill.journal.records import TOO_LATE, Done, intents_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.journal.recording import Recording

SHARE: Final = 0.01


@dataclass(frozen=True)
class Kept:
    """What is known of the schedule of one stream. Seconds; `wrong` says what was not kept, or is empty."""

    due: int
    missing: int
    late: int
    longest_s: float
    wrong: str
    latest_s: float = 0.0
    """How long after it was due the latest of all was sent."""


def probes_kept_schedule(recording: Recording) -> Judgement | None:
    """Every stream of probes, of services and of the members of databases, from its first attempt to its stop."""
    started = [e.data for e in recording.journal.of(events.PROBES_STARTED, events.MEMBERS_PROBED)]
    if not started:
        return None
    found = {}
    for probe in started:
        stream = recording.streams.get(probe["stream"])
        records = (
            stream.records if stream is not None else np.zeros(0, [("seq", "<u4"), ("due", "<i8"), ("sent", "<i8")])
        )
        missing = int(records["seq"].max()) + 1 - len(records) if len(records) else 0
        found[probe["stream"]] = _kept(recording, probe, records["due"], records["sent"], missing)
    return _judged("probes_kept_schedule", "the probes kept their schedule", "attempt", "samples", found)


def writers_kept_schedule(recording: Recording) -> Judgement | None:
    """Every writer, pauses left out. Writes that found no free connection were on time; the estate took the connections."""
    started = [e.data for e in recording.journal.of(events.WRITES_STARTED)]
    if not started:
        return None
    found = {}
    for writer in started:
        intents, operations = (
            recording.streams.get(intents_of(writer["stream"])),
            recording.streams.get(writer["stream"]),
        )
        if intents is None or operations is None:
            found[writer["stream"]] = Kept(0, 0, 0, 0.0, "it never began")
            continue
        sent = dict(zip(operations.records["seq"].tolist(), operations.records["sent"].tolist(), strict=True))
        due = intents.records["due"]
        late = operations.records[
            (operations.records["outcome"] == Done.UNSENT) & (operations.records["note"] == TOO_LATE)
        ]
        sent |= dict(zip(late["seq"].tolist(), late["done"].tolist(), strict=True))
        times = [sent.get(n) or d for n, d in zip(intents.records["seq"].tolist(), due.tolist(), strict=True)]
        # None can be missing: what has no number was not planned, and that is a hole.
        found[writer["stream"]] = _kept(recording, writer, due, np.array(times, np.int64), missing=0)
    return _judged("writers_kept_schedule", "the writers kept their schedule", "write", "operations", found)


def _kept(recording: Recording, told: dict[str, Any], due: Any, sent: Any, missing: int) -> Kept:
    if not len(due):
        return Kept(0, 0, 0, 0.0, "it never began")
    order = np.argsort(due, kind="stable")
    due, sent, latency_ns = due[order].astype(np.int64), sent[order].astype(np.int64), told["latency_s"] * 1e9
    end, words = _ended(recording, told["stream"], int(due[-1]))
    edges = np.concatenate((np.sort(sent), [end]))
    pauses = [(p.from_ns, p.to_ns or end) for p in recording.timeline.pauses if told["stream"] in p.streams]
    spans = np.diff(edges) - sum(_overlap(edges, a, b) for a, b in pauses)
    # A pending attempt is recorded when it ends, one second after its latency bound at the latest; none is missing before that.
    tail_ns = latency_ns + 1.5e9
    spans[-1] = max(0, spans[-1] - tail_ns)
    late = int((sent - due > latency_ns / 4).sum())
    latest = max(0.0, float((sent - due).max() / 1e9))
    longest = float(spans.max() / 1e9)
    if not words and longest > told["latency_s"]:
        words = f"for {longest:.2f} s nothing was sent"
    if not words and missing + late > SHARE * len(due):
        words = f"{missing} of {len(due) + missing} are missing and {late} were sent late"
    return Kept(len(due) + missing, missing, late, longest, words, latest)


def _overlap(edges: Any, begin: int, end: int) -> Any:
    return np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], begin), 0, None)


def _ended(recording: Recording, stream: str, last_due: int) -> tuple[int, str]:
    """When the stream ended, and what is wrong with that: nothing when it was stopped, or the runner's own end ended it."""
    ends = [e for e in recording.journal.of(events.WORKER_ENDED) if e.data["stream"] == stream]
    if not ends:
        return max(last_due, recording.journal.events[-1].t), ""
    first = ends[0]
    return first.t, "" if first.data["status"] == "stopped" else str(first.data["words"])


def _judged(name: str, title: str, unit: str, kind: str, found: dict[str, Kept]) -> Judgement:
    wrong = tuple(f"{stream}: {kept.wrong}" for stream, kept in found.items() if kept.wrong)
    kept: Sequence[Kept] = list(found.values())
    counts: dict[str, int | float | str] = {
        "streams": len(kept), "due": sum(k.due for k in kept), "missing": sum(k.missing for k in kept),
        "late": sum(k.late for k in kept), "latest_s": _up(max(k.latest_s for k in kept)),
        "longest_s": _up(max(k.longest_s for k in kept)),
    }  # fmt: skip
    saw = {kind: sum(k.due - k.missing for k in kept)}
    verdict = worst(Verdict.FAIL if k.wrong else Verdict.PASS for k in kept)
    seen = f"{some(int(counts['due']), unit)} due in {some(len(kept), 'stream')}"
    text = (
        f"The latest was sent {1000 * float(counts['latest_s']):g} ms after it was due, {counts['late'] or 'none'} of them late; "
        f"{counts['missing'] or 'none'} missing of {seen}; never more than {counts['longest_s']} s without one."
    )
    if wrong:
        text = f"Not every stream kept its schedule, so outages may have been missed: {'; '.join(wrong)} ({seen})."
    return Judgement(name, title, verdict, text, counts, wrong, saw)


def _up(seconds: float) -> float:
    """Rounded up to a millisecond: nothing measured is rounded in our favour."""
    return math.ceil(round(seconds * 1000, 6)) / 1000
