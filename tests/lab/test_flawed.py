# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's software as it should not be, and that a lab without flaws has none of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web

from drdrill.lab import flawed
from drdrill.lab.entry import Entry
from drdrill.lab.pocket import machines, postgresql
from drdrill.lab.pocket.layout import HOSTS, Layout, free_ports, new_passwords
from drdrill.lab.postgresql_sessions import PostgresqlSessions
from drdrill.lab.registration import Registration
from drdrill.lab.sessions import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Database:
    """Counts what it is asked to store; the first `late` times it does not answer in time."""

    statements = PostgresqlSessions.statements

    def __init__(self, late: int = 0) -> None:
        self.late = late
        self.rows: list[str] = []
        self.told = asyncio.Event()

    def start(self) -> None:
        """Nothing to ask."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def execute(self, _statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.rows.append(values[0])
        self.told.set()
        if len(self.rows) <= self.late:
            raise UnavailableError("not acknowledged within 2 s")
        return []


def asked(flaws: Sequence[str], play, database: Database | None = None) -> Database:
    async def run() -> Database:
        store = database or Database()
        runner = web.AppRunner(flawed.registration(flaws)("east", store).app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with asyncio.timeout(20), ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            await play(client, store)
        await runner.cleanup()
        return store

    return asyncio.run(run())


async def register(client: ClientSession) -> int:
    async with client.post("/registrations", json={"key": "k"}) as answer:
        return answer.status


def test_an_early_acknowledgement_comes_before_the_commit():
    async def play(client: ClientSession, store: Database) -> None:
        assert await register(client) == 201
        assert store.rows == []
        await store.told.wait()

    assert asked(["early-acknowledgement"], play).rows == ["k"]


def test_a_retry_without_a_key_stores_what_was_late_once_more():
    async def play(client: ClientSession, _store: Database) -> None:
        assert await register(client) == 201

    assert asked(["retry-without-key"], play, Database(late=2)).rows == ["k", "k", "k"]


def test_green_health_is_green_without_asking():
    async def play(client: ClientSession, _store: Database) -> None:
        async with client.get("/healthz") as answer:
            assert (answer.status, (await answer.json())["ready"]) == (200, True)

    assert asked(["green-health"], play).rows == []


def test_other_flaws_leave_the_application_and_the_entry_as_they_are():
    assert flawed.registration(["around-the-links"]).store is Registration.store
    assert flawed.registration(["around-the-links"]).healthz is Registration.healthz
    assert flawed.entry(["green-health"]) is Entry


def test_an_entry_without_health_check_asks_nobody():
    async def run() -> None:
        entry = flawed.entry(["entry-without-health-check"])(1, 2)
        watching = asyncio.ensure_future(entry.watch(1))
        done, _ = await asyncio.wait({watching}, timeout=0.05)
        assert not done
        assert entry.target == 1
        watching.cancel()

    asyncio.run(run())


def layout(folder: Path, *flaws: str) -> Layout:
    return Layout(folder, free_ports(folder), new_passwords(), 6, flaws)


@pytest.mark.parametrize(
    ("flaw", "there", "gone"),
    [
        (None, "CREATE TABLE registrations (\n  key text PRIMARY KEY", "UNLOGGED"),
        ("unlogged-table", "CREATE UNLOGGED TABLE registrations", "CREATE TABLE registrations"),
        ("retry-without-key", "key text NOT NULL", "key text PRIMARY KEY"),
    ],
)
def test_the_table_is_as_the_flaw_says(tmp_path: Path, flaw: str | None, there: str, gone: str):
    seed = postgresql.seed(layout(tmp_path, *([flaw] if flaw else [])))
    assert there in seed
    assert gone not in seed


def test_only_a_way_around_the_links_leads_to_a_private_port_of_the_other_site(tmp_path: Path):
    for flaws, around in (((), False), (("around-the-links",), True)):
        lab = layout(tmp_path, *flaws)
        config = machines._app_config(lab, HOSTS["south-app1"])
        port = config["databases"]["east-db1"]["pg"]
        assert (port == lab.private("east-db1", "pg")) is around
        assert config["databases"]["south-db1"]["pg"] == lab.link("south-app1", "south-db1", "pg")
