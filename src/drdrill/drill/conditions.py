# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Abort conditions: what is measured of a service ends the drill when it is away for longer than anybody wants to see."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drdrill.measure import strips
from drdrill.measure.schedule import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.estate.model import Away
    from drdrill.journal.outage import Strip
    from drdrill.journal.recording import Recording

PERIOD_S: Final = 5.0
"""Without an attempt that ended for so long, beyond the latency bound, nobody sees whether the service is there."""


class AwayWatch:
    """One condition.

    Args:
        condition: canonical names.
        latency_s: of the service.
        recording: everything measured up to now.
        now_ns: CLOCK_MONOTONIC, as the measuring has it.
    """

    every_s = 0.5

    def __init__(
        self,
        condition: Away,
        latency_s: float,
        recording: Callable[[], Recording],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = f"abort condition: {shown(condition)}"
        self._condition = condition
        self._silent_ns = round((PERIOD_S + latency_s) * SECOND)
        self._recording = recording
        self._now_ns = now_ns
        self._since_ns = now_ns()

    def look(self) -> str | None:
        """Whether the service was away for too long, or is not measured."""
        recording, place = self._recording(), self._condition.site or strips.CLIENT
        seen_ns = strips.seen_until(recording, self._condition.service, place) or self._since_ns
        silent_ns = self._now_ns() - max(seen_ns, self._since_ns)
        if silent_ns > self._silent_ns:
            return f"it was not measured for {silent_ns / SECOND:.1f} s"
        away_ns = away(strips.strip(recording, self._condition.service, place))
        if away_ns <= self._condition.longest_s * SECOND:
            return None
        return f"it is away for {away_ns / SECOND:.1f} s"


def shown(condition: Away) -> str:
    """The condition as its sentence says it."""
    where = f' at site "{condition.site}"' if condition.site else ""
    return f'service "{condition.service}" is away{where} for more than {condition.longest_s:g} s'


def away(strip: Strip) -> int:
    """How long the service is away by now, in ns, from the first bad attempt to the last; 0 when it is not. Pure.

    An outage is over once a stable run was seen. Until then good answers may come; they do not make it longer.
    """
    last = strip.outages[-1] if strip.outages else None
    if last is None or last.good_ns is not None:
        return 0
    until_ns = strip.horizon_ns if last.until_ns is None else last.until_ns
    return max(last.lower_ns, until_ns - last.first_ns)
