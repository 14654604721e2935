# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From acknowledgements to the times in which there was none. Pure.

The upper bound of a gap is the gap and the round trip before it. Its lower bound is the gap minus *two* periods of the writer
minus its round trip (one period before the service went away and one after it came back may have passed without a write)
minus what the writer was late itself, and never more than the writes sent in the gap prove: in silence a writer runs out of
connections, and what was not sent proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.outages import Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Times = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Writes:
    """What is known of the writes that count for a strip.

    `acks` are the times of acknowledgements, in order. `due`, `sent`, `done` and `ok` are of every write that was sent and ended.
    `open_ns` are the intervals in which the writers were running and not paused; the last one ends where knowledge ends.
    """

    acks: Times
    due: Times
    sent: Times
    done: Times
    ok: Flags
    open_ns: Sequence[tuple[int, int]]
    latency_ns: int
    period_ns: int
    p99_ns: int


def gaps(w: Writes) -> list[Stretch]:
    """Every time longer than latency bound + one period without an acknowledgement, outside of pauses."""
    found = []
    for n, (begin, end) in enumerate(w.open_ns):
        inside = w.acks[(w.acks >= begin) & (w.acks < end)]
        marks = np.concatenate(([begin], inside, [end]))
        for place in np.flatnonzero(np.diff(marks) > w.latency_ns + w.period_ns):
            ongoing = place == len(marks) - 2 and n == len(w.open_ns) - 1
            found.append(_gap(w, int(marks[place]), int(marks[place + 1]), ongoing=ongoing))
    return found


def _gap(w: Writes, before: int, after: int, *, ongoing: bool) -> Stretch:
    # A writer that was late itself (it waits for its intents to be on disk) also heard its acknowledgements late.
    around = (w.due >= before - w.period_ns) & (w.due < after + w.period_ns)
    late = int((w.sent - w.due)[around].max(initial=0))
    inside = (w.sent >= before) & (w.sent < after)
    refused = inside & ~w.ok
    stalled = inside & w.ok & (w.done >= after) & (w.sent < after - w.p99_ns - late)
    begun = w.sent[refused | stalled]
    ended = np.concatenate((w.sent[refused], [after - w.p99_ns - late] if stalled.any() and not ongoing else []))
    by = until = None
    if len(begun) and len(ended):
        by = int(begun.min()) + w.p99_ns + late
        most = max(0, after - before - 2 * (w.period_ns + late) - w.p99_ns)
        until = min(int(ended.max()), by + most)
    first = int(begun.min()) if len(begun) else before + w.period_ns
    came = None if ongoing else after
    # The acknowledgement before the gap may have been on its way when the service went; that write was sent before.
    last = w.sent[w.ok & (w.done == before)]
    return Stretch("acknowledgements", int(last.min(initial=before)), first, by, until, came, came)
