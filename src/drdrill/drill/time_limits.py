# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Limits of time, watched while a drill runs: how long it may take, and when its window closes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from drdrill.drill import limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.estate.model import Estate


class Clock:
    """What time it is. A clock that is set back while a drill runs makes no window longer.

    Args:
        wall: UTC.
        mono_ns: never set.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall, self._mono_ns = wall, mono_ns
        self._begun, self._begun_ns = wall(), mono_ns()

    def now(self) -> datetime:
        """The later one of what the clock shows, and what it must show by now."""
        return max(self._wall(), self._begun + timedelta(seconds=self.passed_s()))

    def passed_s(self) -> float:
        """Since this clock was made: since the drill began."""
        return (self._mono_ns() - self._begun_ns) / 1e9


class DrillTime:
    """`limits.longest_drill`."""

    name = "limits.longest_drill"
    every_s = 1.0

    def __init__(self, estate: Estate, clock: Clock) -> None:
        self._estate, self._clock = estate, clock

    def look(self) -> str | None:
        """Whether the time of the drill is over."""
        longest, passed = self._estate.limits.longest_drill_s, self._clock.passed_s()
        return f"the drill runs for {passed:.0f} s, and {longest:g} s are allowed" if passed >= longest else None


class WindowTime:
    """`limits.windows`: what is broken is healed early enough for the drill to end before its window closes.

    Args:
        estate: with its windows.
        clock: of the drill.
        needed_s: what healing and recovery may take.
        struck: whether anything is in force now. A drill that only judges may end after its window.
    """

    name = "limits.windows"
    every_s = 1.0

    def __init__(self, estate: Estate, clock: Clock, needed_s: float, struck: Callable[[], bool]) -> None:
        self._estate, self._clock, self._needed_s, self._struck = estate, clock, needed_s, struck

    def look(self) -> str | None:
        """Whether it is time to heal."""
        return limits.outside(self._estate, self._clock.now(), self._needed_s) if self._struck() else None
