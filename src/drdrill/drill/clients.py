# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The measuring processes of a drill: made from the estate, started, announced in the journal, mourned, stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput, Refused
from drdrill.estate.select import serving_sites, vantage_at
from drdrill.journal import events
from drdrill.measure import specs
from drdrill.measure.sql import address_of
from drdrill.measure.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.drill.context import Context
    from drdrill.engines.engine import Address
    from drdrill.estate.model import Database, Estate, Service

START_S: Final = 20.0
"""A measuring process that is not ready after this has failed to start; on an idle machine it takes 0.2 s."""
_PROBES: Final = ("stream", "service", "vantage", "site", "url", "method", "path", "rate_hz", "latency_s")
_MEMBERS: Final = ("stream", "database", "member", "site", "question", "vantage", "rate_hz", "latency_s")
_WRITES: Final = ("stream", "service", "database", "site", "vantage", "rate_hz", "latency_s", "deadline_s", "prefix")


class Clients:
    """Owns the measuring processes; nothing else starts or ends one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.workers: dict[str, Worker] = {}
        self._mourned: set[str] = set()

    # --- making -------------------------------------------------------------------------------------------------------

    def probe(self, service: Service) -> list[Worker]:
        """One process for each vantage point: the client network probes every endpoint, a site its own.

        Raises:
            BadInput: there is no vantage point.
        """
        estate = self._context.estate
        places = [(vantage_at(estate, None), tuple(service.endpoints))]
        places += [(vantage_at(estate, s), (s,)) for s in serving_sites(estate) if s in service.endpoints]
        fresh = []
        for vantage, sites in places:
            if vantage is None:
                continue
            streams = [
                specs.probe_stream(service, vantage, s, self._address(vantage, service.endpoints[s])) for s in sites
            ]
            fresh.append(self._start(f"probe-{vantage}-{service.name}", specs.probe_spec(streams), vantage))
        if not fresh:
            raise BadInput(
                f'{estate.path}: there is no vantage point from which service "{service.name}" could be probed'
            )
        return fresh

    def write(self, service: Service, rate_hz: float) -> list[Worker]:
        """One process for each site that serves, at its vantage point. Raises BadInput when a site has none."""
        estate = self._context.estate
        fresh = []
        for site in serving_sites(estate):
            if site not in service.endpoints:
                continue
            vantage = vantage_at(estate, site)
            if vantage is None:
                raise BadInput(f'{estate.path}: site "{site}" has no vantage point, so nothing can write there')
            address = self._address(vantage, service.endpoints[site])
            spec = specs.write_spec(service, site, vantage, address, rate_hz=rate_hz, drill=self._context.id)
            fresh.append(self._start(spec["stream"], spec, vantage))
        return fresh

    def probe_members(self, database: Database) -> list[Worker]:
        """One process for each vantage point: the client network asks every member that has an address, a site its own."""
        estate = self._context.estate
        places: list[tuple[str | None, list[str]]] = [(vantage_at(estate, None), list(database.addresses))]
        places += [
            (vantage_at(estate, site), [m for m in database.addresses if estate.hosts[m].site == site])
            for site in serving_sites(estate)
        ]
        fresh = []
        for vantage, members in places:
            if vantage is None or not members:
                continue
            addresses = self._addresses(database, vantage, members)
            spec = specs.member_probe_spec(estate, database, vantage, addresses)
            fresh.append(self._start(f"probe-{vantage}-{database.name}-members", spec, vantage))
        return fresh

    def write_to(self, database: Database, rate_hz: float, table: str) -> list[Worker]:
        """One process for each site that serves, at its vantage point. Raises BadInput when a site has none."""
        estate = self._context.estate
        fresh = []
        for site in serving_sites(estate):
            vantage = vantage_at(estate, site)
            if vantage is None:
                raise BadInput(f'{estate.path}: site "{site}" has no vantage point, so nothing can write there')
            addresses = self._addresses(database, vantage, members_for(estate, database, site))
            spec = specs.write_to_spec(
                estate, database, site, vantage, addresses, table=table, rate_hz=rate_hz, drill=self._context.id
            )
            fresh.append(self._start(spec["stream"], spec, vantage))
        return fresh

    def _addresses(self, database: Database, vantage: str, members: Sequence[str]) -> dict[str, Address]:
        """Where a client at this vantage point finds these members."""
        return {m: address_of(self._address(vantage, database.addresses[m])) for m in members}

    def claims(self, database: Database) -> list[Worker]:
        """Who claims to be the writer is asked from where the runner is, through the management path."""
        spec = specs.claims_spec(self._context.estate, database)
        return [] if spec["stream"] in self.workers else [self._start(spec["stream"], spec, None)]

    def _address(self, vantage: str, url: str) -> str:
        return self._context.vantages().address(vantage, url)

    def _start(self, name: str, spec: Mapping[str, Any], vantage: str | None) -> Worker:
        folder = self._context.folder
        if vantage is None:
            worker = Worker(name, spec, folder)
        else:
            vantages = self._context.vantages()
            worker = Worker(name, spec, folder, lambda argv: vantages.command(vantage, argv), waits=True)
        self.workers[name] = worker
        return worker

    # --- living -------------------------------------------------------------------------------------------------------

    def of(self, role: str) -> list[Worker]:
        """Those with this role: probes, writes or claims."""
        return [w for w in self.workers.values() if w.spec["role"] == role]

    def await_ready(self, fresh: Sequence[Worker]) -> None:
        """Wait until all have loaded, let them begin together, and write down what each of them measures.

        Raises:
            Refused: one ended, or did not begin in time.
        """
        self._await(fresh, lambda worker: worker.loaded)
        for worker in fresh:
            if not worker.ready:
                worker.go()
        self._await(fresh, lambda worker: worker.ready)
        for worker in fresh:
            self._announce(worker.spec)

    def _await(self, fresh: Sequence[Worker], there: Callable[[Worker], bool]) -> None:
        def look() -> bool | None:
            for worker in fresh:
                worker.poll()
                if death := worker.death():
                    raise Refused(f"the measuring cannot begin: {death}")
            return True if all(there(w) for w in fresh) else None

        if not self._context.wait_until(look, START_S, "the measuring to begin"):
            late = ", ".join(w.name for w in fresh if not there(w))
            raise Refused(f"the measuring did not begin within {START_S:g} s: {late}")

    def await_controls(self, fresh: Sequence[Worker]) -> None:
        """Wait until the probes among them were shown wrong answers, and write down what they made of them.

        Raises:
            Refused: one took a wrong answer for right, or the showing did not end. Such probes see no outage.
        """
        probes = [w for w in fresh if w.spec["role"] == "probes"]

        def look() -> bool | None:
            for worker in probes:
                worker.poll()
            return True if all(w.controls is not None or not w.alive() for w in probes) else None

        self._context.wait_until(look, START_S, "the probes to be shown wrong answers")
        for worker in probes:
            for told in worker.controls or ():
                self._context.journal.write(events.PROBES_CONTROLLED, **told)
        late = [w.name for w in probes if w.controls is None]
        believed = [
            f"{c['stream']} ({', '.join(c['believed'])})" for w in probes for c in w.controls or () if c["believed"]
        ]
        if late:
            raise Refused(
                f"the probes were not shown wrong answers within {START_S:g} s, so nobody knows what they see: {', '.join(late)}"
            )
        if believed:
            raise Refused(
                f"a probe takes a wrong answer for right, so it would see no outage; look at `probe.expect` and at what measures: "
                f"{'; '.join(believed)}"
            )

    def _announce(self, spec: Mapping[str, Any]) -> None:
        journal, estate = self._context.journal, self._context.estate
        match spec["role"]:
            case "probes":
                for stream in spec["streams"]:
                    kind, keys = (
                        (events.MEMBERS_PROBED, _MEMBERS) if "member" in stream else (events.PROBES_STARTED, _PROBES)
                    )
                    told = {k: stream[k] for k in keys}
                    journal.write(kind, **told, vantage_site=estate.vantage[stream["vantage"]].site)
            case "writes":
                journal.write(events.WRITES_STARTED, **{k: spec[k] for k in _WRITES})
            case _:
                members = sorted(estate.databases[spec["database"]].nodes)
                told = {"database": spec["database"], "stream": spec["stream"], "members": members}
                journal.write(events.MEMBERS_WATCHED, **told)

    def deaths(self, *roles: str) -> list[str]:
        """What is known of each process that ended by itself, of these roles or of all; written down when first seen."""
        found = []
        for worker in self.workers.values():
            worker.poll()
            death = worker.death()
            if death is None:
                continue
            if not roles or worker.spec["role"] in roles:
                found.append(death)
            if worker.name not in self._mourned:
                self._mourned.add(worker.name)
                self._context.say(f"  NOT MEASURED any more: {death}")
                for stream in worker.streams:
                    self._context.journal.write(events.WORKER_ENDED, stream=stream, status="died", words=death)
        return found

    def stop(self) -> None:
        """End all of them, at once. May be called twice, and with nothing started."""
        self.deaths()
        ending = [w for w in self.workers.values() if not w.stopped]
        for worker in ending:
            worker.ask_to_stop()
        for worker in ending:
            worker.stop()
            if worker.name not in self._mourned:
                for stream in worker.streams:
                    words = "the drill stopped it"
                    self._context.journal.write(events.WORKER_ENDED, stream=stream, status="stopped", words=words)


def members_for(estate: Estate, database: Database, site: str) -> list[str]:
    """The members that a writing client at a site knows, those of its own site first.

    Where one member writes at a time a client knows all of them and finds out which, as a list of hosts in a connection string
    does; else it knows the one that the estate file gives its site.
    """
    if database.write != "writer":
        return [database.write[site]] if site in database.write else []
    return sorted(database.addresses, key=lambda member: estate.hosts[member].site != site)
