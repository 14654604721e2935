# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whether probes and writes are good enough to begin with. Pure: records in, words out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drdrill.journal.records import Done, Seen
from drdrill.measure.schedule import SECOND

if TYPE_CHECKING:
    import numpy.typing as npt

    from drdrill.journal.recording import Stream

CALIBRATE_NS: Final = 3 * SECOND
WINDOW_NS: Final = 2 * SECOND
SHARE: Final = 0.8
SETTLE_NS: Final = SECOND // 4
"""A write that is younger is not counted as due yet: its answer may be on its way."""


@dataclass(frozen=True)
class Calibration:
    """The last 3 s of a stream, all good. Round trips are counted from when attempts were due."""

    from_ns: int
    to_ns: int
    samples: int
    p50_ns: int
    p99_ns: int


def calibration(samples: npt.NDArray[np.void]) -> Calibration | None:
    """The calibration that the newest samples give, or None when they are fewer than 3 s or not all good."""
    if not len(samples):
        return None
    samples = samples[np.argsort(samples["seq"])]
    last = samples[samples["due"] >= samples["due"][-1] - CALIBRATE_NS]
    whole = int(last["seq"][-1] - last["seq"][0]) + 1 == len(last)
    # The schedule is a grid, so 3 s of it hold an attempt at each end when the first is older than 3 s less one period.
    long = len(last) < len(samples) or int(last["due"][-1] - last["due"][0]) >= CALIBRATE_NS
    if not (whole and long and (last["outcome"] == Seen.GOOD).all()):
        return None
    took = last["done"] - last["due"]
    p50, p99 = (int(x) for x in np.percentile(took, [50, 99]))
    return Calibration(int(last["due"][0]), int(last["done"].max()), len(last), p50, p99)


def seen(samples: npt.NDArray[np.void]) -> str:
    """What the last hundred samples were, in words."""
    last = samples[-100:]
    counts = Counter(Seen(int(o)).name.lower() for o in last["outcome"])
    notes = Counter(n.decode() for n in last["note"][last["outcome"] != Seen.GOOD] if n)
    words = ", ".join(f"{n} {what}" for what, n in counts.most_common()) or "no answer yet"
    return words + (f" ({', '.join(n for n, _ in notes.most_common(3))})" if notes else "")


def shortfall(intents: Stream, operations: Stream, since_ns: int, now_ns: int) -> str:
    """Nothing when at least 80 % of the writes due in the last 2 s were acknowledged, else how many were."""
    until = now_ns - SETTLE_NS
    begin = until - WINDOW_NS
    due = intents.records["due"]
    if begin < since_ns or not len(due) or begin < int(due[due >= since_ns].min(initial=until)):
        return "less than 2 s of writing"
    n = int(((due >= begin) & (due < until)).sum())
    done = operations.records
    ok = done[done["outcome"] == Done.OK]["due"]
    acknowledged = int(((ok >= begin) & (ok < until)).sum())
    if n and acknowledged >= SHARE * n:
        return ""
    notes = Counter(x.decode() for x in done[done["outcome"] != Done.OK]["note"][-50:] if x)
    why = f" ({', '.join(x for x, _ in notes.most_common(3))})" if notes else ""
    return f"{acknowledged} of {n} writes{why}"
