# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From a recording to strips: what clients saw of each service, with its outages. Pure.

The client strip of a service is judged: a client outside of every site, with all endpoints to choose from. Writes run inside
the sites, so an acknowledgement at a site that is struck as a whole is none for the client strip: nobody outside can use it.
The strip of a site is its endpoint, seen from outside, and the writes at that site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.journal import events
from drdrill.journal.outage import Strip
from drdrill.journal.records import Done, intents_of
from drdrill.measure.acknowledgements import Writes, gaps
from drdrill.measure.outages import Attempts, Stretch, attempts, joined, merged, named, stretches
from drdrill.measure.schedule import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drdrill.journal.outage import Way
    from drdrill.journal.recording import Recording

CLIENT = "client"
RECORDED_NS = 3 * SECOND // 2
"""An attempt is recorded when it ends, at the latest a second after its latency bound; and a little for the disk."""
FAR = int(np.iinfo(np.int64).max)

Spans = list[tuple[int, int]]


def strips(recording: Recording) -> tuple[Strip, ...]:
    """Every strip of every service that was probed: the client's first, then one for each site with an endpoint."""
    services = dict.fromkeys(e.data["service"] for e in recording.journal.of(events.PROBES_STARTED))
    return tuple(strip(recording, s, name) for s in services for name in (CLIENT, *_sites(recording, s)))


def _sites(recording: Recording, service: str) -> Sequence[str]:
    started = recording.journal.of(events.PROBES_STARTED)
    return list(dict.fromkeys(e.data["site"] for e in started if e.data["service"] == service))


def strip(recording: Recording, service: str, name: str) -> Strip:
    """One strip: `client`, or the name of a site."""
    promised = recording.about["objectives"]["services"][service]
    latency_ns, stable_ns = round(promised["latency_s"] * SECOND), round(promised["stable_s"] * SECOND)
    probes = _probes(recording, service, name)
    from_ns, p99_ns = _calibrated(recording, probes, latency_ns)
    seen = _attempts(recording, probes, latency_ns, p99_ns).since(from_ns)
    found = stretches(seen)
    ends: dict[Way, int] = {"probes": int(seen.due[-1])} if len(seen.due) else {}
    writes, running = _writes(recording, service, name, latency_ns, p99_ns)
    if writes is not None:
        found += gaps(writes)
        if running and ends:
            ends["acknowledgements"] = writes.open_ns[-1][1]
    found += _fell_silent(ends, latency_ns + RECORDED_NS)
    horizon = min(ends.values(), default=from_ns)
    outages = named(joined(found, stable_ns, horizon), service, name)
    return Strip(service, name, outages, len(seen.seq), 0 if writes is None else len(writes.acks), from_ns, horizon)


def seen_until(recording: Recording, service: str, name: str) -> int | None:
    """When the last attempt of this strip ended; None when there was none yet."""
    streams = (recording.streams.get(p["stream"]) for p in _probes(recording, service, name))
    return max((int(s.records["done"].max()) for s in streams if s is not None and len(s.records)), default=None)


def _fell_silent(ends: dict[Way, int], late_ns: int) -> Iterable[Stretch]:
    """One way of measuring that ended while the other went on: from there on nothing is known to be good."""
    for way, end in ends.items():
        if max(ends.values()) - end > late_ns:
            yield Stretch(way, end, end, None, None, None, None, bad=False)


def _probes(recording: Recording, service: str, name: str) -> list[dict[str, Any]]:
    """The streams of a strip: from the client network; a site's own where the client network has no vantage point."""
    started = [e.data for e in recording.journal.of(events.PROBES_STARTED) if e.data["service"] == service]
    outside = [p for p in started if p.get("vantage_site", None if p["vantage"] == CLIENT else p["vantage"]) is None]
    if name == CLIENT:
        return outside
    at = [p for p in outside if p["site"] == name]
    return at or [p for p in started if p["site"] == name]


def _attempts(recording: Recording, probes: Iterable[dict[str, Any]], latency_ns: int, p99_ns: int) -> Attempts:
    streams = [recording.streams[p["stream"]] for p in probes if p["stream"] in recording.streams]
    return merged([attempts(s.records, latency_ns, p99_ns) for s in streams])


