# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One session of a measuring client over ODBC. Nothing here waits for a driver: that is done in another process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.odbc_child import DONE, LONGEST
from drdrill.connect.sql import SqlFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.odbc_string import ConnectionString
    from drdrill.connect.odbc_zygote import Zygote

_CLIENT: Final = range(2000, 3000)
"""Numbers of errors that the client library makes itself: they say what it saw, and nothing of what the server did."""


def failed(told: dict[str, Any], string: ConnectionString) -> SqlFailed:
    """The error in an answer. Its code is `SQLSTATE/NUMBER`, when the server itself gave one."""
    native = int(told["native"])
    code = f"{told['state']}/{native}" if native > 0 and native not in _CLIENT else None
    return SqlFailed(string.clean(told["error"]), code)


class Session:
    """One open session, every statement of which is a transaction of its own. Made by `connect`."""

    def __init__(self, child: socket.socket, string: ConnectionString, zygote: Zygote) -> None:
        self._child = child
        self._zygote = zygote  # It ends when nobody holds it any more, and its sessions with it.
        self._string = string
        self._left = False
        # The loop listens all the time: to begin and to end that for every answer takes longer than to take the answer in.
        self._loop = asyncio.get_running_loop()
        self._heard: deque[bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._loop.add_reader(child, self._hear)

    @property
    def stale(self) -> bool:
        """Whether it can be used no more: closed, left in the middle of a statement, or ended by the server."""
        if self._left or self._child.fileno() < 0:
            return True
        try:
            # Nothing is asked now, so whatever can be read is the end.
            self._child.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    async def rows(self, statement: str, parameters: Sequence[str] = ()) -> list[list[Any]]:
        """Send one statement and return its rows. The caller sets the deadline; a wait that is left makes the session useless.

        Raises:
            SqlFailed: the server refused it (`code` says why) or the session broke (no code).
        """
        return await self.ask({"run": statement, "with": list(parameters)})

    async def ask(self, request: dict[str, Any]) -> list[list[Any]]:
        """One request to the process that holds it. Raises SqlFailed."""
        self._left = True
        rows: list[list[Any]] = []
        more = True
        try:
            await self._send(json.dumps(request).encode())
            while more:
                said = await self._next()
                if not said:
                    raise SqlFailed("the session's process ended")
                if said == DONE:
                    break
                told = json.loads(said)
                if "error" in told:
                    error = failed(told, self._string)
                    self._left = error.code is None
                    raise error
                rows += told["rows"]
                more = bool(told.get("more"))
        except (ConnectionError, ValueError) as error:
            raise SqlFailed(f"the session broke: {error}") from None
        self._left = False
        return rows

    async def _send(self, message: bytes) -> None:
        try:
            self._child.send(message)
        except BlockingIOError:
            await self._loop.sock_sendall(self._child, message)

    async def _next(self) -> bytes:
        """The next message, empty once there will be none."""
        while not self._heard:
            self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return self._heard.popleft()

    def _hear(self) -> None:
        try:
            said = self._child.recv(LONGEST + 4096)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self._loop.remove_reader(self._child)  # It can be read for ever now.
        self._heard.append(said)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def close(self) -> None:
        """At once: its process is killed, whatever it waits for."""
        if self._child.fileno() >= 0:
            self._loop.remove_reader(self._child)
        with contextlib.suppress(OSError):
            self._child.close()


async def connect(zygote: Zygote, string: ConnectionString, address: tuple[str, int]) -> Session:
    """Open a session. The caller sets the deadline.

    Args:
        zygote: makes the process that holds it.
        string: account, database, TLS.
        address: host and port that are used instead of its own.

    Raises:
        SqlFailed: there is none.
        BadInput: there is no driver for it.
    """
    text = string.text(zygote.drivers(), address)
    child = zygote.fork()
    child.setblocking(False)
    session = Session(child, string, zygote)
    try:
        await session.ask({"connect": text, "at": list(address)})
    except BaseException:
        session.close()
        raise
    return session
