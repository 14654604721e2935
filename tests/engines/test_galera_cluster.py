# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The engine and its clients on a real Galera cluster, healthy: over the real driver, each statement real."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from drdrill.connect.odbc import Connection
from drdrill.connect.odbc_string import ConnectionString
from drdrill.connect.odbc_zygote import Zygote
from drdrill.connect.sql import SqlFailed
from drdrill.engines.engine import LEDGER_KEY
from drdrill.engines.galera import Galera
from drdrill.engines.galera_client import PROBE
from drdrill.errors import WayInFailed
from drdrill.measure.sql import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.engines.client import ClientSession
    from drdrill.estate.model import Estate

pytestmark = pytest.mark.network
SECRET = "s3cr3t-of-the-lab"


@pytest.fixture
def engine(network_estate: Estate) -> Iterator[Galera]:
    made = Galera(network_estate, network_estate.databases["clinical"])
    yield made
    made.close()


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


def connection(estate: Estate, zygote: Zygote, host: str, **parts: str) -> Connection:
    dsn = estate.databases["clinical"].nodes[host]["dsn"]
    dsn += "".join(f";{name}={value}" for name, value in parts.items())
    return Connection(lambda: zygote, ConnectionString(dsn, host), host)


def committed(engine: Galera) -> int:
    return int(engine.position().rpartition(":")[2])


def test_a_statement_that_lasts_ends_in_time_and_the_next_one_is_answered(
    network_estate: Estate, zygote: Zygote
) -> None:
    asked = connection(network_estate, zygote, "east-db1")
    with pytest.raises(WayInFailed, match=r"east-db1: no answer within 0\.5 s"):
        asked.rows("select sleep(30)", within_s=0.5)
    assert asked.rows("select 1 + 1") == [[2]]
    asked.close()


def test_a_wrong_password_is_said_without_it(network_estate: Estate, zygote: Zygote) -> None:
    asked = connection(network_estate, zygote, "east-db1", PWD=SECRET)
    with pytest.raises(WayInFailed, match="east-db1: Access denied") as caught:
        asked.rows("select 1")
    assert SECRET not in str(caught.value)


def test_keys_come_in_the_order_of_their_bytes_and_only_those_of_the_prefix(engine: Galera) -> None:
    table = engine.make_ledger("20261128-000002-test")
    try:
        engine._at_writer(f"insert into {table} select concat('a/', seq) from seq_1_to_5000")  # noqa: S608
        engine._at_writer(f"insert into {table} values ('A/1'), ('a_1'), ('b/1')")  # noqa: S608
        since = engine.position()
        for member in engine.members():
            end = time.monotonic() + 20
            while engine.settled(member.host, since).answer is not True:
                assert time.monotonic() < end
            keys = list(engine.keys(member.host, table, LEDGER_KEY, "a/"))
            assert len(keys) == 5000
            assert keys == sorted(keys)
    finally:
        engine.drop_ledger(table)


def test_a_probing_commit_is_replicated_and_leaves_no_row(
    engine: Galera, network_estate: Estate, zygote: Zygote
) -> None:
    async def run() -> None:
        session = await _reach(engine, "east-db1")
        assert await session.commit()
        before = committed(engine)
        for _ in range(10):
            assert await session.commit()
        assert committed(engine) >= before + 10
        session.close()

    asyncio.run(run())
    asked = connection(network_estate, zygote, "south-db1")
    assert asked.rows(f"select count(*) from {PROBE}") == [[0]]  # noqa: S608
    asked.close()


def test_the_table_of_probes_is_made_again_when_it_is_gone(engine: Galera) -> None:
    async def run() -> None:
        session = await _reach(engine, "south-db1")
        engine._at_writer(f"drop table if exists {PROBE}")
        assert await session.commit()
        session.close()

    asyncio.run(run())


def test_a_commit_that_is_refused_leaves_no_open_transaction_behind(engine: Galera) -> None:
    """A write over that session would be told to have succeeded, and be undone with its end."""

    async def run() -> None:
        session = await _reach(engine, "east-db1")
        engine._at_writer(f"drop table if exists {PROBE}")
        engine._at_writer(f"create view {PROBE} as select 1 as id")
        try:
            with pytest.raises(SqlFailed):
                await session.commit()
            assert session.stale
        finally:
            engine._at_writer(f"drop view {PROBE}")

    asyncio.run(run())


@pytest.mark.parametrize("key", ["20261128/write-to/1", "it's", "back\\slash", "a;--b", '"', "?"])
def test_a_key_is_stored_as_it_is(engine: Galera, key: str) -> None:
    table = engine.make_ledger("20261128-000004-test")

    async def run() -> None:
        session = await _reach(engine, "east-db1")
        await session.write(table, key)
        session.close()

    try:
        asyncio.run(run())
        assert list(engine.keys("east-db1", table, LEDGER_KEY, "")) == [key]
    finally:
        engine.drop_ledger(table)


def test_the_same_key_at_two_members_is_taken_once(engine: Galera) -> None:
    """Certification lets one win; the other is told so, and a drill may call that a failure."""
    table = engine.make_ledger("20261128-000003-test")

    async def write(session: ClientSession, key: str) -> str:
        try:
            await session.write(table, key)
        except SqlFailed as error:
            return engine.classify("statement", error.code)
        return "ok"

    async def run() -> None:
        east, south = await _reach(engine, "east-db1"), await _reach(engine, "south-db1")
        for n in range(50):
            told = await asyncio.gather(write(east, f"k{n}"), write(south, f"k{n}"))
            assert sorted(told) == ["fail", "ok"]
        east.close()
        south.close()

    try:
        asyncio.run(run())
    finally:
        engine.drop_ledger(table)


def test_clients_are_told_which_members_are_not_there(engine: Galera, network_estate: Estate) -> None:
    database = network_estate.databases["clinical"]
    nodes = {h: {**n, "dsn": f"{n['dsn']};DATABASE=nothing"} for h, n in database.nodes.items()}
    lost = Galera(network_estate, replace(database, nodes=nodes))

    async def run() -> None:
        with pytest.raises(SqlFailed, match="east-db1: .*nothing.*; south-db1: .*nothing"):
            await lost.client(_addresses(engine)).writer()

    asyncio.run(run())


def _addresses(engine: Galera) -> dict[str, tuple[str, int]]:
    """The management addresses: the test does not stand where clients stand."""
    return {host: string.address for host, string in engine._strings.items()}


async def _reach(engine: Galera, host: str) -> ClientSession:
    async with asyncio.timeout(20):
        return await engine.client(_addresses(engine)).reach(host)


def test_the_addresses_of_clients_are_those_of_the_estate_file(network_estate: Estate) -> None:
    addresses = network_estate.databases["clinical"].addresses
    assert {address_of(url)[1] for url in addresses.values()} == {3306}
