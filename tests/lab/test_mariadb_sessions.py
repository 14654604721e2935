# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: ASYNC110 - what is waited for belongs to the code under test
"""Which member of a cluster the application writes to, and what a statement's end means.

The driver is on the hosts and not here, so it is a double.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest

from drdrill.lab.sessions import TakenError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GOOD = [("wsrep_ready", "ON"), ("wsrep_cluster_status", "Primary")]


class MySQLError(Exception):
    """As the driver's."""


class IntegrityError(MySQLError):
    """As the driver's."""


class Connection:
    """One connection of the double: `answer` says or raises what a statement ends with, after its member's gate is open."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.closed = False
        self.cut = asyncio.Event()

    def cursor(self) -> Any:
        return Cursor(self)

    def close(self) -> None:
        self.closed = True
        self.cut.set()


class Cursor:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: list[tuple[Any, ...]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def execute(self, statement: str, values: Sequence[Any]) -> None:
        member = self.connection.member
        waits = {asyncio.ensure_future(member.gate.wait()), asyncio.ensure_future(self.connection.cut.wait())}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if self.connection.closed:
            raise MySQLError(2013, "Lost connection")
        if statement.startswith("SHOW"):
            self.rows = member.status
        elif member.error is not None:
            raise member.error
        else:
            member.written.append(values)

    async def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows


class Member:
    def __init__(self) -> None:
        self.status = list(GOOD)
        self.error: Exception | None = None
        self.written: list[Sequence[Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuses = False


class Cluster:
    """Two members as the driver reaches them, and a clock that the test moves."""

    def __init__(self) -> None:
        self.members = {"10.0.0.1": Member(), "10.0.0.2": Member()}
        self.own, self.other = self.members.values()

    async def connect(self, *, host: str, **_: Any) -> Connection:
        if self.members[host].refuses:
            raise MySQLError(2003, "Can't connect")
        return Connection(self.members[host])


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, on the double of its driver."""
    pymysql, aiomysql = ModuleType("pymysql"), ModuleType("aiomysql")
    pymysql.err = SimpleNamespace(MySQLError=MySQLError, IntegrityError=IntegrityError)  # type: ignore[attr-defined]
    aiomysql.connect = lambda **named: named.pop("cluster").connect(**named)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pymysql", pymysql)
    monkeypatch.setitem(sys.modules, "aiomysql", aiomysql)
    monkeypatch.delitem(sys.modules, "drdrill.lab.mariadb_sessions", raising=False)
    found = importlib.import_module("drdrill.lab.mariadb_sessions")
    monkeypatch.setattr(found, "CALM_S", 0.01)
    monkeypatch.setattr(found, "EAGER_S", 0.01)
    monkeypatch.setattr(found, "_ASK_S", 0.05)
    yield found
    del sys.modules["drdrill.lab.mariadb_sessions"]


def played(module: Any, play) -> None:
    async def run() -> None:
        cluster = Cluster()
        members = {"own": module.Member("10.0.0.1", 1), "other": module.Member("10.0.0.2", 1)}
        sessions = module.MariadbSessions(members, {"cluster": cluster})
        sessions.start()
        async with asyncio.timeout(20):
            await until(lambda: sessions.writer is not None and all(sessions.claims.values()))
            await play(cluster, sessions)
            await sessions.stop()

    asyncio.run(run())


async def until(there) -> None:
    while not there():
        await asyncio.sleep(0.002)


def test_its_own_sites_database_is_the_one_and_the_other_while_that_is_not_ready(module: Any):
    module._STEADY_S = 0.1

    async def play(cluster: Cluster, sessions: Any) -> None:
        await until(lambda: sessions.writer == "own")
        for status in ([("wsrep_ready", "OFF"), GOOD[1]], [GOOD[0], ("wsrep_cluster_status", "non-Primary")], []):
            cluster.own.status = list(status)
            await until(lambda: sessions.writer == "other")
            await sessions.execute(sessions.statements.register, ("k", "east"))
            cluster.own.status = list(GOOD)
            await until(lambda: sessions.writer == "own")
        assert len(cluster.other.written) == 3

    played(module, play)


