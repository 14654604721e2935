# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What JUnit carries as properties of a drill: machines read trends from it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from drdrill.reports import account, objectives

if TYPE_CHECKING:
    from drdrill.journal.recording import Recording


def properties(recording: Recording) -> list[tuple[str, object]]:
    """Name and value of each property. What was not measured or not judged is left out; it is never a zero.

    Figures of a service carry its name first: `registration.rto_upper_s`. An outage that had not ended has no upper bound.
    Lower bounds are rounded down and upper bounds up, to a millisecond.
    """
    found: list[tuple[str, object]] = [
        ("result", account.result(recording).word),
        ("restoration", account.restoration(recording).word),
    ]
    for promise in objectives.promises(recording):
        found.append((f"{promise.service}.rto_objective_s", promise.objective_s))
        found.append((f"{promise.service}.outages", promise.outages))
        if promise.lower_s is not None:
            found.append((f"{promise.service}.rto_lower_s", math.floor(promise.lower_s * 1000) / 1000))
        if promise.upper_s is not None:
            found.append((f"{promise.service}.rto_upper_s", math.ceil(promise.upper_s * 1000) / 1000))
    wrote = objectives.writes(recording)
    if wrote is not None:
        found += [("rpo_acknowledged", wrote.acknowledged), ("rpo_unknown", wrote.unknown)]
        if wrote.lost is not None:
            found.append(("rpo_lost", wrote.lost))
    return found
