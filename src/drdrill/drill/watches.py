# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is watched while a drill runs, and ends it when it is not as it must be: abort conditions, guards, guardian, lock.

A watch that crashes has tripped: nobody goes on breaking things because he does not see any more.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from drdrill.errors import Tripped

if TYPE_CHECKING:
    from collections.abc import Callable


class Watch(Protocol):
    """One thing that is watched."""

    name: str
    """What it is, for the journal: `abort condition: service "billing" is away for more than 20 s`."""
    every_s: float
    """How often it is looked at, at most; the drill's main loop comes by ten times a second while it waits."""

    def look(self) -> str | None:
        """Why the drill has to stop, in words, or None. Bounded, and short: leases are fed by the same loop."""


class Watches:
    """Everything that is watched in one drill.

    Args:
        tell: gets the watch and its words when one trips, before Tripped is raised: the journal.
        now_ns: the clock.
    """

    def __init__(self, tell: Callable[[str, str], None], now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._tell = tell
        self._now_ns = now_ns
        self._due: list[tuple[Watch, int]] = []
        self._over = False

    def add(self, watch: Watch) -> None:
        """From now on."""
        self._due.append((watch, self._now_ns()))

    def end(self) -> None:
        """The drill heals by now: nothing that is seen from here on may stop that."""
        self._over = True

    def look(self) -> None:
        """Look at each whose time has come. One that tripped ends the looking: the drill heals by then.

        Raises:
            Tripped: one of them says that the drill has to stop, or could not be looked at.
        """
        if self._over:
            return
        now = self._now_ns()
        for at, (watch, due) in enumerate(self._due):
            if now < due:
                continue
            self._due[at] = (watch, now + int(watch.every_s * 1e9))
            try:
                words = watch.look()
            except Exception as error:  # noqa: BLE001 - whatever keeps it from seeing, nobody sees now
                words = f"it could not be looked at: {type(error).__name__}: {error}"
            if words is not None:
                self._over = True
                self._tell(watch.name, words)
                raise Tripped(f"{watch.name}: {words}")
