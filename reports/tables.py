# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The data behind the picture, as rows: what happened, what each probe saw, what became of the writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drdrill.journal import events
from drdrill.reports import figures, strips
from drdrill.reports.drawing import Bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drdrill.journal.journal import Event
    from drdrill.journal.recording import Recording
    from drdrill.reports.drawing import Axis, Drawing

MOST_RUNS: Final = 100
"""Intervals shown of one probe; a service that flaps has more, and the table says how many."""


@dataclass(frozen=True)
class Moment:
    """One row of what happened."""

    relative: str
    wall: str
    kind: str
    words: str


@dataclass(frozen=True)
class Interval:
    """One row of what a probe saw."""

    probe: str
    seen: str
    from_: str
    to: str
    length: str
    attempts: str


def moments(recording: Recording, axis: Axis) -> list[Moment]:
    """What happened, in order: every event but renewals and single looks, which are counted where the faults are told."""
    found = []
    for event in recording.journal.events:
        # A pause is told twice: when it begins, and again, with its end, when the writers go on.
        if event.kind == events.WRITES_PAUSED and event.data.get("to_ns") is None and _resumed(recording, event):
            continue
        words = _TOLD[event.kind](event.data) if event.kind in _TOLD else ""
        if words:
            at = _when(event)
            row = Moment(figures.relative(axis.at(at)), figures.clock(axis.wall(at)), event.kind.split(".")[0], words)
            found.append((at, event.n, row))
    return [row for *_, row in sorted(found, key=lambda f: f[:2])]


def _resumed(recording: Recording, pause: Event) -> bool:
    return any(p.from_ns == pause.data["from_ns"] and p.to_ns is not None for p in recording.timeline.pauses)


def _when(event: Event) -> int:
    """The instant that an event tells of, which can lie before the instant at which it was written."""
    for key in ("first_ns", "begin_ns", "at_ns", "from_ns"):
        if event.data.get(key):
            return int(event.data[key])
    return event.t


def _outage(o: Mapping[str, Any]) -> str:
    strip = "the clients" if o["strip"] == "client" else f"the endpoint at {o['strip']}"
    judged = o["verdict"] if o["judged"] else "not judged"
    cause = f"; {o['cause_title']}" if o.get("cause_title") else ""
    return f"outage of {o['service']} seen from {strip}: {figures.bounds(o['lower_s'], o['upper_s'])} ({judged}){cause}"


def _pause(p: Mapping[str, Any]) -> str:
    if p.get("to_ns") is None:
        return f"writers paused: {', '.join(p['streams'])}"
    return f"writers paused for {figures.span((p['to_ns'] - p['from_ns']) / 1e9)}: {', '.join(p['streams'])}"


def _read(r: Mapping[str, Any]) -> str:
    if not r["readable"]:
        return f"{r['database']} could not be read on {r['member']}: {r['words']}"
    return f"{r['database']} read on {r['member']}: {figures.plural(r['rows'], 'row')}"


_TOLD: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    events.DRILL_BEGUN: lambda d: f"drill {d['drill']} begun",
    events.DRILL_QUIET: lambda d: f"quiet: {d.get('reason') or 'nothing was in flight'}",
    events.STEP_BEGUN: lambda d: f"sentence {d['index'] + 1} begun: {d['text']}",
    events.STEP_ENDED: lambda d: f"sentence {d['index'] + 1} {d['status']}",
    events.FAULT_PLANNED: lambda d: f"planned: {d['title']}",
    events.FAULT_ARMED: lambda d: f"armed: lease {figures.promise(d['lease_s'])}",
    events.FAULT_STRUCK: lambda d: f"struck; its commands took {figures.span((d['last_ns'] - d['first_ns']) / 1e9)}",
    events.FAULT_LAPSED: lambda _: "lapsed: it ended before its heal was asked for",
    events.FAULT_HEALING: lambda d: f"heal begun ({d['reason']})",
    events.FAULT_HEALED: lambda d: f"healed; its commands took {figures.span((d['last_ns'] - d['first_ns']) / 1e9)}",
    events.FAULT_RESIDUAL: lambda d: f"not healed: {d['words']}",
    events.OPERATION_BEGUN: lambda d: f"begun: {d['title']}",
    events.OPERATION_ENDED: lambda d: f"ended: {d.get('error') or d.get('words') or d['operation']}",
    events.PROBES_STARTED: lambda d: f"probe {d['stream']} started: {d['url']}, {d['rate_hz']:g} a second",
    events.WRITES_STARTED: lambda d: f"writer {d['stream']} started: {d['rate_hz']:g} a second",
    events.WRITES_PAUSED: _pause,
    events.WORKER_ENDED: lambda d: f"worker {d['stream']} ended: {d['words']}",
    events.READBACK: _read,
    events.OUTAGE: _outage,
}


def intervals(recording: Recording, axis: Axis) -> Iterator[Interval]:
    """What each probe saw, interval by interval."""
    names = {strips.GOOD: "good", strips.BAD: "bad", strips.ABSENT: "not measured"}
    for probe in (e.data for e in recording.journal.of(events.PROBES_STARTED)):
        label = f"{probe['service']}, {probe['vantage']} \u2192 {probe['site']}"
        stream = recording.streams.get(probe["stream"])
        if stream is None or not len(stream.records):
            yield Interval(label, "not measured", "", "", "", "0")
            continue
        joined = strips.runs(strips.attempts(stream.records, probe["rate_hz"]))
        for run in joined[:MOST_RUNS]:
            seen = strips.tally(stream.records, run.from_ns, run.to_ns)
            yield Interval(
                label,
                names[run.state],
                figures.relative(axis.at(run.from_ns)),
                figures.relative(axis.at(run.to_ns)),
                figures.span((run.to_ns - run.from_ns) / 1e9),
                ", ".join(f"{figures.count(n)} {name}" for name, n in seen.items()) or "0",
            )
        if len(joined) > MOST_RUNS:
            yield Interval(label, f"and {figures.count(len(joined) - MOST_RUNS)} more intervals", "", "", "", "")


def written(drawing: Drawing) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the writes: acknowledged, and failed or unanswered, for each interval and writer."""
    named = [(group.heading, row) for group in drawing.groups for row in group.rows if isinstance(row, Bars)]
    every = [row for _, row in named]
    head = [
        f"{heading}, {row.label}: {what}" for heading, row in named for what in ("acknowledged", "failed or unanswered")
    ]
    rows = []
    for i in range(len(every[0].acknowledged) if every else 0):
        cells = [figures.count(n) for row in every for n in (row.acknowledged[i], row.unanswered[i])]
        if any(cell != "0" for cell in cells):
            rows.append([figures.relative(every[0].from_s + i * every[0].bin_s), *cells])
    return head, rows
