# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Asking the members of a database: all at the same time, each in a thread of its own, none waited for longer than it may take."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from drdrill.errors import DrdrillError, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")

ANSWER_S: Final = 2.0
"""A member that says nothing for so long is silent."""
CLAIM_S: Final = 0.5
"""How long a round of sampling waits for those that have not answered yet."""
LATER_S: Final = 0.5
"""What a question may take beyond its own deadline: threads have to run, too."""


class Asking:
    """One thread for each member. A question that hangs holds up the next ones to the same member only.

    Args:
        members: the hosts.
        name: of the threads.
    """

    def __init__(self, members: Iterable[str], name: str) -> None:
        self._threads = {host: ThreadPoolExecutor(1, f"{name}-{host}") for host in members}

    def everybody(self, question: Callable[[str], T]) -> dict[str, T | DrdrillError]:
        """Ask every member at the same time. A member that says nothing, or no good, is an error of its own."""
        asked = {host: thread.submit(question, host) for host, thread in self._threads.items()}
        wait(asked.values(), timeout=ANSWER_S + LATER_S)
        return {host: _answer(host, future) for host, future in asked.items()}

    def one(self, host: str, question: Callable[[], T]) -> T | DrdrillError:
        """Ask one member."""
        future = self._threads[host].submit(question)
        wait([future], timeout=ANSWER_S + LATER_S)
        answer: T | DrdrillError = _answer(host, future)
        return answer

    def close(self, closes: Mapping[str, Callable[[], None]]) -> list[Future[None]]:
        """Close what each thread uses, in that thread, so that nothing is closed under a question."""
        return [self._threads[host].submit(close) for host, close in closes.items()]


class Sampling(Asking, Generic[T]):
    """Asks everybody the same short question again and again; who has not answered the last one is not asked another."""

    def __init__(self, members: Iterable[str], name: str) -> None:
        super().__init__(members, name)
        self._asked: dict[str, Future[T]] = {}

    def round(self, question: Callable[[str], T], within_s: float) -> dict[str, T | None]:
        """What each member says now; None for one that is silent or whose answer is an error."""
        for host, thread in self._threads.items():
            if host not in self._asked or self._asked[host].done():
                self._asked[host] = thread.submit(question, host)
        wait(self._asked.values(), timeout=within_s)
        return {host: _told(self._asked[host]) for host in self._threads}


def closed(futures: Iterable[Future[None]]) -> None:
    """Wait until everything is closed, or for as long as a question may still take."""
    wait(list(futures), timeout=ANSWER_S + 1)


def _answer(host: str, future: Future[Any]) -> Any:
    if not future.done():
        future.cancel()
        return WayInFailed(f"{host}: no answer within {ANSWER_S:g} s")
    try:
        return future.result()
    except DrdrillError as error:
        return error


def _told(future: Future[T]) -> T | None:
    if not future.done():
        return None
    try:
        return future.result()
    except DrdrillError:
        return None
