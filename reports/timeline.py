# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as one picture over one time axis. Pure: recording in, drawing model out; `svg` paints it.

All instants of the model are seconds from its zero: the first command of the first strike, or of the first operation when
nothing was struck, or the beginning of the drill.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drdrill.journal import events
from drdrill.journal.records import Done
from drdrill.reports import figures, members, strips
from drdrill.reports.drawing import Axis, Band, Bars, Bracket, Drawing, Group, Sentence, Strip
from drdrill.reports.segments import segments_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.journal.journal import Event
    from drdrill.journal.recording import Recording, Strike

_MOST_BINS: Final = 240
_LEAST_DUE: Final = 5
"""Writes due in one bar at least: with fewer, one late acknowledgement would look like a stall."""
_BIN_WIDTHS: Final = (0.1, 0.2, 0.4, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)


def draw(recording: Recording) -> Drawing | None:
    """The picture of a drill; None when not even its beginning was recorded."""
    if not recording.journal.events:
        return None
    axis = axis_of(recording)
    groups = (
        *_services(recording, axis),
        *members.probed(recording, axis),
        *_writes(recording, axis),
        *members.claims(recording, axis),
    )
    faults = tuple(_fault(s, axis) for s in recording.timeline.strikes)
    return Drawing(axis, faults, _moves(recording, axis), _sentences(recording, axis), groups, _describe(faults, axis))


def axis_of(recording: Recording) -> Axis:
    """The axis of a drill whose journal has at least one event."""
    journal = recording.journal
    zero, what = _zero(recording)
    first, last = journal.events[0], journal.events[-1]
    known = recording.about.get("clock") or {}
    if "mono_ns" in known and "wall_ns" in known:
        wall = (known["wall_ns"] + zero - known["mono_ns"]) / 1e9
    else:
        wall = datetime.fromisoformat(first.wall).timestamp() + (zero - first.t) / 1e9
    dues = [s.records["due"] for s in recording.streams.values() if len(s.records)]
    ran = [e.t for e in journal.of(events.STEP_BEGUN)]
    begin = min([int(d.min()) for d in dues] + ran[:1] or [first.t])
    ends = [int(d.max()) for d in dues]
    for kind in (events.DRILL_QUIET, events.STEP_ENDED):
        mark = journal.last(kind)
        ends += [mark.t] if mark else []
    end = max(ends or [last.t])
    margin = max(0.5e9, (end - begin) * 0.01)
    return Axis(
        (begin - margin - zero) / 1e9, (end + margin - zero) / 1e9, zero, datetime.fromtimestamp(wall, UTC), what
    )


def _zero(recording: Recording) -> tuple[int, str]:
    line = recording.timeline
    if line.strikes:
        return min(s.first_ns for s in line.strikes), "the first command of the first strike"
    if line.operations:
        return min(o.first_ns for o in line.operations), "the first command of the first operation"
    return recording.journal.events[0].t, "the beginning of the drill; nothing was struck or moved"


def _fault(strike: Strike, axis: Axis) -> Band:
    ends = [t for t in (strike.lapsed_ns, strike.healed_ns) if t is not None]
    end = axis.at(min(ends)) if ends else axis.to_s
    until = f"until {figures.relative(end)}" if ends else "no end was recorded"
    lapsed = strike.lapsed_ns is not None
    words = "lapsed, ended before it was asked to" if lapsed else "in force"
    hover = f"{strike.title}: {words}, from {axis.stamp(strike.first_ns)} {until}"
    return Band(strike.title, axis.at(strike.first_ns), end, hover, open=not ends, lapsed=lapsed)


def _moves(recording: Recording, axis: Axis) -> tuple[Band, ...]:
    found = []
    for move in recording.timeline.operations:
        end = axis.to_s if move.last_ns is None else axis.at(move.last_ns)
        hover = f"{move.title}: begun {axis.stamp(move.first_ns)}, " + (
            "no end was recorded" if move.last_ns is None else f"took {figures.span(end - axis.at(move.first_ns))}"
        )
        found.append(Band(move.title, axis.at(move.first_ns), end, hover, open=move.last_ns is None))
    return tuple(found)


def _sentences(recording: Recording, axis: Axis) -> tuple[Sentence, ...]:
    begun = {e.data["index"]: e for e in recording.journal.of(events.STEP_BEGUN)}
    ended = {e.data["index"]: e for e in recording.journal.of(events.STEP_ENDED)}
    found = []
    for index, start in begun.items():
        end = ended.get(index)
        stop = axis.at(end.t) if end else axis.to_s
        status = end.data["status"] if end else "unfinished"
        hover = f"{index + 1}. {start.data['text']}: {status}, {figures.span(stop - axis.at(start.t))}"
        found.append(Sentence(index + 1, axis.at(start.t), stop, status, hover))
    return tuple(found)


# --- services --------------------------------------------------------------------------------------------------------


def client_streams(started: Sequence[Event], service: str) -> list[Event]:
    """The probes of a service that stand in the client network: at a vantage point that is no endpoint's site."""
    own = [e for e in started if e.data["service"] == service]
    sites = {e.data["site"] for e in started}
    return [e for e in own if e.data["vantage"] not in sites]


def _services(recording: Recording, axis: Axis) -> Iterator[Group]:
    started = list(recording.journal.of(events.PROBES_STARTED))
    for service in dict.fromkeys(e.data["service"] for e in started):
        own = [e for e in started if e.data["service"] == service]
        clients = client_streams(started, service)
        rows = [_client_strip(recording, axis, service, clients)] if clients else []
        rows += [_endpoint(recording, axis, e.data) for e in own]
        yield Group(f"Service {service}", tuple(rows))


