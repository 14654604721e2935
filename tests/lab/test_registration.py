# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: ASYNC110 - what is waited for belongs to the code under test
"""The application's promises, on a real web server with a database that the test plays."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web

from drdrill.lab.postgresql_sessions import PostgresqlSessions
from drdrill.lab.registration import Heartbeat, Registration
from drdrill.lab.sessions import TakenError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Database:
    """Rows in memory; `error` is what the next statements raise, `gate` what they wait for."""

    statements = PostgresqlSessions.statements

    def __init__(self) -> None:
        self.rows: set[str] = set()
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = 0

    def start(self) -> None:
        """Nothing to ask."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.begun += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        if statement.startswith("SELECT"):
            return [(len(self.rows),)]
        if "registrations" in statement:
            if values[0] in self.rows:
                raise TakenError
            self.rows.add(values[0])
        return []


def served(play):
    async def run() -> None:
        database = Database()
        runner = web.AppRunner(Registration("east", database).app())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with asyncio.timeout(20), ClientSession(f"http://127.0.0.1:{port}") as client:
            await play(client, database)
        await runner.cleanup()

    asyncio.run(run())


async def post(client: ClientSession, body: object) -> tuple[int, dict[str, Any], str]:
    data = body if isinstance(body, str) else json.dumps(body)
    async with client.post("/registrations", data=data, headers={"Content-Type": "application/json"}) as answer:
        return answer.status, await answer.json(), answer.headers["X-Site"]


def test_a_registration_is_created_once_and_a_retry_is_told_that_it_is_there():
    async def play(client: ClientSession, database: Database) -> None:
        assert await post(client, {"key": "k1"}) == (201, {"key": "k1"}, "east")
        assert await post(client, {"key": "k1"}) == (409, {"key": "k1", "payload": "same"}, "east")
        assert database.rows == {"k1"}
        async with client.get("/registrations/count") as answer:
            assert await answer.json() == {"count": 1}

    served(play)


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"k"', {}, {"key": ""}, {"key": 7}, {"key": "k" * 201}, {"key": "a\0b"}]
)
def test_what_is_no_registration_is_refused_with_what_would_be_one(body: object):
    async def play(client: ClientSession, database: Database) -> None:
        status, answer, _ = await post(client, body)
        assert status == 400
        assert "key" in answer["error"]
        assert database.begun == 0

    served(play)


def test_a_registration_that_nobody_acknowledged_is_a_503():
    async def play(client: ClientSession, database: Database) -> None:
        database.error = UnavailableError("not acknowledged within 2 s")
        status, answer, site = await post(client, {"key": "k1"})
        assert (status, site) == (503, "east")
        assert "not acknowledged" in answer["error"]

    served(play)


def test_health_is_ready_after_a_commit_and_says_why_without():
    async def play(client: ClientSession, database: Database) -> None:
        async with client.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"ready": True, "site": "east"})
        database.error = UnavailableError("no database claims to be the writer")
        async with client.get("/healthz") as answer:
            body = await answer.json()
            assert (answer.status, body["ready"], body["site"]) == (503, False, "east")
            assert "no database" in body["why"]

    served(play)


def test_health_gives_up_after_two_seconds():
    async def play(client: ClientSession, database: Database) -> None:
        database.gate.clear()
        began = asyncio.get_running_loop().time()
        async with client.get("/healthz") as answer:
            assert answer.status == 503
        assert 1.9 < asyncio.get_running_loop().time() - began < 3
        database.gate.set()

    served(play)


def test_all_that_ask_during_a_commit_share_the_next_one_and_never_the_one_under_way():
    async def run() -> None:
        commits: list[asyncio.Future[None]] = []

        async def commit() -> None:
            commits.append(asyncio.get_running_loop().create_future())
            await commits[-1]

        async def begun(number: int) -> None:
            while len(commits) < number:
                await asyncio.sleep(0)

        heart = Heartbeat(commit)
        first = asyncio.create_task(heart.beat())
        await begun(1)
        later = [asyncio.create_task(heart.beat()) for _ in range(20)]
        await asyncio.sleep(0)
        commits[0].set_result(None)
        await first
        await begun(2)
        assert not any(task.done() for task in later)
        commits[1].set_result(None)
        await asyncio.gather(*later)
        assert len(commits) == 2

    asyncio.run(run())
