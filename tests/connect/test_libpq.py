# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from scripted_sql import sql_script

from drdrill.connect import libpq
from drdrill.connect.sql import SqlFailed
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from scripted_sql import SqlScript

SECRET = "s3cr3t-of-the-test"
DSN = f"user=drdrill password={SECRET} dbname=clinical sslmode=disable"


def scripted(test: Callable[[SqlScript], Coroutine[None, None, None]]) -> None:
    """Run a coroutine against a scripted server."""

    async def run() -> None:
        async with sql_script() as script, asyncio.timeout(20):
            await test(script)

    asyncio.run(run())


async def become(look: Callable[[], bool]) -> None:
    while not look():  # noqa: ASYNC110 - nobody tells when a peer has read what was sent
        await asyncio.sleep(0.01)


def test_a_statement_gives_its_rows_and_the_session_is_used_again() -> None:
    async def test(script: SqlScript) -> None:
        session = await libpq.connect(DSN, ("127.0.0.1", script.port), writer=True)
        assert await session.rows("select $1", ("a",)) == [("t",)]
        assert not session.stale
        assert await session.rows("select $1", ("b",)) == [("t",)]
        assert (script.sessions, script.statements) == (1, ["select $1", "select $1"])
        session.close()
        assert session.stale
        await become(lambda: script.open == 0)

    scripted(test)


def test_a_refusal_has_the_servers_code() -> None:
    async def test(script: SqlScript) -> None:
        session = await libpq.connect(DSN, ("127.0.0.1", script.port), writer=True)
        script.answer = "23505"
        with pytest.raises(SqlFailed, match="it was refused") as caught:
            await session.rows("insert")
        assert caught.value.code == "23505"

    scripted(test)


def test_a_session_that_breaks_in_the_middle_has_no_code() -> None:
    async def test(script: SqlScript) -> None:
        session = await libpq.connect(DSN, ("127.0.0.1", script.port), writer=True)
        script.answer = "close"
        with pytest.raises(SqlFailed) as caught:
            await session.rows("insert")
        assert caught.value.code is None
        assert session.stale

    scripted(test)


def test_a_wait_that_is_left_sends_no_cancel_and_makes_the_session_useless() -> None:
    async def test(script: SqlScript) -> None:
        session = await libpq.connect(DSN, ("127.0.0.1", script.port), writer=True)
        script.answer = "silent"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.rows("insert")
        assert session.stale
        session.close()
        await become(lambda: script.open == 0)
        assert (script.cancels, script.sessions) == (0, 1)

    scripted(test)


def test_a_session_that_the_server_ended_is_stale_before_anything_is_sent() -> None:
    async def test(script: SqlScript) -> None:
        session = await libpq.connect(DSN, ("127.0.0.1", script.port), writer=True)
        assert not session.stale
        script.hang_up()
        await become(lambda: session.stale)
        assert script.statements == []
        session.close()

    scripted(test)


def test_who_wants_the_writer_gets_no_server_that_only_reads() -> None:
    async def test(script: SqlScript) -> None:
        script.read_only = True
        with pytest.raises(SqlFailed, match="read-only"):
            await libpq.connect(DSN, ("127.0.0.1", script.port), writer=True)
        await become(lambda: script.open == 0)
        session = await libpq.connect(DSN, ("127.0.0.1", script.port), writer=False)
        assert await session.rows("select") == [("t",)]
        session.close()

    scripted(test)


def test_a_refused_connection_is_told_without_the_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def test() -> None:
        with pytest.raises(SqlFailed, match="refused") as caught:
            await libpq.connect(DSN, ("127.0.0.1", port), writer=False)
        assert SECRET not in str(caught.value)

    asyncio.run(test())


def test_a_server_that_never_answers_is_left_in_time() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await libpq.connect(DSN, ("127.0.0.1", silent.getsockname()[1]), writer=False)

    asyncio.run(test())


def test_a_name_that_nobody_knows_is_said() -> None:
    with pytest.raises(SqlFailed, match=r"no-such-host\.invalid is no known name"):
        asyncio.run(libpq.connect(DSN, ("no-such-host.invalid", 5432), writer=False))


def test_a_dsn_that_is_none_shows_no_password() -> None:
    with pytest.raises(BadInput) as caught:
        asyncio.run(libpq.connect(f"nonsense={SECRET}", ("127.0.0.1", 1), writer=False))
    assert SECRET not in str(caught.value)
