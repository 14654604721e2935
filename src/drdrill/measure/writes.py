# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One writer: numbered writes through a service, with their intent on disk first and their outcome after.

It never repeats a write. An outcome is ok only when the service said so, fail only when the write surely did not happen
(no connection, or the service refused it), and unknown else.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from drdrill.journal.records import INTENT_PACK, OPERATION_PACK, Done, intents_of
from drdrill.measure import http
from drdrill.measure.schedule import SECOND, Grid, missed
from drdrill.measure.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GROUP_NS: Final = SECOND // 10
"""Intents are written and synced in groups of this length, one group ahead of their sending."""
CONNECT_S: Final = 2.0
PATIENCE: Final = 4
"""After this many latency bounds without an answer a write gives its slot to a fresh connection."""


def classify(status: int, body: bytes, key: str, ok: int) -> tuple[Done, str]:
    """What an answer says about its write.

    409 with our own key is ok: we never repeat a write and no other has this key, so a proxy on the way repeated it, and the
    first try succeeded. Any other 4xx is a refusal. Everything else leaves open what happened behind the answer.
    """
    if status == ok:
        return Done.OK, ""
    if status == 409 and key.encode() in body:  # noqa: PLR2004 - HTTP Conflict
        return Done.OK, "409 with our own key"
    return (Done.FAIL if 400 <= status < 500 else Done.UNKNOWN), f"HTTP {status}"  # noqa: PLR2004 - 4xx


