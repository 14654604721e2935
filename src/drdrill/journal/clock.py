# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One base for monotonic and wall time.

All figures of a drill are differences of CLOCK_MONOTONIC on one machine, so a step of the wall clock changes none of them.
The wall time of the base is kept only to correlate with the logs of others, so a step is written down. A machine that sleeps
is another matter: CLOCK_MONOTONIC stands still with it, and the estate does not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

STEP_S: Final = 0.5
"""A wall clock that went this far is told. Slewing by NTP stays below it: 0.5 ms in a second, 0.3 s in ten minutes."""
SLEEP_S: Final = 0.1


@dataclass(frozen=True)
class Clock:
    """A pair of readings taken together. `mono_ns` is CLOCK_MONOTONIC, `wall_ns` is Unix time, both nanoseconds."""

    mono_ns: int
    wall_ns: int

    @classmethod
    def now(cls) -> Clock:
        """Read both clocks, the wall clock in the middle of two monotonic readings."""
        before = time.monotonic_ns()
        wall = time.time_ns()
        return cls((before + time.monotonic_ns()) // 2, wall)

    def wall(self, mono_ns: int) -> datetime:
        """The wall time, in UTC, that this base gives to a monotonic reading."""
        return datetime.fromtimestamp((self.wall_ns + mono_ns - self.mono_ns) / 1e9, UTC)


@dataclass(frozen=True)
class Jump:
    """What the other clocks of this machine did beside CLOCK_MONOTONIC since the last look: seconds, forward is positive."""

    set_s: float
    slept_s: float

    @property
    def words(self) -> str:
        """For the journal and the report."""
        told = []
        if self.slept_s:
            told.append(
                f"the machine that measures slept for {self.slept_s:.1f} s: nothing was measured in that time, and no figure "
                "has it"
            )
        if self.set_s:
            way = "forward" if self.set_s > 0 else "back"
            told.append(
                f"the wall clock of the machine that measures was set {way} by {abs(self.set_s):.1f} s: no figure leans on it, "
                "and the times of this journal go on as they began"
            )
        return "; ".join(told)


class Watch:
    """Looks at the wall clock and at the clock that also counts sleep, from its making on."""

    def __init__(self) -> None:
        self._wall_ns = _ahead(time.time_ns)
        self._boot_ns = _ahead(_boot_ns)

    def look(self) -> Jump | None:
        """What happened since the last look, or None."""
        wall, boot = _ahead(time.time_ns), _ahead(_boot_ns)
        slept = (boot - self._boot_ns) / 1e9
        slept = slept if slept >= SLEEP_S else 0.0
        stepped = (wall - self._wall_ns) / 1e9 - slept
        stepped = stepped if abs(stepped) >= STEP_S else 0.0
        if not slept and not stepped:
            return None
        self._wall_ns, self._boot_ns = wall, boot
        return Jump(stepped, slept)


def _boot_ns() -> int:
    """Monotonic, and with the time that the machine slept; plain monotonic where the system has no such clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)


def _ahead(other: Callable[[], int]) -> int:
    """How far another clock is ahead of CLOCK_MONOTONIC: the tightest of a few readings, since we may be stopped between two."""
    best: tuple[int, int] | None = None
    for _ in range(5):
        before = time.monotonic_ns()
        there = other()
        after = time.monotonic_ns()
        if best is None or after - before < best[0]:
            best = (after - before, there - (before + after) // 2)
        if after - before < 1_000_000:  # noqa: PLR2004 - a millisecond is as good as we need
            break
    assert best is not None  # noqa: S101 - the loop ran
    return best[1]
