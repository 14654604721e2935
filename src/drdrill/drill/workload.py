# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The noun `workload`: clients that probe and write all the while, from before the first strike to the end."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from drdrill.drill import good_traffic
from drdrill.drill.clients import Clients
from drdrill.errors import BadInput, Refused
from drdrill.journal import events
from drdrill.journal.recording import DATA, Stream, load_stream, load_streams
from drdrill.journal.records import intents_of
from drdrill.measure import specs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.drill.context import Context
    from drdrill.estate.model import Service
    from drdrill.measure.workers import Worker

GOOD_S: Final = 30.0
"""How long the wait for good probes and acknowledged writes lasts before the drill is refused."""
RESUME_S: Final = 15.0
"""After a pause the service may be away, which is no matter of the pause: the wait ends, and the journal says so."""
SLACK_S: Final = 5.0
"""Beyond the deadline of a write, for a writer to say that nothing is in flight any more."""


class Workload:
    """Starts, pauses and stops the measuring."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clients = Clients(context)
        self._watched: set[str] = set()
        self._written: set[str] = set()
        self._paused_ns: int | None = None

    # --- the sentence -------------------------------------------------------------------------------------------------

    def write_through(self, service: str, rate: float) -> None:
        """Probe a service from everywhere and write through it at every site; return once both are good.

        Raises:
            BadInput: the rate is too low, or the service cannot be written through, or a site has no vantage point.
            Refused: the probes were not good for 3 s, or fewer than 80 % of the writes of 2 s were acknowledged.
        """
        found = self._context.estate.service_named(service)
        if rate < specs.SLOWEST_HZ:
            raise BadInput(
                f"{rate:g} writes a second are too few to see a short outage; write at least {specs.SLOWEST_HZ:g}"
            )
        if found.write is None:
            raise BadInput(f'service "{found.name}" says not how it is written to; give it `write` in the estate file')
        if found.name in self._written:
            raise BadInput(f'writes go through service "{found.name}" already; say so once in a scenario')
        self._written.add(found.name)
        begun = time.monotonic_ns()
        writers = self._clients.write(found, float(rate))
        self._begin(found, writers)
        short = self._until_acknowledged(writers, begun, GOOD_S)
        if short:
            raise Refused(
                f"fewer than 80 % of the writes of 2 s were acknowledged within {GOOD_S:g} s: {'; '.join(short)}"
            )

    def watch(self, service: str) -> None:
        """Probe a service from everywhere, without writing; return once it is good. Fine when it is watched already.

        Raises:
            Refused: the probes were not good for 3 s.
        """
        found = self._context.estate.service_named(service)
        if found.name not in self._watched:
            self._begin(found, [])

    def _begin(self, service: Service, fresh: list[Worker]) -> None:
        if service.name not in self._watched:
            self._watched.add(service.name)
            fresh = fresh + self._clients.probe(service)
        if service.database is not None:
            fresh = fresh + self._clients.claims(self._context.estate.databases[service.database])
        self._clients.await_ready(fresh)
        self._context.say(f"  clients at every vantage point use service {service.name}")
        self._calibrate(service, [s for w in fresh if w.spec["role"] == "probes" for s in w.streams])
        self._clients.await_controls(fresh)

    def _calibrate(self, service: Service, names: Sequence[str]) -> None:
        """Wait for 3 s of good probes on every stream, and keep their round trip."""
        found: dict[str, good_traffic.Calibration] = {}

        def look() -> bool | None:
            if deaths := self.worker_deaths():
                raise Refused(f"the measuring cannot go on: {deaths[0]}")
            found.clear()
            for name in names:
                calibration = good_traffic.calibration(self._stream(name).records)
                if calibration:
                    found[name] = calibration
            return True if len(found) == len(names) else None

        if not self._context.wait_until(look, GOOD_S, f'3 s of good answers of service "{service.name}"'):
            seen = "; ".join(f"{n}: {good_traffic.seen(self._stream(n).records)}" for n in names if n not in found)
            raise Refused(f'service "{service.name}" was not good for 3 s within {GOOD_S:g} s: {seen}')
        for name, c in found.items():
            told = {
                "from_ns": c.from_ns,
                "to_ns": c.to_ns,
                "samples": c.samples,
                "p50_ns": c.p50_ns,
                "p99_ns": c.p99_ns,
            }
            self._context.journal.write(events.PROBES_CALIBRATED, stream=name, **told)

    def _until_acknowledged(self, writers: Sequence[Worker], since_ns: int, within_s: float) -> list[str]:
        """Wait until each of them had 80 % of what was due in 2 s acknowledged; who had not, in words."""
        short: list[str] = []

        def look() -> bool | None:
            self.worker_deaths()
            short.clear()
            for worker in writers:
                name = str(worker.spec["stream"])
                intents, operations = self._stream(intents_of(name)), self._stream(name)
                words = good_traffic.shortfall(intents, operations, since_ns, time.monotonic_ns())
                if words:
                    short.append(f"{words} at {worker.spec['site']}")
            return None if short else True

        self._context.wait_until(look, within_s, "the writes to be acknowledged")
        return short

    # --- pausing ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def pause(self) -> Iterator[Mapping[str, int]]:
        """Pause the writers and wait until nothing is in flight; resume at the end. Gives the mark of each writer."""
        already = self._paused_ns is not None
        marks = self.hold_back()
        try:
            yield marks
        except BaseException:
            if not already:
                self._go()
            raise
        if not already:
            self.resume()

    def hold_back(self) -> Mapping[str, int]:
        """Pause the writers until `resume`, and wait until nothing is in flight.

        Not waited for is what is in flight at a site that is struck as a whole: nobody answers it, it would take the whole
        deadline of a write, and it cannot reach the members that are read meanwhile.
        """
        writers = [w for w in self._clients.of("writes") if w.alive()]
        if self._paused_ns is None and writers:
            self._paused_ns = time.monotonic_ns()
            for worker in writers:
                worker.pause()
            self._tell_pause(None)
            struck = self._struck()
            answered = [w for w in writers if w.spec["site"] not in struck]
            longest = max(float(w.spec["deadline_s"]) for w in writers) + SLACK_S
            if not self._context.wait_until(lambda: _quiet(writers, answered), longest, "nothing to be in flight"):
                late = ", ".join(w.name for w in answered if not w.quiet)
                self._context.journal.write(
                    events.NOTE, words=f"writes were still in flight when rows were compared: {late}"
                )
        return {str(w.spec["stream"]): w.mark for w in writers if w.mark is not None}

    def _struck(self) -> set[str]:
        """The sites that are struck as a whole now."""
        open_ = [s for s in self._context.recording().timeline.strikes if s.healed_ns is None]
        return {site for s in open_ for site in s.sites}

    def resume(self) -> None:
        """Let the writers go on, and return once those at sites that are not struck are acknowledged again."""
        begun = time.monotonic_ns()
        if not self._go():
            return
        struck = self._struck()
        writers = [w for w in self._clients.of("writes") if w.alive() and w.spec["site"] not in struck]
        short = self._until_acknowledged(writers, begun, RESUME_S)
        if short:
            words = f"after the pause, writes were not acknowledged: {'; '.join(short)}"
            self._context.journal.write(events.NOTE, words=words)

    def _go(self) -> bool:
        if self._paused_ns is None:
            return False
        for worker in self._clients.of("writes"):
            worker.resume()
        self._tell_pause(time.monotonic_ns())
        self._paused_ns = None
        return True

    def _tell_pause(self, to_ns: int | None) -> None:
        marks = {str(w.spec["stream"]): w.mark for w in self._clients.of("writes")}
        told = {"streams": list(marks), "from_ns": self._paused_ns, "to_ns": to_ns, "mark": marks}
        self._context.journal.write(events.WRITES_PAUSED, **told)

    # --- looking and ending -------------------------------------------------------------------------------------------

    @property
    def watched(self) -> frozenset[str]:
        """The services that are probed."""
        return frozenset(self._watched)

    def streams(self) -> dict[str, Stream]:
        """Everything measured up to now."""
        return load_streams(self._context.folder / DATA)

    def worker_deaths(self, *roles: str) -> list[str]:
        """What is known of each measuring process that ended by itself, of these roles or of all."""
        return self._clients.deaths(*roles)

    def stop(self) -> None:
        """End all measuring. May be called twice, and with nothing started."""
        self._clients.stop()

    def _stream(self, name: str) -> Stream:
        found = load_stream(self._context.folder / DATA, name)
        if found is None:
            raise Refused(f"the measuring wrote no stream {name}")
        return found


def _quiet(writers: Sequence[Worker], answered: Sequence[Worker]) -> bool | None:
    """True once all of them plan no more writes, and those that are answered have nothing in flight."""
    for worker in writers:
        worker.poll()
    paused = all(w.paused or not w.alive() for w in writers)
    return True if paused and all(w.quiet or not w.alive() for w in answered) else None
