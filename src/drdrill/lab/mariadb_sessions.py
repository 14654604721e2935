# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions to a Galera cluster in which every member takes writes: the first database of the list, another while it is not ready.

It goes back to an earlier one only when that was ready for 2 s without a break: a member that stood still says from memory for
about a second that all is well, before it learns that it was thrown out (facts: 1.0 s after a thaw, 3 of 3).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiomysql  # type: ignore[import-not-found, unused-ignore] # Debian's, on the hosts; nothing else here needs it.
import pymysql  # type: ignore[import-not-found, import-untyped, unused-ignore]

from drdrill.lab.sessions import CALM_S, EAGER_S, FALL, Session, Sessions, Statements, TakenError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ASK_S: Final = 1.0
_STEADY_S: Final = 2.0
_DUPLICATE: Final = 1062
_STATUS: Final = "SHOW STATUS WHERE variable_name IN ('wsrep_ready', 'wsrep_cluster_status')"
_WELL: Final = {"wsrep_ready": "ON", "wsrep_cluster_status": "Primary"}
_FAILURES: Final = (pymysql.err.MySQLError, OSError, asyncio.IncompleteReadError, RuntimeError, AttributeError)
"""What the driver raises; the last three where a session was cut under it, since it then has no stream any more."""


@dataclass(frozen=True)
class Member:
    """Where a member of the cluster takes SQL."""

    host: str
    port: int


class MariadbSession(Session):
    """One session to MariaDB."""

    def __init__(self, to: str, connection: Any) -> None:
        self.to = to
        self._connection = connection

    @property
    def broken(self) -> bool:
        """Whether it is of no use any more."""
        return bool(self._connection.closed)

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """As in Session. Each statement is a transaction of its own."""
        try:
            async with self._connection.cursor() as cursor:
                await cursor.execute(statement, values)
                return list(await cursor.fetchall())
        except pymysql.err.IntegrityError as error:
            if error.args[:1] == (_DUPLICATE,):
                raise TakenError from error
            self._connection.close()
            raise UnavailableError(str(error)) from error
        except _FAILURES as error:
            self._connection.close()
            raise UnavailableError(str(error)) from error

    def cut(self) -> None:
        """As in Session: without the goodbye of the protocol."""
        self._connection.close()


class MariadbSessions(Sessions):
    """Sessions to the first member that is ready.

    Args:
        members: by name, the wanted one first.
        login: user, password and db.
    """

    statements = Statements(
        register="INSERT INTO registrations (`key`, site) VALUES (%s, %s)",
        beat="INSERT INTO heartbeat (site, at) VALUES (%s, current_timestamp(6)) "
        "ON DUPLICATE KEY UPDATE at = current_timestamp(6)",
    )

    def __init__(self, members: Mapping[str, Member], login: Mapping[str, Any], limit: int = 16) -> None:
        super().__init__(members, limit)
        self._members = members
        self._login = login
        self._ready_since: dict[str, float] = {}

    async def open(self, name: str) -> Session:
        """A new session. Raises UnavailableError."""
        member = self._members[name]
        try:
            connection = await aiomysql.connect(
                host=member.host, port=member.port, autocommit=True, charset="utf8mb4", **self._login
            )
        except _FAILURES as error:
            raise UnavailableError(f"{name} cannot be connected: {error}") from error
        return MariadbSession(name, connection)

    async def watch(self, name: str) -> None:
        """Ask the member for ever, in a session of its own."""
        session: Session | None = None
        misses = 0
        while True:
            try:
                async with asyncio.timeout(_ASK_S):
                    session = session or await self.open(name)
                    ready: bool | None = dict(await session.fetch(_STATUS, ())) == _WELL
            except (UnavailableError, TimeoutError):
                ready = None
                if session is not None:
                    session.cut()
                    session = None
            misses = misses + 1 if ready is None else 0
            if ready is not None or misses >= FALL:
                self._heard(name, ready=bool(ready))
            await asyncio.sleep(CALM_S if self.writer else EAGER_S)

    def _heard(self, name: str, *, ready: bool) -> None:
        self.claims[name] = ready
        if ready:
            self._ready_since.setdefault(name, asyncio.get_running_loop().time())
        else:
            self._ready_since.pop(name, None)
        self._choose()

    def _choose(self) -> None:
        now = asyncio.get_running_loop().time()
        for name, ready in self.claims.items():
            if name == self.writer and ready:
                return
            settled = ready and now - self._ready_since[name] >= _STEADY_S
            if settled or (ready and (self.writer is None or not self.claims[self.writer])):
                self.use(name)
                return
        self.use(None)
