# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions to PostgreSQL under Patroni: one database of several is the writer.

A statement is given up by shutting its socket down, never by a cancel: PostgreSQL answers a cancelled COMMIT that waits for its
standby with success, although only one side has it.
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
from drdrill.lab.sessions import CALM_S, EAGER_S, FALL, Session, Sessions, Statements, TakenError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ASK_S: Final = 1.0


@dataclass(frozen=True)
class Database:
    """The ports of one database, as this application reaches them: PostgreSQL and Patroni's REST interface."""

    pg: int
    rest: int


class PostgresqlSession(Session):
    """One session to PostgreSQL."""

    def __init__(self, to: str, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        self.to = to
        self._connection = connection

    @property
    def broken(self) -> bool:
        """Whether it is of no use any more."""
        return self._connection.broken or self._connection.closed

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """As in Session."""
        try:
            cursor = await self._connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.errors.UniqueViolation as error:
            raise TakenError from error
        except psycopg.Error as error:
            if self._connection.broken:
                self._connection.pgconn.finish()  # It may have been given up: nobody else will.
            else:
                await self._connection.close()
            raise UnavailableError(str(error)) from error

    def cut(self) -> None:
        """As in Session. The socket is shut down, not closed: somebody may be waiting on it."""
        with contextlib.suppress(OSError, psycopg.Error):
            copy = socket.socket(fileno=os.dup(self._connection.pgconn.socket))
            with copy, contextlib.suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)
        if self._connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
            self._connection.pgconn.finish()


class PostgresqlSessions(Sessions):
    """Sessions to the one database that Patroni says is the writer.

    Args:
        databases: by name.
        login: user, password and dbname.
    """

    statements = Statements(
        register="INSERT INTO registrations (key, site) VALUES (%s, %s)",
        beat="INSERT INTO heartbeat (site, at) VALUES (%s, clock_timestamp()) "
        "ON CONFLICT (site) DO UPDATE SET at = excluded.at",
    )

    def __init__(self, databases: Mapping[str, Database], login: Mapping[str, Any], limit: int = 16) -> None:
        super().__init__(databases, limit)
        self._databases = databases
        self._login = login

    async def open(self, name: str) -> Session:
        """A new session. Raises UnavailableError."""
        try:
            connection = await psycopg.AsyncConnection.connect(
                host="127.0.0.1", port=self._databases[name].pg, autocommit=True, **self._login
            )
        except psycopg.Error as error:
            raise UnavailableError(f"{name} cannot be connected: {error}") from error
        return PostgresqlSession(name, connection)

    async def watch(self, name: str) -> None:
        """Ask Patroni for ever."""
        misses = 0
        while True:
            status, _ = await get(self._databases[name].rest, "/primary", _ASK_S)
            misses = misses + 1 if status is None else 0
            if status is not None or misses >= FALL:
                self.claims[name] = status == 200  # noqa: PLR2004 - OK
            self._choose()
            await asyncio.sleep(CALM_S if self.writer else EAGER_S)

    def _choose(self) -> None:
        if self.writer is not None and self.claims[self.writer]:
            return  # While two claim to be it, stay with the one that is known.
        self.use(next((name for name, claims in self.claims.items() if claims), None))
