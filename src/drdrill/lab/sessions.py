# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The registration application's way to its database: who is the writer now, and a small pool of sessions to it.

Each database is asked by its own task on its own clock: a silent one must not delay the news of the other. A statement that
is not acknowledged in time is given up by closing its socket, never by a cancel: PostgreSQL answers a cancelled COMMIT that
waits for its standby with success, although only one side has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg

from drdrill.lab.ask import get

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

_LONGEST_S: Final = 2.0
"""From taking a session to the acknowledgement."""
_ASK_S: Final = 1.0
_CALM_S: Final = 0.5
_EAGER_S: Final = 0.2
"""How often the databases are asked while the writer is known, and while it is not."""
_FALL: Final = 2
"""One late answer is no failure, as in a load balancer."""


class UnavailableError(Exception):
    """No acknowledgement. Whether the statement took effect is not known."""


@dataclass(frozen=True)
class Database:
    """The ports of one database, as this application reaches them: PostgreSQL and Patroni's REST interface."""

    pg: int
    rest: int


class Sessions:
    """At most `limit` sessions, all to the one database that Patroni says is the writer.

    Args:
        databases: by name.
        login: user, password and dbname.
    """

    def __init__(self, databases: Mapping[str, Database], login: Mapping[str, Any], limit: int = 16) -> None:
        self.writer: str | None = None
        self._databases = databases
        self._login = login
        self._claims = dict.fromkeys(databases, False)
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[psycopg.AsyncConnection[tuple[Any, ...]]] = []
        self._busy: set[psycopg.AsyncConnection[tuple[Any, ...]]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begin to ask the databases."""
        for name in self._databases:
            self._keep(self._watch(name))

    async def stop(self) -> None:
        """Stop asking and close every session."""
        self._drop_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows once its commit was acknowledged.

        Raises:
            UnavailableError: there is no writer, or it did not acknowledge within 2 s.
            psycopg.Error: the database refused the statement itself (a key that exists, for instance).
        """
        deadline = asyncio.get_running_loop().time() + _LONGEST_S
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError as error:
            raise UnavailableError("every session is busy") from error
        try:
            connection = await self._connection(deadline)
            return await self._run(connection, statement, values, deadline)
        finally:
            self._slots.release()

    async def _connection(self, deadline: float) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        if self.writer is None:
            raise UnavailableError("no database claims to be the writer")
        if self._idle:
            return self._idle.pop()
        writer = self.writer
        try:
            async with asyncio.timeout_at(deadline):
                connection = await psycopg.AsyncConnection.connect(
                    host="127.0.0.1", port=self._databases[writer].pg, autocommit=True, **self._login
                )
        except (TimeoutError, psycopg.Error) as error:
            raise UnavailableError(f"{writer} cannot be connected: {error}") from error
        if writer != self.writer:
            _cut(connection)
            raise UnavailableError("the writer moved")
        return connection

    async def _run(
        self,
        connection: psycopg.AsyncConnection[tuple[Any, ...]],
        statement: str,
        values: Sequence[Any],
        deadline: float,
    ) -> list[tuple[Any, ...]]:
        writer = self.writer
        self._busy.add(connection)
        task = self._keep(_fetch(connection, statement, values))
        await asyncio.wait({task}, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
        self._busy.discard(connection)
        if not task.done():
            _cut(connection)
            raise UnavailableError(f"not acknowledged within {_LONGEST_S:g} s")
        try:
            rows: list[tuple[Any, ...]] = task.result()
        except psycopg.IntegrityError:
            self._give_back(connection, writer)
            raise
        except psycopg.Error as error:
            await connection.close()
            raise UnavailableError(str(error)) from error
        self._give_back(connection, writer)
        return rows

    def _give_back(self, connection: psycopg.AsyncConnection[tuple[Any, ...]], writer: str | None) -> None:
        if writer == self.writer and not connection.broken:
            self._idle.append(connection)
        else:
            _cut(connection)

    async def _watch(self, name: str) -> None:
        misses = 0
        while True:
            status, _ = await get(self._databases[name].rest, "/primary", _ASK_S)
            misses = misses + 1 if status is None else 0
            if status is not None or misses >= _FALL:
                self._claims[name] = status == 200  # noqa: PLR2004 - OK
            self._choose()
            await asyncio.sleep(_CALM_S if self.writer else _EAGER_S)

    def _choose(self) -> None:
        if self.writer is not None and self._claims[self.writer]:
            return  # While two claim to be it, stay with the one that is known.
        writer = next((name for name, claims in self._claims.items() if claims), None)
        if writer != self.writer:
            self.writer = writer
            self._drop_all()

    def _drop_all(self) -> None:
        for connection in (*self._idle, *self._busy):
            _cut(connection)
        self._idle.clear()

    def _keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Read, so that a statement that was given up is not reported as forgotten.


async def _fetch(
    connection: psycopg.AsyncConnection[tuple[Any, ...]], statement: str, values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    try:
        cursor = await connection.execute(statement, values)
        rows: list[tuple[Any, ...]] = []
        if cursor.description:
            rows = await cursor.fetchall()
    except psycopg.Error:
        if connection.broken:
            connection.pgconn.finish()  # It may have been given up: nobody else will.
        raise
    return rows


def _cut(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
    """End a session without a word. Its socket is shut down, not closed: somebody may be waiting on it."""
    with contextlib.suppress(OSError, psycopg.Error):
        copy = socket.socket(fileno=os.dup(connection.pgconn.socket))
        with copy, contextlib.suppress(OSError):
            copy.shutdown(socket.SHUT_RDWR)
    if connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
        connection.pgconn.finish()