class Writer:
    """The writer of one site, by one way of writing.

    Args:
        spec: see `workers.write_spec`.
        folder: the data folder of the drill.
        t0_ns: when the first write is due.
        say: takes the status lines for the runner.
    """

    def __init__(self, spec: Mapping[str, Any], folder: Path, t0_ns: int, say: Callable[..., None]) -> None:
        self.spec = spec
        self.say = say
        self.grid = Grid(t0_ns, spec["rate_hz"])
        self.target = http.Target.of(spec["address"])
        self.latency_ns = round(spec["latency_s"] * SECOND)
        self.slots: list[http.Connection | None] = [None] * spec["connections"]
        self.in_flight = 0
        self.seq = 0
        self._pause_n = 0
        self._go = asyncio.Event()
        self._go.set()
        self._quiet = asyncio.Event()
        keys = ("service", "database", "site", "vantage", "url", "rate_hz", "latency_s", "deadline_s", "prefix")
        head = {k: spec[k] for k in keys} | {"t0_ns": t0_ns, "writer": spec["stream"]}
        self.intents = Sink(folder, intents_of(spec["stream"]), kind="intents", **head)
        self.operations = Sink(folder, spec["stream"], kind="operations", **head)

    def pause(self, n: int) -> None:
        """Plan no further writes; those of the group that is planned are still sent. `n` is told with every status of it."""
        self._pause_n = n
        self._go.clear()

    def resume(self) -> None:
        """Go on with the next number, on the same grid."""
        if not self._go.is_set():
            self._go.set()
            self.say(status="resumed")

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Plan a group, wait until its intents are on disk, send it; for ever."""
        k = 0
        sending: asyncio.Task[None] | None = None
        while True:
            if not self._go.is_set():
                await self._paused(sending)
                k = self.grid.first_at(time.monotonic_ns() + GROUP_NS)
            begin = self.grid.due(k)
            group = []
            while (due := self.grid.due(k)) < begin + GROUP_NS:
                group.append((self.seq, due))
                self.seq += 1
                k += 1
            self.intents.write(b"".join(INTENT_PACK.pack(*write) for write in group))
            # The disk may be slow; the writes of the group before must not wait for it.
            await asyncio.to_thread(self.intents.sync)
            sending = tasks.create_task(self._send(group, tasks))
            await asyncio.sleep((begin - time.monotonic_ns()) / SECOND)

    async def _paused(self, sending: asyncio.Task[None] | None) -> None:
        if sending:
            await sending
        told = {"mark": self.seq - 1, "n": self._pause_n}
        self.say(status="paused", **told)
        self._quiet.clear()
        if self.in_flight:
            waits = {asyncio.ensure_future(self._quiet.wait()), asyncio.ensure_future(self._go.wait())}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if not self.in_flight:
            self.say(status="quiet", **told)
        await self._go.wait()

    async def _send(self, group: list[tuple[int, int]], tasks: asyncio.TaskGroup) -> None:
        for seq, due in group:
            await asyncio.sleep((due - time.monotonic_ns()) / SECOND)
            now = time.monotonic_ns()
            if missed(due, now, self.latency_ns):
                self._record((seq, due), 0, Done.UNSENT, 0, "too late to be sent")
            elif not self.slots:
                self._record((seq, due), 0, Done.UNSENT, 0, "no free connection")
            else:
                self.in_flight += 1
                tasks.create_task(self._write(seq, due, self.slots.pop()))

    async def _write(self, seq: int, due: int, connection: http.Connection | None) -> None:
        """One write, from its sending to its outcome."""
        slot = _Slot(self.slots)
        timer = asyncio.get_running_loop().call_later(PATIENCE * self.latency_ns / SECOND, slot.give, None)
        sent = time.monotonic_ns()
        outcome, status, note = Done.UNKNOWN, 0, "stopped before its answer"
        try:
            if connection is not None and connection.stale:
                connection.close()
                connection = None
            if connection is None:
                async with asyncio.timeout(CONNECT_S):
                    connection = await http.connect(self.target)
            outcome, status, note, connection = await self._asked(seq, connection)
        except (OSError, TimeoutError) as error:  # from connecting only: nothing was sent
            if isinstance(error, OSError) and error.errno in http.OURS:
                raise
            outcome, note = Done.FAIL, "no connection" if isinstance(error, TimeoutError) else type(error).__name__
        finally:
            timer.cancel()
            slot.give(connection)
            self._record((seq, due), sent, outcome, status, note)
            self.in_flight -= 1
            if not self.in_flight:
                self._quiet.set()

    async def _asked(self, seq: int, connection: http.Connection) -> tuple[Done, int, str, http.Connection | None]:
        """Send it over an open connection. From here on only an answer makes it ok or fail."""
        key = f"{self.spec['prefix']}{seq}"
        path = self.spec["path"].replace("{key}", quote(key, safe=""))
        body = self.spec["body"].replace("{key}", key).encode()
        asked = http.request(self.target, self.spec["method"], path, body, self.spec["content_type"], keep=True)
        try:
            async with asyncio.timeout(self.spec["deadline_s"]):
                answer = await http.exchange(connection, asked)
        except TimeoutError:
            connection.close()
            return Done.UNKNOWN, 0, "no answer", None
        except (OSError, EOFError, http.Malformed) as error:
            connection.close()
            return Done.UNKNOWN, 0, type(error).__name__, None
        outcome, note = classify(answer.status, answer.body, key, self.spec["ok"])
        if not answer.keep:
            connection.close()
            return outcome, answer.status, note, None
        return outcome, answer.status, note, connection

    def _record(self, write: tuple[int, int], sent: int, outcome: Done, status: int, note: str) -> None:
        done = time.monotonic_ns()
        note_ = note.encode("ascii", "replace")[:32]
        self.operations.write(OPERATION_PACK.pack(*write, sent, done, outcome, status, note_))


class _Slot:
    """The place that a write holds among the connections; it is given back once."""

    def __init__(self, slots: list[http.Connection | None]) -> None:
        self._slots = slots
        self._given = False

    def give(self, connection: http.Connection | None) -> None:
        """Give the place back with this connection, or close the connection when the place is given already."""
        if not self._given:
            self._given = True
            self._slots.append(connection)
        elif connection is not None:
            connection.close()
