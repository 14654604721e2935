# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The noun `workload`: clients that probe and write all the while, from before the first strike to the end."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from drdrill.drill import good_traffic, ledgers
from drdrill.drill.clients import Clients
from drdrill.drill.first_seconds import calibrate, stream_of
from drdrill.drill.ledgers import Ledgers
from drdrill.drill.named import NOTHING
from drdrill.errors import BadInput, Refused
from drdrill.journal import events
from drdrill.journal.recording import DATA, Stream, ever_due, load_streams
from drdrill.journal.records import intents_of
from drdrill.measure import specs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.drill.context import Context
    from drdrill.drill.named import Named
    from drdrill.estate.model import Database, Service
    from drdrill.measure.workers import Worker

GOOD_S: Final = 30.0
"""How long the wait for good probes and acknowledged writes lasts before the drill is refused."""
RESUME_S: Final = 15.0
"""After a pause the service may be away, which is no matter of the pause: the wait ends, and the journal says so."""
SLACK_S: Final = 5.0
"""Beyond the deadline of a write, for a writer to say that nothing is in flight any more."""


class Workload:
    """Starts, pauses and stops the measuring."""

    def __init__(self, context: Context, named: Named = NOTHING) -> None:
        self._context = context
        self._clients = Clients(context)
        self._ledgers = Ledgers(context)
        self._named = named
        self._watched: set[str] = set()
        self._asked: set[str] = set()
        self._written: set[tuple[str, str]] = set()
        self._paused_ns: int | None = None

    # --- the sentences ------------------------------------------------------------------------------------------------

    def write_through(self, service: str, rate: float) -> None:
        """Probe a service from everywhere and write through it at every site; return once both are good.

        Raises:
            BadInput: the rate is too low, or the service cannot be written through, or a site has no vantage point.
            Refused: the probes were not good for 3 s, or fewer than 80 % of the writes of 2 s were acknowledged.
        """
        found = self._context.estate.service_named(service)
        if found.write is None:
            raise BadInput(f'service "{found.name}" says not how it is written to; give it `write` in the estate file')
        self._once("through service", found.name, rate)
        begun = time.monotonic_ns()
        writers = self._clients.write(found, float(rate))
        self._begin([found], [], writers)
        self._acknowledged(writers, begun)

    def write_to(self, database: str, rate: float) -> None:
        """Write into a database itself at every site, into a table of this drill; return once it is acknowledged.

        The table is made before anything is struck, and dropped at the end of the drill.

        Raises:
            BadInput: the rate is too low, a member has no address, or a site has no vantage point.
            Refused: the table could not be made, the members could not be read for 3 s, or fewer than 80 % of the writes of
                2 s were acknowledged.
        """
        found = self._context.estate.database_named(database)
        lacking = ledgers.cannot_be_written(self._context.estate, found)
        if lacking:
            raise BadInput(lacking)
        self._once("to database", found.name, rate)
        table = self._ledgers.make(found)
        begun = time.monotonic_ns()
        writers = self._clients.write_to(found, float(rate), table)
        self._begin([], [found], writers)
        self._acknowledged(writers, begun)

    def _once(self, how: str, name: str, rate: float) -> None:
        if rate < specs.SLOWEST_HZ:
            raise BadInput(
                f"{rate:g} writes a second are too few to see a short outage; write at least {specs.SLOWEST_HZ:g}"
            )
        if (how, name) in self._written:
            raise BadInput(f'writes go {how} "{name}" already; say so once in a scenario')
        self._written.add((how, name))

    def _acknowledged(self, writers: Sequence[Worker], since_ns: int) -> None:
        short = self._until_acknowledged(writers, since_ns, GOOD_S)
        if short:
            raise Refused(
                f"fewer than 80 % of the writes of 2 s were acknowledged within {GOOD_S:g} s: {'; '.join(short)}"
            )

    # --- probing ------------------------------------------------------------------------------------------------------

    def watch(self, service: str) -> None:
        """Probe a service from everywhere, without writing; return once it is good. Fine when it is watched already.

        Raises:
            Refused: the probes were not good for 3 s.
        """
        self._begin([self._context.estate.service_named(service)], [], [])

    def watch_all(self) -> None:
        """Probe everything that the scenario names. Called before the first strike or operation; fine when it is done already.

        Raises:
            Refused: something of it was not good for 3 s.
        """
        self._begin([], [], [])

    def _begin(self, services: Sequence[Service], databases: Sequence[Database], fresh: list[Worker]) -> None:
        """Probe these, and with them all that the scenario names: their first seconds are waited for together."""
        estate = self._context.estate
        for service in (*services, *(estate.services[s] for s in self._named.services)):
            if service.name not in self._watched:
                self._watched.add(service.name)
                fresh = fresh + self._clients.probe(service)
                self._context.say(f"  clients at every vantage point use service {service.name}")
            if service.database is not None:
                fresh = fresh + self._clients.claims(estate.databases[service.database])
        for database in (*databases, *(estate.databases[d] for d in self._named.databases)):
            fresh = fresh + self._clients.claims(database)
            if database.name not in self._asked:
                self._asked.add(database.name)
                fresh = fresh + self._probe_members(database)
        self._clients.await_ready(fresh)
        # Which members commit is a finding, not a condition: a replica never does.
        streams = [s for w in fresh if w.spec["role"] == "probes" for s in w.spec["streams"]]
        calibrate(self._context, [s for s in streams if s.get("question") != specs.WRITE], self.worker_deaths, GOOD_S)
        self._clients.await_controls(fresh)

    def _probe_members(self, database: Database) -> list[Worker]:
        if not self._context.struck():
            # A login that is refused is tried once here. Clients would try it five times a second, and lock the account.
            silent = [m.words for m in self._context.engine(database.name).members() if m.role == "unknown"]
            if silent:
                raise Refused(f"database {database.name}: no client is sent where nobody answers: {'; '.join(silent)}")
        unknown = [member for member in database.nodes if member not in database.addresses]
        if unknown:
            words = (
                f"{', '.join(unknown)} of database {database.name}: clients do not ask whether it can be read and written, "
                "since the estate file gives it no `address`"
            )
            self._context.journal.write(events.NOTE, words=words)
        workers = self._clients.probe_members(database)
        if workers:
            self._context.say(f"  clients at every vantage point ask the members of database {database.name}")
        return workers

    def _until_acknowledged(self, writers: Sequence[Worker], since_ns: int, within_s: float) -> list[str]:
        """Wait until each of them had 80 % of what was due in 2 s acknowledged; who had not, in words."""
        short: list[str] = []

        def look() -> bool | None:
            self.worker_deaths()
            short.clear()
            for worker in writers:
                name = str(worker.spec["stream"])
                intents, operations = ever_due(*(stream_of(self._context, n) for n in (intents_of(name), name)))
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

    def clean_up(self) -> list[tuple[str, str, str]]:
        """Drop what this drill made in databases: (what, words, what to type) of each that is left. Call it after `stop`."""
        return self._ledgers.drop()


def _quiet(writers: Sequence[Worker], answered: Sequence[Worker]) -> bool | None:
    """True once all of them plan no more writes, and those that are answered have nothing in flight."""
    for worker in writers:
        worker.poll()
    paused = all(w.paused or not w.alive() for w in writers)
    return True if paused and all(w.quiet or not w.alive() for w in answered) else None
