# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One session of a measuring client with PostgreSQL, on libpq's own asynchronous calls. Nothing here hides an answer.

Why not `psycopg.AsyncConnection`: when a task that waits in it is cancelled, it sends PostgreSQL a cancel request and waits
for its effect. A commit that waits for its standby then ends with success although only one side has it, and the request goes
to a server that may be dead. This session ends a wait by leaving, and prepares, repeats and cancels nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.psycopg import driver
from drdrill.connect.sql import SqlFailed
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_READ: Final = 1
_WRITE: Final = 2


class Session:
    """One open session, every statement of which is a transaction of its own. Made by `connect`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._closed = False
        self._left = False

    @property
    def stale(self) -> bool:
        """Whether it can be used no more: closed, broken, left in the middle of a statement, or ended by the server."""
        if self._closed or self._left:
            return True
        pq = driver().pq
        try:
            # A server that ends a session says so on the wire; whoever does not read it sends into the void.
            self._connection.consume_input()
        except driver().Error:
            return True
        return bool(self._connection.status != pq.ConnStatus.OK)

    async def rows(self, statement: str, parameters: Sequence[str] = ()) -> list[tuple[str | None, ...]]:
        """Send one statement and return its rows as text. The caller sets the deadline.

        Raises:
            SqlFailed: the server refused it (`code` says why) or the session broke (no code).
        """
        pq, error = driver().pq, driver().Error
        connection = self._connection
        self._left = True  # until it is answered; a wait that is left makes the session useless
        try:
            connection.send_query_params(statement.encode(), [p.encode() for p in parameters])
            while connection.flush():
                await _ready(connection.socket, _READ | _WRITE)
                connection.consume_input()
            results = []
            while True:
                while connection.is_busy():
                    await _ready(connection.socket, _READ)
                    connection.consume_input()
                result = connection.get_result()
                if result is None:
                    break
                results.append(result)
        except (error, OSError) as broken:
            raise SqlFailed(str(broken)) from None
        self._left = False
        last = results[-1] if results else None
        if last is None or last.status not in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}:
            code = last.error_field(pq.DiagnosticField.SQLSTATE) if last is not None else None
            raise SqlFailed(_words(connection, last), code.decode() if code else None)
        return [
            tuple(None if (v := last.get_value(r, c)) is None else v.decode() for c in range(last.nfields))
            for r in range(last.ntuples)
        ]

    def close(self) -> None:
        """At once: a goodbye that could wait for a dead peer is not waited for."""
        if not self._closed:
            self._closed = True
            self._connection.finish()


async def connect(dsn: str, address: tuple[str, int], *, writer: bool) -> Session:
    """Open a session. The caller sets the deadline.

    Args:
        dsn: libpq's connection string: user, password, database, TLS.
        address: host and port that are used instead of those of the dsn.
        writer: refuse a server that accepts no writes.

    Raises:
        SqlFailed: there is none.
        BadInput: the dsn is none that libpq can read.
    """
    psycopg = driver()
    text = _conninfo(dsn, {**await _resolved(*address), "target_session_attrs": "read-write" if writer else "any"})
    connection = psycopg.pq.PGconn.connect_start(text)
    try:
        await _established(connection, psycopg.pq)
        connection.nonblocking = 1
    except psycopg.Error as error:
        connection.finish()
        raise SqlFailed(str(error)) from None
    except BaseException:
        connection.finish()
        raise
    return Session(connection)


async def _established(connection: Any, pq: Any) -> None:
    """Follow libpq through its handshake; the socket may be another after each step."""
    step = pq.PollingStatus.WRITING
    while step != pq.PollingStatus.OK:
        if connection.status == pq.ConnStatus.BAD or step == pq.PollingStatus.FAILED:
            raise SqlFailed(_words(connection, None))
        await _ready(connection.socket, _READ if step == pq.PollingStatus.READING else _WRITE)
        step = connection.connect_poll()


def _conninfo(dsn: str, more: Mapping[str, str]) -> bytes:
    psycopg = driver()
    try:
        made: str = psycopg.conninfo.make_conninfo(dsn, application_name="drdrill", **more)
    except psycopg.ProgrammingError:
        # libpq's words about a string that it cannot read quote the string, and the password with it.
        raise BadInput("the dsn is not one that libpq can read; look at it in the estate file") from None
    return made.encode()


async def _resolved(host: str, port: int) -> dict[str, str]:
    """Host and port for libpq, with the address of a name found here: libpq's own look-up would stop the whole process.

    `host` stays beside it, since TLS verifies the name.
    """
    told = {"host": host, "port": str(port)}
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port)
        except OSError as error:
            raise SqlFailed(f"{host} is no known name: {error.strerror}") from None
        told["hostaddr"] = str(found[0][4][0])
    return told


async def _ready(fd: int, events: int) -> None:
    """Wait until a socket can be read or written. Only the one who waits for it may use it."""
    if fd < 0:
        raise SqlFailed("the connection is gone")
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def go() -> None:
        if not ready.done():
            ready.set_result(None)

    if events & _READ:
        loop.add_reader(fd, go)
    if events & _WRITE:
        loop.add_writer(fd, go)
    try:
        await ready
    finally:
        if events & _READ:
            loop.remove_reader(fd)
        if events & _WRITE:
            loop.remove_writer(fd)


def _words(connection: Any, result: Any) -> str:
    """Libpq's words, which have no password in them, in one line."""
    raw = (result.error_message if result is not None else b"") or connection.error_message
    return str(raw.decode(errors="replace")) or "the connection broke"
