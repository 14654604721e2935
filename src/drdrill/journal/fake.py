# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A drill that never ran, written as a real one is: for the tests of checks and reports, ours and a team's own.

    scene = Scene(folder)
    scene.probes("east", bad=[(10.0, 14.2)])
    scene.writes("east", outcomes=[(10.0, 14.2, Done.UNKNOWN)])
    recording = scene.recording()

All times are seconds after the drill's beginning; an attempt whose scheduled time lies in a bad interval is bad.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.journal import events, records
from drdrill.journal.journal import FILE_NAME, GENESIS, digest
from drdrill.journal.recording import DATA, load
from drdrill.journal.records import Done, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from drdrill.journal.recording import Recording

BEGIN_NS = 1_000_000_000_000
WALL = "2026-11-24T22:00:00+00:00"
"""CLOCK_MONOTONIC when every such drill begins."""


class Scene:
    """Collects what happened, and writes the folder.

    Args:
        folder: of the drill; made if it is not there.
        service: the one service, served by `database` at `sites`.
        end: seconds, when probes and writers stop.
        objectives: overrides of rto_s, latency_s, stable_s, rpo_s, recovery_s, fencing_s.
    """

    def __init__(
        self,
        folder: Path,
        *,
        service: str = "registration",
        database: str = "clinical",
        sites: Sequence[str] = ("east", "south"),
        end: float = 60.0,
        **objectives: float,
    ) -> None:
        self.folder = folder
        self.service = service
        self.database = database
        self.end = end
        self.promised = {
            "rto_s": 15.0,
            "latency_s": 1.0,
            "stable_s": 3.0,
            "rpo_s": 0.0,
            "recovery_s": 60.0,
            "fencing_s": 5.0,
        }
        self.promised |= objectives
        self.sites = tuple(sites)
        self._events: list[tuple[float, str, dict[str, Any]]] = []
        (folder / DATA).mkdir(parents=True, exist_ok=True)
        three = ("rto_s", "latency_s", "stable_s")
        self.event(
            0.0, events.DRILL_BEGUN, drill="20261124-scene", title="A scene", tags=[], steps=[],
            objectives={
                "services": {service: {k: self.promised[k] for k in three} | {"sites": list(sites), "database": database}},
                "databases": {database: {k: v for k, v in self.promised.items() if k not in three}},
            },
        )  # fmt: skip

    @staticmethod
    def ns(at: float) -> int:
        """CLOCK_MONOTONIC nanoseconds of a second of the scene."""
        return BEGIN_NS + round(at * 1e9)

    @staticmethod
    def _all(at: np.ndarray) -> np.ndarray:
        return BEGIN_NS + np.rint(at * 1e9).astype(np.int64)

    def event(self, at: float, kind: str, **data: Any) -> None:
        """One line of the journal."""
        self._events.append((at, kind, data))

    def probes(
        self,
        site: str,
        *,
        vantage: str = "client",
        bad: Sequence[tuple[float, float]] = (),
        seen: Seen = Seen.REFUSED,
        absent: Sequence[tuple[float, float]] = (),
        start: float = 0.0,
        rate: float = 20.0,
        rtt: float = 0.01,
        stopped: bool = True,
    ) -> str:
        """A stream of probes; returns its name. In `absent` intervals nothing was sent."""
        name = f"probe-{vantage}-{self.service}-{site}"
        due = np.arange(start, self.end, 1 / rate)
        outcome = np.where(_inside(due, bad), int(seen), int(Seen.GOOD))
        took = np.where(outcome == Seen.SILENT, self.promised["latency_s"] + 1.0, rtt)
        keep = ~_inside(due, absent)
        self._attempts(name, "samples", due[keep], took[keep], outcome[keep], seq=np.arange(len(due))[keep])
        self.event(
            start, events.PROBES_STARTED, stream=name, service=self.service, vantage=vantage, site=site,
            url=f"http://{site}/", rate_hz=rate, latency_s=self.promised["latency_s"],
        )  # fmt: skip
        self.event(
            start + 3.0, events.PROBES_CALIBRATED, stream=name, from_ns=self.ns(start), to_ns=self.ns(start + 3),
            samples=round(3 * rate), p50_ns=round(rtt * 1e9), p99_ns=round(rtt * 1e9),
        )  # fmt: skip
        self.event(start + 2.0, events.PROBES_CONTROLLED, stream=name, shown=["HTTP 503", "no answer"], believed=[])
        if stopped:
            self.event(self.end, events.WORKER_ENDED, stream=name, status="stopped", words="stopped")
        return name

    def writes(
        self,
        site: str,
        *,
        outcomes: Sequence[tuple[float, float, Done]] = (),
        silent: Sequence[tuple[float, float]] = (),
        start: float = 0.0,
        rate: float = 25.0,
        rtt: float = 0.02,
        stopped: bool = True,
    ) -> str:
        """A writer; returns its stream. Writes are acknowledged but in the given intervals; `silent` were not even due."""
        name = f"write-{self.service}-{site}"
        due = np.arange(start, self.end, 1 / rate)
        due = due[~_inside(due, silent)]
        outcome = np.full(len(due), int(Done.OK))
        for begin, end, what in outcomes:
            outcome[_inside(due, [(begin, end)])] = int(what)
        self._attempts(name, "operations", due, np.full(len(due), rtt), outcome)
        intents = np.zeros(len(due), records.INTENT)
        intents["seq"], intents["due"] = np.arange(len(due)), self._all(due)
        self._save(records.intents_of(name), {"kind": "intents", "stream": name}, intents)
        self.event(
            start, events.WRITES_STARTED, stream=name, service=self.service, database=self.database, site=site, vantage=site,
            rate_hz=rate, latency_s=self.promised["latency_s"], deadline_s=30.0, prefix=self.prefix(name),
        )  # fmt: skip
        if stopped:
            self.event(self.end, events.WORKER_ENDED, stream=name, status="stopped", words="stopped")
        return name

    @staticmethod
    def prefix(stream: str) -> str:
        """What the keys of a writer begin with; the key of write n is this and n."""
        return f"20261124-scene/{stream}/"

    def claims(
        self,
        members: Sequence[str],
        yes: Iterable[tuple[str, float, float]],
        rate: float = 5.0,
        components: Iterable[tuple[str, float, float, int]] | None = None,
    ) -> str:
        """Samples of who claims to be the writer: (member, from, to) for each time that one does.

        `components`: (member, from, to, number) for each time in which one is of a component of several. None: an old stream.
        """
        name = f"claims-{self.database}"
        ticks = np.arange(0.0, self.end, 1 / rate)
        kind = "claims" if components is None else "member-claims"
        found = np.zeros(len(ticks) * len(members), records.KINDS[kind])
        told, of = list(yes), list(components or ())
        for index, member in enumerate(members):
            part = found[index :: len(members)]
            part["seq"], part["member"] = np.arange(len(ticks)), index
            part["due"], part["done"] = self._all(ticks), self._all(ticks + 0.005)
            part["claims"] = _inside(ticks, [(a, b) for m, a, b in told if m == member])
            for _, a, b, number in (c for c in of if c[0] == member):
                part["component"][_inside(ticks, [(a, b)])] = number
        head = {"kind": kind, "stream": name, "database": self.database, "members": list(members), "rate_hz": rate}
        self._save(name, head, found)
        self.event(0.0, events.MEMBERS_WATCHED, database=self.database, stream=name, members=list(members))
        self.event(self.end, events.WORKER_ENDED, stream=name, status="stopped", words="stopped")
        return name

    def strike(
        self,
        hold: str,
        title: str,
        *,
        at: float,
        healed: float | None = None,
        sites: Sequence[str] = (),
        hosts: Sequence[str] = (),
        fault: str = "site-isolated",
        took_hold: bool | None = True,
        held: Sequence[bool | None] = (True, True),
        lapsed: float | None = None,
        needs: Sequence[str] = (),
        quorum_loss: bool = False,
    ) -> None:
        """A fault with its looks and its heal. `needs` are the capabilities that its undo record names."""
        self.event(at - 0.2, events.GUARDED, hold=hold, title=title, quorum_loss=quorum_loss, said=[])
        planned = {"fault": fault, "title": title, "targets": list(hosts), "sites": list(sites), "why": ""}
        undo = {"way_in": dict.fromkeys(needs, "fake")}
        self.event(at - 0.1, events.FAULT_PLANNED, hold=hold, **planned, undo=undo)
        self.event(at + 0.1, events.FAULT_STRUCK, hold=hold, first_ns=self.ns(at), last_ns=self.ns(at + 0.05))
        looked = {"hold": hold, "words": "looked", "counts": {}}
        self.event(at + 0.2, events.FAULT_LOOKED, question="took_hold", answer=took_hold, **looked)
        for n, answer in enumerate(held):
            self.event(at + 0.3 + n / 100, events.FAULT_LOOKED, question="held", answer=answer, **looked)
        if lapsed is not None:
            self.event(lapsed, events.FAULT_LAPSED, hold=hold, at_ns=self.ns(lapsed))
        if healed is not None:
            self.event(healed, events.FAULT_HEALING, hold=hold, reason="sentence")
            self.event(
                healed + 0.1, events.FAULT_HEALED, hold=hold, first_ns=self.ns(healed), last_ns=self.ns(healed + 0.05)
            )

    def operation(self, name: str, title: str, *, at: float, until: float) -> None:
        """A planned move."""
        self.event(at, events.OPERATION_BEGUN, operation=name, id=f"{name}-{at:g}", title=title, first_ns=self.ns(at))
        ended = {"last_ns": self.ns(until), "words": "", "error": None}
        self.event(until, events.OPERATION_ENDED, operation=name, id=f"{name}-{at:g}", **ended)

    def readback(
        self, member: str, keys: Iterable[str] | None, *, at: float, site: str | None = None, phase: str = "end"
    ) -> None:
        """What one member held; None: it could not be read."""
        name = None
        found = None if keys is None else sorted(keys)
        if found is not None:
            name = f"{DATA}/keys-{phase}-{member}.txt"
            (self.folder / name).write_text("".join(f"{k}\n" for k in found))
        self.event(
            at, events.READBACK, database=self.database, member=member, site=site, readable=found is not None,
            words="read" if found is not None else "it does not answer", rows=len(found or ()), digest=None,
            keys_file=name, at_ns=self.ns(at), phase=phase,
        )  # fmt: skip

    def acknowledged(self, stream: str, before: float | None = None) -> list[str]:
        """The keys of the acknowledged writes of a stream."""
        found = np.fromfile(self.folder / DATA / f"{stream}.bin", records.OPERATION)
        good = (found["outcome"] == Done.OK) & (found["done"] <= self.ns(self.end * 2 if before is None else before))
        return [f"{self.prefix(stream)}{seq}" for seq in found["seq"][good]]

    def save(self) -> Path:
        """Write the journal, in the order of time."""
        prev = GENESIS
        lines = []
        for n, (at, kind, data) in enumerate(sorted(self._events, key=lambda e: e[0])):
            line = {"n": n, "t": self.ns(at), "wall": WALL, "kind": kind, "data": data, "prev": prev}
            prev = line["hash"] = digest(line)
            lines.append(json.dumps(line, ensure_ascii=False))
        (self.folder / FILE_NAME).write_text("".join(f"{line}\n" for line in lines))
        return self.folder

    def recording(self) -> Recording:
        """Save and load."""
        return load(self.save())

    def _attempts(
        self,
        name: str,
        kind: str,
        due: np.ndarray,
        took: np.ndarray,
        outcome: np.ndarray,
        *,
        seq: np.ndarray | None = None,
    ) -> None:
        found = np.zeros(len(due), records.KINDS[kind])
        found["seq"] = np.arange(len(due)) if seq is None else seq
        found["due"] = self._all(due)
        found["sent"] = found["due"]
        found["done"] = self._all(due + took)
        found["outcome"] = outcome
        self._save(name, {"kind": kind, "stream": name}, found)

    def _save(self, name: str, head: dict[str, Any], found: np.ndarray) -> None:
        (self.folder / DATA / f"{name}.json").write_text(json.dumps(head))
        found.tofile(self.folder / DATA / f"{name}.bin")


def _inside(times: np.ndarray, intervals: Sequence[tuple[float, float]]) -> np.ndarray:
    """Which of these times lie in one of the intervals, begins included."""
    found = np.zeros(len(times), dtype=bool)
    for begin, end in intervals:
        found |= (times >= begin) & (times < end)
    return found
