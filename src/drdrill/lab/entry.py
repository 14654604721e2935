# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's service entry: one port for clients of a site, in front of two applications. `python -m drdrill.lab.entry CONFIG`.

It sends each connection to its own site's application, and to the other site's while its own does not say that it is ready.
Each application is asked on its own clock. When the target changes, sessions to an application that is not ready any more are
dropped; those to one that is may end by themselves, so the way back after a heal costs no client a request. While none is
ready the own one gets the connections: its 503 says more than a closed port would.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from drdrill.lab.ask import get

_ASK_S: Final = 1.0
_CALM_S: Final = 0.5
_EAGER_S: Final = 0.2
_FALL: Final = 2


class _Side(asyncio.Protocol):
    """One end of a client's session; what it receives goes to the other end."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.other: _Side | None = None
        self.early: list[bytes] = []
        self.ended = False
        self.app: int | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise
        self.transport = transport
        self.entry.sides.add(self)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.early.append(data)
        else:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if self.other is None:
            return False
        if self.other.ended:
            self.other.transport.close()
            return False
        if not self.other.transport.is_closing():
            self.other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.entry.sides.discard(self)
        if self.other is not None and not self.other.transport.is_closing():
            if exc is None:
                self.other.transport.close()
            else:
                self.other.transport.abort()

    def join(self, other: _Side) -> None:
        """From now on what one receives the other sends."""
        self.other, other.other = other, self
        for data in self.early:
            other.transport.write(data)
        self.early.clear()


class _Client(_Side):
    """The client's end: its arrival opens the connection to the application."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.entry.keep(asyncio.create_task(self._open()))

    async def _open(self) -> None:
        self.app = self.entry.target
        try:
            async with asyncio.timeout(_ASK_S):
                _, side = await asyncio.get_running_loop().create_connection(
                    lambda: _Side(self.entry), "127.0.0.1", self.app
                )
        except (OSError, TimeoutError):
            self.transport.abort()
            return
        if self.transport.is_closing():
            side.transport.abort()
        else:
            self.join(side)


class Entry:
    """The entry of one site.

    Args:
        own: the port of its own site's application, as this host reaches it.
        backup: the port of the other site's.
    """

    def __init__(self, own: int, backup: int) -> None:
        self.apps = (own, backup)
        self.target = own
        self.sides: set[_Side] = set()
        self._ready = dict.fromkeys(self.apps, False)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, port: int) -> None:
        """Serve until cancelled."""
        server = await asyncio.get_running_loop().create_server(lambda: _Client(self), "127.0.0.1", port, backlog=512)
        async with server, asyncio.TaskGroup() as group:
            for app in self.apps:
                group.create_task(self.watch(app))

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def watch(self, app: int) -> None:
        """Ask one application for ever whether it is ready, and choose anew when its answer changes."""
        misses = 0
        while True:
            status, _ = await get(app, "/healthz", _ASK_S)
            misses = 0 if status == 200 else misses + 1  # noqa: PLR2004 - OK
            if misses in (0, _FALL):
                self._ready[app] = misses == 0
                self._choose()
            await asyncio.sleep(_CALM_S if self._ready[app] else _EAGER_S)

    def _choose(self) -> None:
        target = next((app for app in self.apps if self._ready[app]), self.apps[0])
        self.target = target
        for side in list(self.sides):
            if side.app is not None and side.app != target and not self._ready[side.app]:
                side.transport.abort()


def main() -> None:
    """Serve until a signal."""
    config = json.loads(Path(sys.argv[1]).read_text())
    kind = Entry
    if config["flaws"]:
        from drdrill.lab import flawed  # noqa: PLC0415 - what is wrong on purpose is loaded by a lab that asks for it

        kind = flawed.entry(config["flaws"])
    asyncio.run(kind(config["own"], config["backup"]).serve(config["port"]))


if __name__ == "__main__":
    main()
