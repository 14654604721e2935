# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""When attempts are due: a grid that nothing shifts. Pure.

A schedule that waits for answers sends less while a service is away and so hides its outage (coordinated omission, as the
README of wrk2 calls it). Here attempt k is due at t0 + k / rate, whatever became of the ones before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SECOND: Final = 1_000_000_000


@dataclass(frozen=True)
class Grid:
    """Attempt k is due at `t0_ns + k / rate_hz`."""

    t0_ns: int
    rate_hz: float

    @property
    def period_ns(self) -> int:
        """Between two attempts."""
        return round(SECOND / self.rate_hz)

    def due(self, k: int) -> int:
        """When attempt k is due. Computed from k, so rounding never adds up."""
        return self.t0_ns + round(k * SECOND / self.rate_hz)

    def first_at(self, ns: int) -> int:
        """The first k, at least 0, that is due at or after this time."""
        k = max(0, int((ns - self.t0_ns) * self.rate_hz / SECOND) - 1)
        while self.due(k) < ns:
            k += 1
        return k


def missed(due_ns: int, now_ns: int, latency_ns: int) -> bool:
    """Whether an attempt is so late that it should not be made any more.

    One that starts more than the latency bound and a second after it was due tells about this machine only. It is left out
    of the samples; the hole is seen, and fails the assumption that the schedule was kept.
    """
    return now_ns - due_ns > latency_ns + SECOND
