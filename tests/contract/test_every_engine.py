# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every engine keeps. `fake` always, `postgresql` in the pocket lab, `galera` in the network lab."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate
from waiting import eventually

from drdrill.connect.registry import Ways
from drdrill.engines.engine import LEDGER_KEY, Engine
from drdrill.engines.registry import ENGINES, engine_for
from drdrill.errors import BadInput, Refused
from drdrill.measure.sql import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate

POSTGRESQL = pytest.param("pocket_estate", marks=pytest.mark.lab, id="postgresql")
GALERA = pytest.param("network_estate", marks=pytest.mark.network, id="galera")
ONE_WRITER = ("fake", POSTGRESQL)
"""Engines with one writer that can be moved; in the others every member writes."""


@pytest.fixture(params=(*ONE_WRITER, GALERA))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    fake = request.param == "fake"
    estate = fake_estate(request.getfixturevalue("tmp_path")) if fake else request.getfixturevalue(request.param)
    made = engine_for(estate, "clinical")
    yield made
    made.close()


only_one_writes = pytest.mark.parametrize("engine", ONE_WRITER, indirect=True)


def test_every_engine_of_ours_is_loaded_by_name() -> None:
    wanted = {m for m in vars(Engine) if not m.startswith("_")}
    for name in ENGINES.names():
        found = ENGINES.load(name)
        assert found.name == name
        assert wanted <= set(dir(found))
        assert found.consistency


@only_one_writes
def test_one_member_writes_and_the_others_follow(engine: Engine) -> None:
    eventually(lambda: engine.in_step().answer is True, 60.0)
    members = engine.members()
    assert [m.role for m in members].count("writer") == 1
    assert all(m.healthy and m.in_step for m in members)
    assert engine.writer() == next(m.host for m in members if m.role == "writer")
    assert sorted(c.host for c in engine.claims() if c.accepts) == [engine.writer()]


def test_every_member_is_readable_and_has_the_same_keys(engine: Engine) -> None:
    eventually(lambda: engine.in_step().answer is True, 60.0)
    since = engine.position()
    keys = []
    for member in engine.members():
        assert engine.readable(member.host).answer is True
        eventually(lambda host=member.host: engine.settled(host, since).answer is True, 60.0)
        keys.append(list(engine.keys(member.host, "registrations", "key", "")))
    assert keys[0] == keys[1] == sorted(keys[0])
    assert list(engine.keys(engine.members()[0].host, "registrations", "key", "no such prefix")) == []


def test_who_claims_to_write_is_who_members_say_writes(engine: Engine) -> None:
    eventually(lambda: engine.in_step().answer is True, 60.0)
    members = engine.members()
    writers = sorted(m.host for m in members if m.role == "writer")
    assert all(m.healthy and m.in_step for m in members)
    eventually(lambda: sorted(c.host for c in engine.claims() if c.accepts) == writers, 60.0)
    claims = [c for c in engine.claims() if c.accepts]
    assert len(claims) == 1 or (len({c.component for c in claims}) == 1 and claims[0].component)
    assert engine.writer() == (writers[0] if len(writers) == 1 else None)


@only_one_writes
def test_a_writer_is_not_moved_to_where_it_is(engine: Engine) -> None:
    with pytest.raises(Refused, match="already"):
        engine.switch_over(str(engine.writer()))


@only_one_writes
def test_a_switchover_moves_the_writer_and_back(engine: Engine) -> None:
    for _ in range(2):
        eventually(lambda: engine.in_step().answer is True, 60.0)
        target = next(m.host for m in engine.members() if m.role == "replica")
        engine.switch_over(target)
        assert engine.writer() == target
    eventually(lambda: engine.in_step().answer is True, 60.0)


def test_who_never_connected_wrote_nothing(engine: Engine) -> None:
    assert engine.classify("connect", None) == "fail"


def test_an_error_without_a_code_proves_nothing(engine: Engine) -> None:
    assert engine.classify("statement", None) == "unknown"
    assert engine.classify("commit", None) == "unknown"


# --- clients of the database itself -----------------------------------------------------------------------------------


def test_a_ledger_is_there_once_it_is_made_and_gone_once_it_is_dropped(engine: Engine) -> None:
    table = engine.make_ledger("20261125-000000-test")
    assert table in engine.ledgers()
    assert engine.drop_statement(table)
    engine.drop_ledger(table)
    assert table not in engine.ledgers()
    engine.drop_ledger(table)


def test_a_database_in_memory_has_no_clients(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="in memory"):
        engine_for(fake_estate(tmp_path), "clinical").client({"east-db1": ("127.0.0.1", 1)})


@pytest.mark.parametrize("which", [POSTGRESQL, GALERA])
def test_a_client_at_each_place_writes_to_whoever_writes_and_every_member_has_the_row(
    request: pytest.FixtureRequest, which: str
) -> None:
    estate: Estate = request.getfixturevalue(which)
    engine = engine_for(estate, "clinical")
    eventually(lambda: engine.in_step().answer is True, 60.0)
    table = engine.make_ledger("20261125-000001-test")
    try:
        with Ways(estate) as ways:
            for vantage in estate.vantage:
                told = {
                    "estate": estate.name,
                    "database": "clinical",
                    "addresses": _addresses(estate, ways, vantage),
                    "writers": [m.host for m in engine.members() if m.role == "writer"],
                    "table": table,
                    "key": f"key/{vantage}",
                }
                argv = [sys.executable, str(Path(__file__).parent / "a_client.py"), json.dumps(told)]
                subprocess.run(ways.vantages().command(vantage, argv), check=True, timeout=60)
        since = engine.position()
        wanted = sorted(f"key/{vantage}" for vantage in estate.vantage)
        for member in engine.members():
            eventually(lambda host=member.host: engine.settled(host, since).answer is True, 60.0)
            assert list(engine.keys(member.host, table, LEDGER_KEY, "key/")) == wanted
    finally:
        engine.drop_ledger(table)
        engine.close()


def _addresses(estate: Estate, ways: Ways, vantage: str) -> dict[str, tuple[str, int]]:
    urls = estate.databases["clinical"].addresses
    return {host: address_of(ways.vantages().address(vantage, url)) for host, url in urls.items()}
