# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A call that may hang, with an end to the waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def bounded(call: Callable[[], T], within_s: float, words: str) -> T:
    """What the call returns or raises, if it does so in time.

    It runs in a thread of its own that nobody waits for afterwards: Python cannot stop it, but a drill must go on to its
    other heals.

    Raises:
        WayInFailed: it did not end in time.
    """
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for it
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True, name=words)
    thread.start()
    thread.join(within_s)
    if failure:
        raise failure[0]
    if not answer:
        raise WayInFailed(f"{words} did not end within {within_s:g} s")
    return answer[0]
