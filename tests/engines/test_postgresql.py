# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest
from estates import fake_estate

from drdrill.connect.psycopg import Connection
from drdrill.engines.postgresql import PostgreSQL
from drdrill.errors import BadInput, MissingExtra, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

SECRET = "s3cr3t-of-the-lab"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Something that accepts and never answers, as a frozen link does."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                kept.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for connection in kept:
        connection.close()


def engine(folder: Path, port: int) -> PostgreSQL:
    estate = fake_estate(folder)
    dsn = f"host=127.0.0.1 port={port} user=drdrill password={SECRET} dbname=clinical"
    database = replace(
        estate.databases["clinical"], engine="postgresql", nodes={"east-db1": {"dsn": dsn}, "south-db1": {"dsn": dsn}}
    )
    return PostgreSQL(estate, database)


@pytest.mark.parametrize(
    ("phase", "code", "outcome"),
    [
        ("connect", None, "fail"),
        ("connect", "57P03", "fail"),
        ("connect", "08001", "fail"),
        ("statement", "23505", "fail"),
        ("statement", "40001", "fail"),
        ("statement", "40P01", "fail"),
        ("statement", "25006", "fail"),
        ("statement", "42501", "fail"),
        ("statement", "40003", "unknown"),
        ("statement", "57014", "unknown"),
        ("statement", "57P01", "unknown"),
        ("statement", "08006", "unknown"),
        ("statement", "08007", "unknown"),
        ("statement", "53100", "unknown"),
        ("statement", None, "unknown"),
        ("commit", "40001", "fail"),
        ("commit", "23505", "fail"),
        ("commit", "42501", "unknown"),
        ("commit", "57P01", "unknown"),
        ("commit", None, "unknown"),
    ],
)
def test_a_code_is_a_failure_only_where_it_proves_a_rollback(
    tmp_path: Path, phase: Literal["connect", "statement", "commit"], code: str | None, outcome: str
) -> None:
    assert engine(tmp_path, 1).classify(phase, code) == outcome


def test_members_that_refuse_are_unknown_with_the_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    asked = engine(tmp_path, port)
    members = asked.members()
    assert [m.role for m in members] == ["unknown", "unknown"]
    assert all("refused" in m.words.lower() for m in members)
    assert asked.writer() is None
    assert asked.in_step().answer is False
    with pytest.raises(WayInFailed, match="no single writer"):
        asked.position()


def test_silent_members_do_not_hold_up_the_look(tmp_path: Path, silent_port: int) -> None:
    asked = engine(tmp_path, silent_port)
    begun = time.monotonic()
    members = asked.members()
    assert time.monotonic() - begun < 3.5
    assert [m.role for m in members] == ["unknown", "unknown"]


def test_claims_of_silent_members_are_silent_at_once(tmp_path: Path, silent_port: int) -> None:
    asked = engine(tmp_path, silent_port)
    for _ in range(2):
        begun = time.monotonic()
        assert list(asked.claims()) == [("east-db1", None, 0), ("south-db1", None, 0)]
        assert time.monotonic() - begun < 0.8


def test_where_nobody_listens_nobody_claims(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    asked = engine(tmp_path, port)
    end = time.monotonic() + 10
    while (told := list(asked.claims())) != [("east-db1", False, 0), ("south-db1", False, 0)]:
        assert time.monotonic() < end, told


def test_no_message_holds_a_password(tmp_path: Path) -> None:
    for member in engine(tmp_path, 1).members():
        assert SECRET not in member.words


def test_a_dsn_that_is_none_says_so_without_showing_it() -> None:
    with pytest.raises(BadInput, match="libpq can read") as caught:
        Connection(f"host=x password={SECRET} {SECRET}", "east-db1").rows("select 1")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_driver_is_answered_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"pip install 'drdrill\[postgresql\]'"):
        Connection("host=x", "east-db1").rows("select 1")


def test_a_node_without_a_dsn_is_bad_input(tmp_path: Path) -> None:
    estate = fake_estate(tmp_path)
    with pytest.raises(BadInput, match=r"estate\.yaml: node east-db1 of database clinical needs a `dsn`"):
        PostgreSQL(estate, estate.databases["clinical"])


@pytest.mark.lab
def test_a_statement_ends_in_time_by_closing_its_socket(pocket_estate: Estate) -> None:
    dsn = pocket_estate.databases["clinical"].nodes["east-db1"]["dsn"]
    connection = Connection(dsn, "east-db1")
    begun = time.monotonic()
    with pytest.raises(WayInFailed, match=r"east-db1: no answer within 0\.5 s"):
        connection.rows("select pg_sleep(20)", within_s=0.5)
    assert time.monotonic() - begun < 2
    assert connection.rows("select 1") == [(1,)]
    connection.close()


@pytest.mark.lab
def test_a_wrong_password_is_said_without_it(pocket_estate: Estate) -> None:
    dsn = pocket_estate.databases["clinical"].nodes["east-db1"]["dsn"]
    wrong = " ".join(f"password={SECRET}" if part.startswith("password=") else part for part in dsn.split())
    with pytest.raises(WayInFailed, match="password authentication failed") as caught:
        Connection(wrong, "east-db1").rows("select 1")
    assert SECRET not in str(caught.value)


@pytest.mark.lab
def test_keys_come_in_batches_and_in_the_order_of_their_bytes(pocket_estate: Estate) -> None:
    database = pocket_estate.databases["clinical"]
    found = PostgreSQL(pocket_estate, database)
    writer = str(found.writer())
    connection = Connection(database.nodes[writer]["dsn"], writer)
    wrote = f"batch{time.monotonic_ns()}/"
    connection.rows(
        "with w as (insert into registrations (key, site) select %s || n, 'east' from generate_series(1, 5000) n returning 1)"
        " select count(*) from w",
        (wrote,),
        within_s=20,
    )
    connection.close()
    found.close()
    keys = list(found.keys(writer, "registrations", "key", wrote))
    assert len(keys) == 5000
    assert keys == sorted(keys)
