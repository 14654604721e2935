# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Probes of the members of a database from one vantage point: can it be read there, and does it commit there?

One stream for each question and member. Attempts start on a grid whatever became of the ones before; each asks over the one
kept session of its stream. An attempt that finds the session busy waits for it, and is bad when its own time is over: its
latency counts from when it was due. After an error the next attempt opens a fresh session. A statement that nobody answers
keeps the session for as long as an attempt may take and is then left alone, so that a server whose commits hang gets one more
session in that time from each stream, not five in a second.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from drdrill.connect.sql import SqlFailed
from drdrill.journal.records import SAMPLE_PACK, Seen
from drdrill.measure.schedule import SECOND, Grid, missed
from drdrill.measure.sink import Sink
from drdrill.measure.sql import engine_of, raise_ours, short
from drdrill.measure.writes import CONNECT_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.engines.client import ClientSession, SqlClient

READ_ONLY = "read-only"
"""The note of an attempt to write that a member answered in time, saying that it only reads."""
HEAD = ("database", "member", "question", "vantage", "site", "rate_hz", "latency_s")

Saw = tuple[Seen, str]


class SqlProbe:
    """One stream: one question, to one member."""

    def __init__(self, spec: Mapping[str, Any], folder: Path, grid: Grid, client: SqlClient) -> None:
        self._grid = grid
        self._latency_ns = round(spec["latency_s"] * SECOND)
        self._limit_s = spec["latency_s"] + 1
        self._member = spec["member"]
        self._question = spec["question"]
        self._client = client
        self._session: ClientSession | None = None
        self._turn = asyncio.Lock()
        self.sink = Sink(folder, spec["stream"], kind="samples", t0_ns=grid.t0_ns, **{k: spec[k] for k in HEAD})

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Start an attempt whenever one is due, for ever."""
        k = 0
        while True:
            due = self._grid.due(k)
            await asyncio.sleep((due - time.monotonic_ns()) / SECOND)
            if not missed(due, time.monotonic_ns(), self._latency_ns):
                tasks.create_task(self._attempt(k, due, tasks))
            k += 1

    async def _attempt(self, k: int, due: int, tasks: asyncio.TaskGroup) -> None:
        sent = time.monotonic_ns()
        begun = asyncio.Event()
        asking = tasks.create_task(self._ask(begun))
        answered, _ = await asyncio.wait({asking}, timeout=self._limit_s)
        done = time.monotonic_ns()
        seen, note = asking.result() if answered else (Seen.SILENT, "no answer")
        if not answered and not begun.is_set():
            asking.cancel()  # It only waited for the session.
        if seen == Seen.GOOD and done - due > self._latency_ns:
            seen = Seen.LATE
        self.sink.write(SAMPLE_PACK.pack(k, due, sent, done, seen, 0, note.encode("ascii", "replace")[:32]))

    async def _ask(self, begun: asyncio.Event) -> Saw:
        """Take the session, ask, and give it back or close it."""
        async with self._turn:
            begun.set()
            session, self._session = self._session, None
            try:
                if session is not None and session.stale:
                    session.close()
                    session = None
                async with asyncio.timeout(self._limit_s):
                    if session is None:
                        async with asyncio.timeout(CONNECT_S):
                            session = await self._client.reach(self._member)
                    saw = await self._answer(session)
                self._session, session = session, None
            except TimeoutError:
                return Seen.SILENT, "no answer" if session else "no session"
            except SqlFailed as error:
                raise_ours(error)
                note = short(error)
                return Seen.WRONG if error.code else Seen.REFUSED if note == "refused" else Seen.BROKEN, note
            finally:
                if session is not None:
                    session.close()
            return saw

    async def _answer(self, session: ClientSession) -> Saw:
        if self._question == "read":
            return Seen.GOOD, "writer" if await session.accepts_writes() else "replica"
        return (Seen.GOOD, "") if await session.commit() else (Seen.WRONG, READ_ONLY)


class SqlProbes:
    """Every stream of one vantage point.

    Args:
        spec: see `specs.member_probe_spec`.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        _, self._client = engine_of(spec)

    async def run(self, folder: Path, t0_ns: int) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for stream in self._spec["streams"]:
                probe = SqlProbe(stream, folder, Grid(t0_ns, stream["rate_hz"]), self._client)
                tasks.create_task(probe.run(tasks))
