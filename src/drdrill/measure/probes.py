# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Probes of one vantage point: timed attempts of a client, over fresh connections, in the open loop.

All streams of a vantage point share one grid, so that attempt k of each of them is due at the same instant: a client with
a list of endpoints is then simply the best of them. An attempt ends at the latest one second after its latency bound,
counted from its sending: it is bad from the bound on, and the second tells late answers from silence. The bounds of an
outage lean on the ends of good attempts only, so they do not depend on this.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.journal.records import SAMPLE_PACK, UNANSWERED, Seen
from drdrill.measure import http
from drdrill.measure.schedule import SECOND, Grid, missed
from drdrill.measure.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Expected:
    """What a good answer is."""

    status: int
    json: Mapping[str, Any] | None
    served_by: str | None

    def judge(self, answer: http.Answer) -> tuple[Seen, str]:
        """Good or wrong, and a note: who served it, or what was wrong."""
        if answer.status != self.status:
            return Seen.WRONG, f"HTTP {answer.status}"
        if self.json is not None:
            try:
                found = json.loads(answer.body)
            except ValueError:
                return Seen.WRONG, "no JSON"
            if not contains(found, self.json):
                return Seen.WRONG, "other JSON"
        return Seen.GOOD, answer.headers.get(self.served_by.lower(), "") if self.served_by else ""


def contains(found: Any, wanted: Any) -> bool:
    """Whether everything that is wanted is there: keys of objects may be more, everything else is equal."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(k in found and contains(found[k], v) for k, v in wanted.items())
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


class Probe:
    """One stream: from this vantage point to one endpoint."""

    def __init__(self, spec: Mapping[str, Any], folder: Path, grid: Grid) -> None:
        self.grid = grid
        self.kept_ns = grid.due(0)
        self.deaf_ns = 0
        self.latency_ns = round(spec["latency_s"] * SECOND)
        self.target = http.Target.of(spec["address"])
        self.asked = http.request(self.target, spec["method"], spec["path"])
        self.expected = Expected(spec["expect_status"], spec.get("expect_json"), spec.get("served_by"))
        keys = ("service", "vantage", "site", "url", "rate_hz", "latency_s")
        self.sink = Sink(folder, spec["stream"], kind="samples", t0_ns=grid.t0_ns, **{k: spec[k] for k in keys})

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Start an attempt whenever one is due, for ever."""
        k = 0
        while True:
            due = self.grid.due(k)
            await asyncio.sleep((due - time.monotonic_ns()) / SECOND)
            self._awake(time.monotonic_ns())
            if not missed(due, time.monotonic_ns(), self.latency_ns):
                tasks.create_task(self._attempt(k, due))
            k += 1
            self.kept_ns = max(self.kept_ns, self.grid.due(k))

    def _awake(self, now: int) -> None:
        """Count for how long this process did nothing though an attempt was due."""
        self.deaf_ns += max(0, now - self.kept_ns)
        self.kept_ns = max(self.kept_ns, now)

    async def _attempt(self, k: int, due: int) -> None:
        sent, deaf_ns = time.monotonic_ns(), self.deaf_ns
        try:
            seen, status, note = await self._ask()
        except asyncio.CancelledError:
            # Probing stops while it is under way. One that we listened to beyond its bound is bad already: without it a
            # silence that lasts to the end would begin a second later. Of any other nothing is known.
            done = time.monotonic_ns()
            if self._listened(sent, done, deaf_ns) > self.latency_ns:
                self._record((k, due, sent, done), Seen.SILENT, 0, "no answer")
            raise
        done = time.monotonic_ns()
        if seen == Seen.GOOD and done - due > self.latency_ns:
            seen = Seen.LATE
        if seen in UNANSWERED and self._listened(sent, done, deaf_ns) <= self.latency_ns:
            seen = Seen.OWN_DELAY
        self._record((k, due, sent, done), seen, status, note)

    def _listened(self, sent: int, done: int, deaf_ns: int) -> int:
        """For how much of the time between two moments this process can have heard an answer."""
        self._awake(done)
        return done - sent - (self.deaf_ns - deaf_ns)

    def _record(self, times: tuple[int, int, int, int], seen: Seen, status: int, note: str) -> None:
        self.sink.write(SAMPLE_PACK.pack(*times, seen, status, note.encode("ascii", "replace")[:32]))

    async def _ask(self) -> tuple[Seen, int, str]:
        connection = None
        try:
            async with asyncio.timeout(self.latency_ns / SECOND + 1):
                connection = await http.connect(self.target)
                answer = await http.exchange(connection, self.asked)
        except TimeoutError:
            return Seen.SILENT, 0, "no answer" if connection else "no connection"
        except ConnectionRefusedError:
            return Seen.REFUSED, 0, "refused"
        except http.Malformed as error:
            return Seen.WRONG, 0, str(error)
        except (OSError, EOFError) as error:
            if isinstance(error, OSError) and error.errno in http.OURS:
                raise
            return Seen.BROKEN, 0, type(error).__name__
        finally:
            if connection:
                connection.close()
        seen, note = self.expected.judge(answer)
        return seen, answer.status, note


async def run(spec: Mapping[str, Any], folder: Path, t0_ns: int) -> None:
    """Every stream of this vantage point, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for stream in spec["streams"]:
            tasks.create_task(Probe(stream, folder, Grid(t0_ns, stream["rate_hz"])).run(tasks))