def _client_strip(recording: Recording, axis: Axis, service: str, clients: Sequence[Event]) -> Strip:
    parts, found = [], []
    for event in clients:
        stream = recording.streams.get(event.data["stream"])
        if stream is not None and len(stream.records):
            parts.append(strips.attempts(stream.records, event.data["rate_hz"]))
            found.append(stream.records)
    cells = strips.either(parts)
    every = np.concatenate(found) if found else None
    segments = segments_of(cells, axis, {strips.GOOD: "good", strips.BAD: "bad", strips.ABSENT: "not measured"}, every)
    return Strip("client", "Clients", "at least one endpoint", segments, _brackets(recording, axis, service))


def _endpoint(recording: Recording, axis: Axis, probe: Mapping[str, Any]) -> Strip:
    stream = recording.streams.get(probe["stream"])
    cells = strips.NOTHING if stream is None else strips.attempts(stream.records, probe["rate_hz"])
    words = {strips.GOOD: "good", strips.BAD: "bad", strips.ABSENT: "not measured"}
    segments = segments_of(cells, axis, words, None if stream is None else stream.records)
    struck = tuple(
        (axis.at(s.first_ns), axis.to_s if s.healed_ns is None else axis.at(s.healed_ns))
        for s in recording.timeline.strikes
        if probe["site"] in s.sites
    )
    note = "not judged" if struck else ""
    return Strip("endpoint", f"{probe['vantage']} \u2192 {probe['site']}", note, segments, unjudged=struck)


def _brackets(recording: Recording, axis: Axis, service: str) -> tuple[Bracket, ...]:
    found = []
    for event in recording.journal.of(events.OUTAGE):
        data = event.data
        if data["service"] != service or data["strip"] != "client" or not data["judged"]:
            continue
        end = axis.to_s if data["end_ns"] is None else axis.at(data["end_ns"])
        label = f"away {figures.bounds(data['lower_s'], data['upper_s'])}"
        cause = f"; after: {data['cause_title']}" if data.get("cause_title") else ""
        hover = f"{service}: {label}, seen by {data['way']}{cause}"
        found.append(Bracket(axis.at(data["begin_ns"]), end, label, data["verdict"], hover))
    return tuple(found)


# --- writes and claims -----------------------------------------------------------------------------------------------


def _writes(recording: Recording, axis: Axis) -> Iterator[Group]:
    started = list(recording.journal.of(events.WRITES_STARTED))
    # One length of bar for all writers, whatever their rates: rows are read against each other, and the table joins them.
    bin_s = _bin(axis.to_s - axis.from_s, [e.data["rate_hz"] for e in started])
    for through in dict.fromkeys(_way(e.data) for e in started):
        rows = [_bars(recording, axis, e.data, bin_s) for e in started if _way(e.data) == through]
        yield Group(f"Writes {through}", tuple(rows))


def _way(writes: Mapping[str, Any]) -> str:
    if writes.get("service"):
        return f"through service {writes['service']}"
    return f"to database {writes.get('database')}"


def _bars(recording: Recording, axis: Axis, writes: Mapping[str, Any], bin_s: float) -> Bars:
    stream = recording.streams.get(writes["stream"])
    from_s = np.floor(axis.from_s / bin_s) * bin_s
    n = int(np.ceil((axis.to_s - from_s) / bin_s))
    edges = axis.zero_ns + ((from_s + np.arange(n + 1) * bin_s) * 1e9).astype(np.int64)
    acknowledged = unanswered = np.zeros(n, int)
    if stream is not None and len(stream.records):
        good = stream.records["outcome"] == Done.OK
        acknowledged = np.histogram(stream.records["done"][good], edges)[0]
        unanswered = np.histogram(stream.records["due"][~good], edges)[0]
    pauses = tuple(
        (axis.at(p.from_ns), axis.to_s if p.to_ns is None else axis.at(p.to_ns))
        for p in recording.timeline.pauses
        if writes["stream"] in p.streams
    )
    hovers = tuple(
        f"{figures.relative(from_s + i * bin_s)} to {figures.relative(from_s + (i + 1) * bin_s)}: {a} acknowledged"
        + (f", {u} failed or unanswered" if u else "")
        for i, (a, u) in enumerate(zip(acknowledged, unanswered, strict=True))
    )
    note = f"{writes['rate_hz']:g} a second"
    due = writes["rate_hz"] * bin_s
    return Bars(
        f"at {writes['site']}", note, bin_s, float(from_s), due,
        tuple(acknowledged.tolist()), tuple(unanswered.tolist()), hovers, pauses,
    )  # fmt: skip


def _bin(length_s: float, rates_hz: Sequence[float]) -> float:
    """How long one bar is: as short as the picture can show, and with a whole number of writes of every rate due in each.

    With half a write more in every other bar the schedule itself would look like a comb.
    """
    slowest = min(rates_hz, default=0.0)
    fits = [b for b in _BIN_WIDTHS if length_s / b <= _MOST_BINS and b * slowest >= _LEAST_DUE]
    whole = [b for b in fits if all(abs(b * r - round(b * r)) < 1e-6 for r in rates_hz)]  # noqa: PLR2004 - floating point
    return next(iter(whole or fits), _BIN_WIDTHS[-1])


def _describe(faults: Sequence[Band], axis: Axis) -> str:
    """What the picture shows, for those who do not see it."""
    told = "; ".join(b.hover for b in faults) or "nothing was struck"
    return (
        f"One time axis from {figures.relative(axis.from_s)} to {figures.relative(axis.to_s)}; zero is {axis.zero_is}, "
        f"{figures.clock(axis.zero_wall)} UTC. {told}. Below: sentences, services as clients saw them, "
        "acknowledged writes, and who claimed to be the writer. The same figures stand in the table under the picture."
    )
