# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Waits until a network lab is what a drill may begin on: each site's own application acknowledges, and all members are there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

from drdrill.errors import LabError
from drdrill.lab.ask_supervisor import ask
from drdrill.lab.folder import last_lines
from drdrill.lab.network import readiness, syscalls
from drdrill.lab.network.topology import SERVING

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.lab.network.layout import Layout

T = TypeVar("T")

_READY_S: Final = 60.0
_LOOK_S: Final = 0.05


def until_ready(layout: Layout, say: Callable[[str], None], began: float) -> None:
    """Return once nothing is missing.

    Args:
        layout: of a lab whose supervisor answers.
        say: gets a line for each step that is reached.
        began: CLOCK_MONOTONIC seconds, from which the lines count.

    Raises:
        LabError: something is missing after a minute, and what.
    """
    outside, client = (_namespace(layout, host) for host in (None, "client"))
    deadline = time.monotonic() + _READY_S
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        ("every host does its part, and the database has all its members", lambda: _lacking(layout, outside)),
        ("each site's own application acknowledges registrations", lambda: _unacknowledged(client)),
    )
    for words, missing in steps:
        while lacks := missing():
            _alive(layout)
            if time.monotonic() > deadline:
                raise LabError(
                    f"the lab does not come up within {_READY_S:g} s: {lacks}; its logs are in {layout.folder}"
                )
            time.sleep(_LOOK_S)  # What is missing is other programs' to do; they can only be asked.
        say(f"{time.monotonic() - began:5.1f} s  {words}")


def _lacking(layout: Layout, namespace: str) -> str:
    found = _standing(namespace, lambda: readiness.missing(layout))
    return "; ".join(f"{host}: {', '.join(lacks)}" for host, lacks in found.items() if lacks)


def _unacknowledged(namespace: str) -> str:
    for site in SERVING:
        by = _standing(namespace, lambda site=site: readiness.application_of(site))  # type: ignore[misc]
        if by != site:
            how = "nobody acknowledges a registration" if by is None else f"site {by} acknowledges for it"
            return f"{site}: {how}"
    return ""


def _standing(namespace: str, question: Callable[[], T]) -> T:
    """Ask from a network namespace: a thread of its own goes there, and the caller stays where it is."""
    answers: list[T] = []
    errors: list[Exception] = []

    def there() -> None:
        try:
            syscalls.enter(namespace, syscalls.NEWNET)
            answers.append(question())
        except Exception as error:  # noqa: BLE001 - it is raised where the question was asked
            errors.append(error)

    asking = threading.Thread(target=there)
    asking.start()
    asking.join()
    if errors:
        raise LabError(f"the lab cannot be asked how it is: {errors[0]}") from errors[0]
    return answers[0]


def _namespace(layout: Layout, host: str | None) -> str:
    if host is None:
        answer = ask(layout.folder, {"do": "hello"}) or {}
        return f"/proc/{answer.get('pid')}/ns/net"
    answer = ask(layout.folder, {"do": "place", "host": host}) or {}
    if "netns" not in answer:
        raise LabError(f"the lab does not come up: {answer.get('error', 'its supervisor has ended')}; {_log(layout)}")
    return str(answer["netns"])


def _alive(layout: Layout) -> None:
    """A host that is off will not come back by itself: there is nothing to wait for."""
    answer = ask(layout.folder, {"do": "hosts", "health": False})
    if answer is None:
        raise LabError(f"the lab's supervisor has ended: {_log(layout)}")
    for name, host in answer["hosts"].items():
        if not host["on"]:
            said = last_lines(layout.folder / f"{name}.log")
            raise LabError(f"the lab does not come up: {name} ended by itself: {said}; {_log(layout)}")


def _log(layout: Layout) -> str:
    return last_lines(layout.folder / "supervisor.log")