def _calibrated(recording: Recording, probes: Iterable[dict[str, Any]], latency_ns: int) -> tuple[int, int]:
    """Since when probes count, and the p99 of a good round trip; the latency bound where none was measured."""
    names = {p["stream"] for p in probes}
    found = [e.data for e in recording.journal.of(events.PROBES_CALIBRATED) if e.data["stream"] in names]
    if not found:
        return 0, latency_ns
    return max(c["from_ns"] for c in found), max(c["p99_ns"] for c in found)


def _writes(recording: Recording, service: str, name: str, latency_ns: int, p99_ns: int) -> tuple[Writes | None, bool]:
    """The writes that count for a strip, and whether a writer runs where knowledge ends."""
    started = [e.data for e in recording.journal.of(events.WRITES_STARTED) if e.data["service"] == service]
    parts: list[Any] = []
    spans: Spans = []
    running = False
    newest = _newest(recording)
    for writer in started:
        intents = recording.streams.get(intents_of(writer["stream"]))
        operations = recording.streams.get(writer["stream"])
        if intents is None or operations is None or not len(intents.records) or name not in {CLIENT, writer["site"]}:
            continue
        struck = _struck(recording, writer["site"]) if name == CLIENT else []
        closed = _pauses(recording, writer["stream"]) + struck
        begin, end = int(intents.records["due"].min()), min(int(intents.records["due"].max()), newest)
        spans += _without((begin, end), closed)
        running |= not any(a <= end <= b for a, b in closed)
        ended = operations.records[operations.records["outcome"] != Done.UNSENT]
        parts.append(ended[_outside(ended["sent"], struck) & _outside(ended["done"], struck)])
    if not spans:
        return None, False
    every = np.concatenate(parts)
    due, sent, done = (every[name].astype(np.int64) for name in ("due", "sent", "done"))
    ok = every["outcome"] == Done.OK
    period = round(SECOND / min(w["rate_hz"] for w in started))
    round_trip = _p99((done - sent)[ok & (done < _first_change(recording))], p99_ns)
    return Writes(np.sort(done[ok]), due, sent, done, ok, _union(spans), latency_ns, period, round_trip), running


def _newest(recording: Recording) -> int:
    """When the newest thing that is known happened. Writes are planned ahead, and of those to come nothing is known."""
    ended = (int(s.records["done"].max(initial=0)) for s in recording.streams.values() if s.head["kind"] != "intents")
    return max((recording.journal.events[-1].t, *ended))


def _first_change(recording: Recording) -> int:
    """When the first strike or operation began."""
    line = recording.timeline
    return min([s.first_ns for s in line.strikes] + [o.first_ns for o in line.operations], default=FAR)


def _p99(took: Any, otherwise: int) -> int:
    """The p99 of acknowledged writes before anything was struck or moved."""
    return int(np.percentile(took, 99)) if len(took) else otherwise


def _pauses(recording: Recording, stream: str) -> Spans:
    found = (p for p in recording.timeline.pauses if stream in p.streams)
    return [(p.from_ns, FAR if p.to_ns is None else p.to_ns) for p in found]


def _struck(recording: Recording, site: str) -> Spans:
    """When the site was struck as a whole."""
    found = (s for s in recording.timeline.strikes if site in s.sites)
    return [(s.first_ns, FAR if s.healed_ns is None else s.healed_ns) for s in found]


def _outside(times: Any, spans: Spans) -> Any:
    inside = np.zeros(len(times), bool)
    for begin, end in spans:
        inside |= (times >= begin) & (times <= end)
    return ~inside


def _without(span: tuple[int, int], holes: Spans) -> Spans:
    """A span without some others."""
    left, begin = [], span[0]
    for a, b in sorted(holes):
        if a > begin and begin < span[1]:
            left.append((begin, min(a, span[1])))
        begin = max(begin, b)
    if begin < span[1]:
        left.append((begin, span[1]))
    return left


def _union(spans: Spans) -> Spans:
    """Overlapping and touching spans as one."""
    out: Spans = []
    for begin, end in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((begin, end))
    return out