def test_a_member_that_says_nothing_is_not_ready_and_the_news_of_the_other_does_not_wait(module: Any):
    async def play(cluster: Cluster, sessions: Any) -> None:
        await until(lambda: sessions.writer == "own")
        cluster.own.gate.clear()
        await until(lambda: sessions.writer == "other")
        cluster.other.status = []
        await until(lambda: sessions.writer is None)
        with pytest.raises(UnavailableError, match="no database claims"):
            await sessions.execute("INSERT", ("k", "east"))

    played(module, play)


def test_it_goes_back_only_to_a_member_that_stayed_ready(module: Any):
    """A member that stood still says from memory that all is well, before it learns that it was thrown out."""
    module._STEADY_S = 1e9

    async def play(cluster: Cluster, sessions: Any) -> None:
        await until(lambda: sessions.writer is not None)
        cluster.own.status = []
        await until(lambda: sessions.writer == "other")
        cluster.own.status = list(GOOD)
        await until(lambda: sessions.claims["own"])
        await asyncio.sleep(0.1)
        assert sessions.writer == "other"
        cluster.other.status = []
        await until(lambda: sessions.writer == "own")  # Better one that was ready for a moment than none.

    played(module, play)


def test_the_way_back_costs_no_write_that_is_under_way(module: Any):
    module._STEADY_S = 0.1

    async def play(cluster: Cluster, sessions: Any) -> None:
        cluster.own.status = []
        await until(lambda: sessions.writer == "other")
        slow = await sessions.open("other")
        sessions._idle.append(slow)
        gate = asyncio.Event()
        slow.fetch_really = slow.fetch

        async def fetch(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
            await gate.wait()
            rows: list[tuple[Any, ...]] = await slow.fetch_really(statement, values)
            return rows

        slow.fetch = fetch
        write = asyncio.ensure_future(sessions.execute("INSERT", ("k", "east")))
        await asyncio.sleep(0)
        cluster.own.status = list(GOOD)
        await until(lambda: sessions.writer == "own")
        gate.set()
        await write
        assert cluster.other.written == [("k", "east")]
        assert slow.broken  # It is cut afterwards: the next write goes to the site's own.

    played(module, play)


def test_a_key_that_exists_is_told_and_the_session_is_good(module: Any):
    async def play(cluster: Cluster, sessions: Any) -> None:
        cluster.own.error = cluster.other.error = IntegrityError(1062, "Duplicate entry")
        with pytest.raises(TakenError):
            await sessions.execute("INSERT", ("k", "east"))
        assert [session.broken for session in sessions._idle] == [False]

    played(module, play)


@pytest.mark.parametrize(
    "error",
    [
        MySQLError(1047, "WSREP has not yet prepared node"),
        MySQLError(1213, "Deadlock"),
        IntegrityError(1048, "Column cannot be null"),
        OSError("reset"),
        asyncio.IncompleteReadError(b"", 4),
    ],
)
def test_whatever_else_goes_wrong_is_no_acknowledgement_and_ends_the_session(module: Any, error: Exception):
    async def play(cluster: Cluster, sessions: Any) -> None:
        cluster.own.error = cluster.other.error = error
        with pytest.raises(UnavailableError):
            await sessions.execute("INSERT", ("k", "east"))
        assert sessions._idle == []

    played(module, play)


def test_a_member_that_cannot_be_connected_is_named(module: Any):
    async def play(cluster: Cluster, sessions: Any) -> None:
        cluster.own.refuses = cluster.other.refuses = True
        with pytest.raises(UnavailableError, match="(own|other) cannot be connected: .*2003"):
            await sessions.execute("INSERT", ("k", "east"))

    played(module, play)
