# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The registration application's way to its database: which one it writes to now, and a small pool of sessions to it.

What is the same for every engine is here; `postgresql_sessions` and `mariadb_sessions` say how a database is asked, which one is
chosen and what a session is. Each database is asked by its own task on its own clock: a silent one must not delay the news of
another. A statement that is not acknowledged in time is given up by cutting its session.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

_LONGEST_S: Final = 2.0
"""From taking a session to the acknowledgement."""
CALM_S: Final = 0.5
EAGER_S: Final = 0.2
"""How often the databases are asked while the writer is known, and while it is not."""
FALL: Final = 2
"""One late answer is no failure, as in a load balancer."""


class UnavailableError(Exception):
    """No acknowledgement. Whether the statement took effect is not known."""


class TakenError(Exception):
    """The database has a row with this key already."""


@dataclass(frozen=True)
class Statements:
    """The application's SQL, as one engine wants it.

    Args:
        register: takes the key and the site.
        beat: a commit that is there to be acknowledged; takes the site.
        count: how many registrations there are.
    """

    register: str
    beat: str
    count: str = "SELECT count(*) FROM registrations"


class Session(ABC):
    """One session. `to` is the name of its database."""

    to: str

    @property
    @abstractmethod
    def broken(self) -> bool:
        """Whether it is of no use any more."""

    @abstractmethod
    async def fetch(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement once it is committed. Raises TakenError; UnavailableError, after which it is broken."""

    @abstractmethod
    def cut(self) -> None:
        """End it at once, without a word to the database. What it is fetching fails."""


class Sessions(ABC):
    """At most `limit` sessions, all to the one database that was chosen.

    `writer` is its name, or None. `claims` says of each database whether it would take a write, as was last heard.
    """

    statements: ClassVar[Statements]

    def __init__(self, names: Iterable[str], limit: int = 16) -> None:
        self.writer: str | None = None
        self.claims = dict.fromkeys(names, False)
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[Session] = []
        self._busy: set[Session] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    @abstractmethod
    async def open(self, name: str) -> Session:
        """A new session. Raises UnavailableError."""

    @abstractmethod
    async def watch(self, name: str) -> None:
        """Keep `claims` of this database true for ever, and call `use` with what follows from it."""

    def start(self) -> None:
        """Begin to ask the databases."""
        for name in self.claims:
            self._keep(self.watch(name))

    async def stop(self) -> None:
        """Stop asking and close every session."""
        self._drop(busy=True)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def use(self, writer: str | None) -> None:
        """Write to this one from now on. What is under way to another that still claims to take writes may end by itself."""
        if writer == self.writer:
            return
        old, self.writer = self.writer, writer
        self._drop(busy=old is not None and not self.claims[old])

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows once its commit was acknowledged.

        Raises:
            UnavailableError: there is no writer, or it did not acknowledge within 2 s.
            TakenError: the key exists.
        """
        deadline = asyncio.get_running_loop().time() + _LONGEST_S
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError as error:
            raise UnavailableError("every session is busy") from error
        try:
            return await self._run(await self._session(deadline), statement, values, deadline)
        finally:
            self._slots.release()

    async def _session(self, deadline: float) -> Session:
        if self.writer is None:
            raise UnavailableError("no database claims to be the writer")
        if self._idle:
            return self._idle.pop()
        writer = self.writer
        try:
            async with asyncio.timeout_at(deadline):
                session = await self.open(writer)
        except TimeoutError as error:
            raise UnavailableError(f"{writer} cannot be connected within {_LONGEST_S:g} s") from error
        if writer != self.writer and not self.claims[writer]:
            session.cut()
            raise UnavailableError("the writer moved")
        return session

    async def _run(
        self, session: Session, statement: str, values: Sequence[Any], deadline: float
    ) -> list[tuple[Any, ...]]:
        self._busy.add(session)
        # A task of its own, that is never cancelled: a cancelled statement may still be answered, and then with a lie.
        task = self._keep(session.fetch(statement, values))
        await asyncio.wait({task}, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
        self._busy.discard(session)
        if not task.done():
            session.cut()
            raise UnavailableError(f"not acknowledged within {_LONGEST_S:g} s")
        try:
            rows: list[tuple[Any, ...]] = task.result()
        finally:
            if session.to == self.writer and not session.broken:
                self._idle.append(session)
            else:
                session.cut()
        return rows

    def _drop(self, *, busy: bool) -> None:
        for session in (*self._idle, *(self._busy if busy else ())):
            session.cut()
        self._idle.clear()

    def _keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Read, so that a statement that was given up is not reported as forgotten.
