# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""An interval in which a service was away, with bounds on its begin and its end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["probes", "acknowledgements"]


@dataclass(frozen=True)
class Outage:
    """What was seen of one outage on one strip. All times are CLOCK_MONOTONIC ns.

    The service went away between `after_ns` and `by_ns`, and came back between `until_ns` and `end_by_ns`:

        after_ns   sending of the last good attempt before (or of the last acknowledged write before the gap)
        first_ns   due time of the first bad attempt: what it is named and attributed by
        by_ns      by then it was away: a bad answer was there; or the next attempt was sent, and the p99 of a round trip
        until_ns   sending of the last bad attempt: it was away still
        good_ns    start of the stable run that ended it; None while there is none
        end_by_ns  end of that run's first good attempt; None while there is none
        least_ns   it lasted at least so long, from its parts: of two bad times between which a stable run may have been
                   missed (nothing was sent), `by_ns` and `until_ns` are those of the first
        begun      False when nothing good was seen before: nobody knows when it began, `after_ns` is where measuring did

    `by_ns` and `until_ns` are None when no attempt proves that the service, and not our own delay, was at fault.
    """

    service: str
    strip: str
    way: Way
    after_ns: int
    first_ns: int
    by_ns: int | None
    until_ns: int | None
    good_ns: int | None
    end_by_ns: int | None
    least_ns: int = 0
    begun: bool = True

    @property
    def lower_ns(self) -> int:
        """It lasted at least so long."""
        if self.by_ns is None or self.until_ns is None:
            return self.least_ns
        return max(self.least_ns, self.until_ns - self.by_ns)

    @property
    def upper_ns(self) -> int | None:
        """It lasted at most so long; None while it has not ended, and where nobody saw it begin."""
        return None if self.end_by_ns is None or not self.begun else self.end_by_ns - self.after_ns


@dataclass(frozen=True)
class Strip:
    """What clients saw of one service from one place: `client` (with every endpoint to choose from), or a site's endpoint.

    `from_ns` and `horizon_ns` are the first and the last moment of which something is known; `samples` counts the attempts
    between them, `acknowledged` the writes that count for this strip.
    """

    service: str
    name: str
    outages: tuple[Outage, ...]
    samples: int
    acknowledged: int
    from_ns: int
    horizon_ns: int
