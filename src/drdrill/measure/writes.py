# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One writer: numbered writes, with their intent on disk first and their outcome after. How one is sent is its `Way`.

It never repeats a write. An outcome is ok only when the other side said so, fail only when the write surely did not happen
(no connection, or it was refused), and unknown else.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from drdrill.journal.records import INTENT_PACK, NOT_DUE, OPERATION_PACK, TOO_LATE, Done, intents_of
from drdrill.measure import http
from drdrill.measure.schedule import SECOND, Grid, missed
from drdrill.measure.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GROUP_NS: Final = SECOND // 10
"""Intents are written and synced in groups of this length."""
AHEAD_NS: Final = 20 * GROUP_NS
"""So long before it is due a group is planned. No write is to wait for the disk, and one that others keep busy was seen to take
1.1 s for a sync. What is planned when the writer pauses or stops, and not due yet, is never sent."""
CONNECT_S: Final = 2.0
PATIENCE: Final = 4
"""After this many latency bounds without an answer a write gives its slot to a fresh connection."""


class Open(Protocol):
    """A connection that is open."""

    @property
    def stale(self) -> bool:
        """Whether it can be used no more."""

    def close(self) -> None:
        """At once."""


class Told(NamedTuple):
    """What became of one write: its outcome, the status of an answer, a note, and the connection if it can be used again."""

    outcome: Done
    status: int
    note: str
    connection: Any = None


class NotConnected(ConnectionError):
    """There is no connection, so nothing was sent; the words say why."""


class Way(Protocol):
    """How writes are sent: through a service by HTTP, or into a database by SQL."""

    async def connect(self) -> Open:
        """Open a connection. Raises OSError, as `NotConnected` with words of its own; the writer sets the deadline."""

    async def write(self, connection: Any, key: str) -> Told:
        """Send one write over it. From here on only an answer makes it ok or fail. Closes what cannot be used again."""


class Writer:
    """The writer of one site, by one way of writing.

    Args:
        spec: see `specs.write_spec` and `specs.write_to_spec`.
        folder: the data folder of the drill.
        t0_ns: when the first write is due.
        say: takes the status lines for the runner.
        way: how writes are sent.
    """

    def __init__(self, spec: Mapping[str, Any], folder: Path, t0_ns: int, say: Callable[..., None], way: Way) -> None:
        self.spec = spec
        self.way = way
        self.say = say
        self.grid = Grid(t0_ns, spec["rate_hz"])
        self.latency_ns = round(spec["latency_s"] * SECOND)
        self.slots: list[Open | None] = [None] * spec["connections"]
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
        """Send no further writes; those in flight are waited for. `n` is told with every status of it."""
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
        planned: set[asyncio.Task[None]] = set()
        while True:
            if not self._go.is_set():
                await self._paused(planned)
                k = self.grid.first_at(time.monotonic_ns() + GROUP_NS)
            begin = self.grid.due(k)
            group = []
            while (due := self.grid.due(k)) < begin + GROUP_NS:
                group.append((self.seq, due))
                self.seq += 1
                k += 1
            self.intents.write(b"".join(INTENT_PACK.pack(*write) for write in group))
            # The disk may be slow; the writes of the groups before must not wait for it.
            await asyncio.to_thread(self.intents.sync)
            sending = tasks.create_task(self._send(group, tasks))
            planned.add(sending)
            sending.add_done_callback(planned.discard)
            await asyncio.sleep((begin + GROUP_NS - AHEAD_NS - time.monotonic_ns()) / SECOND)

    async def _paused(self, planned: set[asyncio.Task[None]]) -> None:
        dropped = list(planned)
        for sending in dropped:
            sending.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)
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
        for at, (seq, due) in enumerate(group):
            try:
                await asyncio.sleep((due - time.monotonic_ns()) / SECOND)
            except asyncio.CancelledError:
                for write in group[at:]:
                    self._record(write, 0, Done.UNSENT, 0, NOT_DUE.decode())
                raise
            now = time.monotonic_ns()
            if missed(due, now, self.latency_ns):
                self._record((seq, due), 0, Done.UNSENT, 0, TOO_LATE.decode())
            elif not self.slots:
                self._record((seq, due), 0, Done.UNSENT, 0, "no free connection")
            else:
                self.in_flight += 1
                tasks.create_task(self._write(seq, due, self.slots.pop()))

    async def _write(self, seq: int, due: int, connection: Open | None) -> None:
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
                    connection = await self.way.connect()
            outcome, status, note, connection = await self.way.write(connection, f"{self.spec['prefix']}{seq}")
        except (OSError, TimeoutError) as error:  # from connecting only: nothing was sent
            if isinstance(error, OSError) and error.errno in http.OURS:
                raise
            outcome, note = Done.FAIL, _why(error)
        finally:
            timer.cancel()
            slot.give(connection)
            self._record((seq, due), sent, outcome, status, note)
            self.in_flight -= 1
            if not self.in_flight:
                self._quiet.set()

    def _record(self, write: tuple[int, int], sent: int, outcome: Done, status: int, note: str) -> None:
        done = time.monotonic_ns()
        note_ = note.encode("ascii", "replace")[:32]
        self.operations.write(OPERATION_PACK.pack(*write, sent, done, outcome, status, note_))


def _why(error: Exception) -> str:
    if isinstance(error, NotConnected):
        return str(error)
    return "no connection" if isinstance(error, TimeoutError) else type(error).__name__


class _Slot:
    """The place that a write holds among the connections; it is given back once."""

    def __init__(self, slots: list[Open | None]) -> None:
        self._slots = slots
        self._given = False

    def give(self, connection: Open | None) -> None:
        """Give the place back with this connection, or close the connection when the place is given already."""
        if not self._given:
            self._given = True
            self._slots.append(connection)
        elif connection is not None:
            connection.close()
