# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A drill for the nouns: a real journal and real measuring processes against a scripted service, and a database in memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from drdrill.checkers.verdict import Verdict
from drdrill.connect.capabilities import Look
from drdrill.connect.fake import FakeVantages
from drdrill.engines.engine import Member
from drdrill.errors import WayInFailed
from drdrill.estate.load import load as load_estate
from drdrill.journal import events
from drdrill.journal.journal import Journal
from drdrill.journal.recording import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scripted import Script

    from drdrill.checkers.verdict import Judgement

ESTATE = """
estate: bench
sites:
  east: {campus: East, aka: [primary site]}
  south: {campus: South}
vantage: {client: {at: fake}, east: {at: fake, site: east}, south: {at: fake, site: south}}
hosts:
  east-db1: {site: east, role: database, power: [fake], links: [fake]}
  south-db1: {site: south, role: database, power: [fake], links: [fake]}
  client: {role: client, links: [fake]}
services:
  registration:
    aka: [admission]
    endpoints: {east: EAST, south: SOUTH}
    database: clinical
    served_by: {writer: clinical}
    probe: {method: GET, path: /healthz, expect: {status: 200, json: {ready: true}}}
    write: {method: POST, path: /registrations, body: '{"key": "{key}"}', ok: 201}
    rto: 5 s
    latency: 500 ms
    stable: 1 s
databases:
  clinical:
    engine: fake
    rpo: 0 s
    fencing: 1 s
    recovery: 3 s
    tables: {registrations: {key: key}}
    nodes: {east-db1: {}, south-db1: {}}
    write: writer
limits: {sites_down: 1, hosts_down: 1, longest_fault: 10 min}
"""


class Bench:
    """The one implementation of Context in these tests."""

    def __init__(self, folder: Path, east: Script, south: Script) -> None:
        path = folder / "estate.yaml"
        path.write_text(ESTATE.replace("EAST", east.url).replace("SOUTH", south.url))
        self.id = "20261124-bench"
        self.estate = load_estate(str(path))
        self.folder = folder / "drill"
        self.journal = Journal(self.folder)
        self.database = MemoryDatabase(self, east, south)
        self.concluded: list[Judgement] = []
        self.said: list[str] = []
        self.fed = 0
        self.step = 0
        service, database = self.estate.services["registration"], self.estate.databases["clinical"]
        promised = {k: getattr(service, k) for k in ("rto_s", "latency_s", "stable_s")}
        kept = {k: getattr(database, k) for k in ("rpo_s", "recovery_s", "fencing_s")}
        objectives = {"services": {"registration": promised}, "databases": {"clinical": kept}}
        self.journal.write(events.DRILL_BEGUN, drill=self.id, objectives=objectives)

    def engine(self, database: str) -> Any:
        assert database == "clinical"
        return self.database

    def vantages(self) -> Any:
        return FakeVantages(self.estate)

    def wait_until(self, look: Callable[[], Any], deadline_s: float, words: str) -> Any:
        self.said.append(words)
        until = time.monotonic() + deadline_s
        while (found := look()) is None and time.monotonic() < until:
            time.sleep(0.05)
        return found

    def feed(self) -> None:
        self.fed += 1

    def conclude(self, judgement: Judgement) -> None:
        self.concluded.append(judgement)
        self.journal.write(
            events.CHECK, check=judgement.name, title=judgement.title, verdict=str(judgement.verdict), message=judgement.message,
            counts=dict(judgement.counts), saw=dict(judgement.saw),
            witnesses=list(judgement.witnesses[:50]), witnesses_total=len(judgement.witnesses),
            phase=self.phase(),
        )  # fmt: skip
        if judgement.verdict is Verdict.FAIL:
            raise AssertionError(judgement.message)

    def recording(self) -> Any:
        return load(self.folder)

    def say(self, words: str) -> None:
        self.said.append(words)

    def phase(self) -> str:
        return str(self.step)

    def struck(self) -> bool:
        return bool(self.recording().timeline.strikes)

    def strike(self, hold: str, *sites: str) -> None:
        """Write a strike into the journal, as a hold does."""
        title = f'site "{sites[0]}" is isolated' if sites else "something is struck"
        self.journal.write(
            events.FAULT_PLANNED, hold=hold, fault="site-isolated", title=title, targets=[], sites=list(sites), why=""
        )
        self.journal.write(events.FAULT_ARMED, hold=hold, lease_s=3.0, hard_end_s=600)
        now = time.monotonic_ns()
        self.journal.write(events.FAULT_STRUCK, hold=hold, first_ns=now, last_ns=now)
        self.journal.write(events.FAULT_LOOKED, hold=hold, question="took_hold", answer=True, words="seen", counts={})
        self.journal.write(events.FAULT_LOOKED, hold=hold, question="held", answer=True, words="seen", counts={})

    def heal(self, hold: str) -> None:
        self.journal.write(events.FAULT_HEALING, hold=hold, reason="sentence")
        now = time.monotonic_ns()
        self.journal.write(events.FAULT_HEALED, hold=hold, first_ns=now, last_ns=now)


class MemoryDatabase:
    """An engine whose members hold what the two scripted services acknowledged, but for what a test takes away."""

    def __init__(self, bench: Bench, east: Script, south: Script) -> None:
        self.bench = bench
        self.scripts = (east, south)
        self.lost: set[str] = set()
        self.behind: dict[str, set[str]] = {}
        self.unreadable: dict[str, str] = {}
        self.unsettled: dict[str, bool | None] = {}
        self.headless = False

    def members(self) -> list[Member]:
        return [
            Member(host, site, role, healthy=True, in_step=True, lag_bytes=0, words="asked")
            for host, site, role in (("east-db1", "east", "writer"), ("south-db1", "south", "replica"))
        ]

    def position(self) -> str:
        if self.headless:
            raise WayInFailed("nobody claims to be the writer")
        return "0/1"

    def settled(self, host: str, since: str) -> Look:
        assert since == "0/1"
        answer = self.unsettled.get(host, True)
        return Look(answer, "has everything" if answer else "lacks 12 bytes")

    def readable(self, host: str) -> Look:
        return Look(host not in self.unreadable, self.unreadable.get(host, "reads"))

    def keys(self, host: str, table: str, column: str, prefix: str) -> Iterator[str]:
        assert (table, column) == ("registrations", "key")
        gone = self.lost | self.behind.get(host, set())
        rows = [k for script in self.scripts for k in script.rows()]
        return iter(sorted(k for k in rows if k.startswith(prefix) and k not in gone))
