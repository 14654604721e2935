# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""How a client finds the member that writes, and what the tables of a drill are called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from drdrill.connect.sql import SqlFailed
from drdrill.engines import client
from drdrill.engines.client import first_writer
from drdrill.engines.ledger import ledger_of, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Session:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Members:
    """Members that answer a client as they are told to: writes, refuses, is silent."""

    def __init__(self, **told: str) -> None:
        self.told = told
        self.tried: list[str] = []
        self.given_up: list[str] = []
        self.opened: dict[str, Session] = {}

    def attempts(self) -> dict[str, Callable[[], Coroutine[None, None, Session]]]:
        return {name: lambda name=name: self._open(name) for name in self.told}

    async def _open(self, name: str) -> Session:
        self.tried.append(name)
        if self.told[name] == "silent":
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up.append(name)
        if self.told[name] == "refuses":
            raise SqlFailed("session is read-only")
        self.opened[name] = Session()
        return self.opened[name]


def find(members: Members) -> tuple[str, Session]:
    async def run() -> tuple[str, Session]:
        async with asyncio.timeout(10):
            return await first_writer(members.attempts())  # type: ignore[arg-type]

    return asyncio.run(run())


def test_the_first_that_writes_is_taken_and_nobody_else_is_asked() -> None:
    members = Members(east="writes", south="writes")
    name, session = find(members)
    assert (name, members.tried, session.closed) == ("east", ["east"], False)


def test_one_that_refuses_is_passed_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "NEXT_S", 60.0)
    members = Members(east="refuses", south="writes")
    assert find(members)[0] == "south"


def test_one_that_is_silent_keeps_nobody_from_the_next_and_is_given_up() -> None:
    members = Members(east="silent", south="writes")
    assert find(members)[0] == "south"
    assert members.given_up == ["east"]


def test_of_two_that_write_at_the_same_time_one_is_closed() -> None:
    async def run() -> None:
        gate = asyncio.Event()
        opened: list[Session] = []

        async def late() -> Session:
            await gate.wait()
            opened.append(Session())
            return opened[-1]

        finding = asyncio.ensure_future(first_writer({"east": late, "south": late}))  # type: ignore[dict-item]
        await asyncio.sleep(client.NEXT_S * 2)
        gate.set()
        await finding
        await asyncio.sleep(0)
        assert sorted(s.closed for s in opened) == [False, True]

    asyncio.run(run())


def test_when_nobody_writes_the_words_of_each_are_kept() -> None:
    with pytest.raises(SqlFailed, match=r"east: session is read-only; south: session is read-only"):
        find(Members(east="refuses", south="refuses"))


def test_a_ledger_is_named_after_its_drill_in_letters_that_need_no_quoting() -> None:
    assert ledger_of("20261125-015608-AB12") == "drdrill_ledger_20261125_015608_ab12"


@pytest.mark.parametrize("name", ["a; drop table b", 'a"b', "A", ""])
def test_a_name_that_would_need_quoting_never_stands_in_a_statement(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a ledger"):
        plain(name)
