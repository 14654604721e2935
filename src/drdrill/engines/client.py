# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A client of a database, as measuring uses it: sessions through the addresses that clients have, which faults do cut.

Everything here raises `SqlFailed` for an answer that is none, and sets no deadline: whoever measures does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from drdrill.connect.sql import SqlFailed
from drdrill.engines.engine import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

__all__ = ["Address", "ClientSession", "first_writer"]

NEXT_S: Final = 0.25
"""A member that has not answered after this does not keep a client from trying the next one, as RFC 8305 has it for addresses."""


class ClientSession(Protocol):
    """One session with one member. Every statement is a transaction of its own."""

    @property
    def stale(self) -> bool:
        """Whether it can be used no more."""

    async def write(self, table: str, key: str) -> None:
        """Insert one row into the ledger; returns once the commit was acknowledged."""

    async def accepts_writes(self) -> bool:
        """Ask whether this member accepts writes, by its own word."""

    async def commit(self) -> bool:
        """Make a commit that leaves no row behind, and return once it was acknowledged; False from a member that only reads."""

    def close(self) -> None:
        """At once, whatever it waits for."""


class SqlClient(Protocol):
    """A client at one place."""

    async def reach(self, host: str) -> ClientSession:
        """A session with this member, whatever its role."""

    async def writer(self) -> ClientSession:
        """A session with the member that accepts writes now, as a client finds it: by trying."""


async def first_writer(
    attempts: Mapping[str, Callable[[], Coroutine[None, None, ClientSession]]],
) -> tuple[str, ClientSession]:
    """The first of these attempts that ends in a session; the others are given up.

    They begin one after the other: the next as soon as the one before has failed, or has been silent for `NEXT_S`.

    Raises:
        SqlFailed: none did; the words of each.
    """
    rest = list(attempts)
    trying: dict[asyncio.Task[ClientSession], str] = {}
    failures: list[str] = []
    try:
        while rest or trying:
            if rest:
                host = rest.pop(0)
                trying[asyncio.ensure_future(attempts[host]())] = host
            done, _ = await asyncio.wait(trying, timeout=NEXT_S if rest else None, return_when=asyncio.FIRST_COMPLETED)
            won: list[tuple[str, ClientSession]] = []
            for task in done:
                host = trying.pop(task)
                try:
                    won.append((host, task.result()))
                except SqlFailed as error:
                    failures.append(f"{host}: {error}")
            for _host, also in won[1:]:
                also.close()
            if won:
                return won[0]
    finally:
        for task in trying:
            task.cancel()
        for left in await asyncio.gather(*trying, return_exceptions=True):
            if not isinstance(left, BaseException):
                left.close()
    raise SqlFailed("; ".join(failures) or "there is no address to try")
