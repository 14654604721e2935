# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One base for monotonic and wall time.

All figures of a drill are differences of CLOCK_MONOTONIC on one machine, so a step of the wall clock changes none of them.
The wall time of the base is kept only to correlate with the logs of others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


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
