# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A supervisor's side of the protocol, as far as every lab has the same: one line in, one line out.

`drdrill.lab.protocol` says what the lines mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.lab import protocol
from drdrill.lab.log import log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from drdrill.lab.holds import Hold, Holds
    from drdrill.lab.protocol import Strike

Message = dict[str, Any]


class Supervisor(Protocol):
    """What answers are given of: the supervisor of any lab."""

    holds: Holds
    end: asyncio.Event
    started_ns: int

    async def strike(self, strike: Strike) -> Hold:
        """Carry out a strike; the same one again changes nothing. Raises BadRequest."""

    async def heal(self, hold: str) -> Message:
        """End a hold; its answer as the protocol has it."""

    def apply(self) -> None:
        """Set the clock for the next lease that ends."""

    async def down(self) -> None:
        """End everything but the supervisor's own process."""


class Answers:
    """The answers of one supervisor. A lab adds those of its own to `known`.

    Args:
        supervisor: asked for everything.
        linked: the names that ends of links can have.
        powered: the hosts that have power.
    """

    def __init__(self, supervisor: Supervisor, linked: Mapping[str, Any], powered: Mapping[str, Any]) -> None:
        self._of = supervisor
        self._linked = linked
        self._powered = powered
        self.known: dict[str, Callable[[Message], Awaitable[Message]]] = {
            "hello": self._hello,
            "strike": self._strike,
            "renew": self._renew,
            "heal": self._heal,
            "revoke": self._revoke,
            "holds": self._holds,
            "down": self._down,
        }

    async def serve(self, folder: Path) -> asyncio.Server:
        """Answer on the socket of the lab's folder. Raises OSError."""
        return await asyncio.start_unix_server(self._converse, sock=_listen(folder), limit=protocol.LONGEST_LINE)

    async def _hello(self, message: Message) -> Message:
        """What this lab is."""
        raise NotImplementedError

    def about(self) -> Message:
        """What `hello` says of every lab."""
        return {
            "protocol": protocol.PROTOCOL, "version": _version(), "pid": os.getpid(), "started_ns": self._of.started_ns,
        }  # fmt: skip

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it hangs up."""
        # ValueError: a line beyond the limit; the caller is cut off. Cancelled: the lab ends while a client is still there.
        with contextlib.suppress(OSError, ValueError, asyncio.CancelledError):
            while line := await reader.readline():
                answer = await self._answer(line)
                try:
                    writer.write(protocol.encode(answer))
                    await writer.drain()
                finally:
                    if answer.get("down"):
                        self._of.end.set()
        writer.close()

    async def _answer(self, line: bytes) -> Message:
        try:
            message = protocol.decode(line)
            return {"ok": True} | await self._handler(protocol.text(message, "do"))(message)
        except protocol.BadRequest as error:
            return {"ok": False, "error": str(error)}
        except Exception as error:  # noqa: BLE001 - one bad request must not end the lab
            log(traceback.format_exc())
            return {"ok": False, "error": f"the supervisor failed: {type(error).__name__}: {error}"}

    def _handler(self, do: str) -> Callable[[Message], Awaitable[Message]]:
        if do not in self.known:
            raise protocol.BadRequest(f'"{do}" is nothing that can be done here; there are {", ".join(self.known)}')
        return self.known[do]

    async def _strike(self, message: Message) -> Message:
        strike = protocol.strike_of(message, self._linked, self._powered)
        hold = await self._of.strike(strike)
        return {
            "hold": strike.hold,
            "lease_s": min(strike.lease_s, strike.hard_end_s),
            "first_ns": hold.struck_ns,
            "last_ns": hold.last_ns,
        }

    async def _renew(self, message: Message) -> Message:
        hold, lease_s = protocol.text(message, "hold"), protocol.seconds(message, "lease_s")
        answer = self._of.holds.renew(hold, lease_s, time.monotonic_ns())
        self._of.apply()
        return answer

    async def _heal(self, message: Message) -> Message:
        first_ns = time.monotonic_ns()
        answer = await self._of.heal(protocol.text(message, "hold"))
        return answer | {"first_ns": first_ns, "last_ns": time.monotonic_ns()}

    async def _revoke(self, message: Message) -> Message:
        self._of.holds.revoke(protocol.text(message, "drill"))
        return {}

    async def _holds(self, message: Message) -> Message:
        drill = protocol.text(message, "drill") if message.get("drill") is not None else None
        return {"holds": self._of.holds.show(drill, time.monotonic_ns())}

    async def _down(self, _message: Message) -> Message:
        await self._of.down()
        return {"down": True}


def _listen(folder: Path) -> socket.socket:
    """The control socket, for its owner only. Bound through the opened folder: a socket's path may hold 107 bytes."""
    sock = socket.socket(socket.AF_UNIX)
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    before = os.umask(0o177)
    try:
        sock.bind(f"/proc/self/fd/{directory}/{protocol.SOCKET}")
    finally:
        os.umask(before)
        os.close(directory)
    sock.listen(64)
    return sock


def _version() -> str:
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version("drdrill")
    return "unknown"
