# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Acknowledgements inside and outside of a struck site while a fault was in force. Pure; two checks read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.journal import events
from drdrill.journal.records import Done

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from drdrill.journal.recording import Recording, Strike

FAR = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Side:
    """Writes at some sites within a window.

    Args:
        sent: how many were sent in it, whatever became of them.
        sure: (key, acknowledged ns) of those sent and acknowledged in it.
        early: how many were acknowledged in it but sent before it: the answer may only have been late.
    """

    sent: int
    sure: tuple[tuple[str, int], ...]
    early: int


def in_force(strike: Strike) -> tuple[int, int]:
    """From its last command to its heal, or to its lapse."""
    ends = [t for t in (strike.lapsed_ns, strike.healing_ns, strike.healed_ns) if t is not None]
    return strike.last_ns, min(ends, default=FAR)


def proven_in_force(strike: Strike) -> bool:
    """Whether it took hold and was never seen to be gone: what clients did meanwhile says nothing of it otherwise."""
    return strike.took_hold is True and strike.held is not False


def mute(strike: Strike) -> tuple[int, int] | None:
    """The time in which its hosts surely said nothing to anybody: without power, or frozen, and held at every look.

    A host that is only cut off goes on behind the cut.
    """
    if not {"power", "freeze"} & set(strike.needs) or strike.took_hold is not True or strike.held is not True:
        return None
    return in_force(strike)


def side(recording: Recording, writers: Iterable[dict[str, Any]], window: tuple[int, int]) -> Side:
    """What these writers (the data of `writes.started`) sent, and had acknowledged, in a window."""
    begin, end = window
    sent, early = 0, 0
    sure: list[tuple[str, int]] = []
    for writer in writers:
        stream = recording.streams.get(writer["stream"])
        if stream is None:
            continue
        found: npt.NDArray[np.void] = stream.records[stream.records["outcome"] != Done.UNSENT]
        inside = (found["sent"] >= begin) & (found["sent"] <= end)
        acked = (found["outcome"] == Done.OK) & (found["done"] > begin) & (found["done"] <= end)
        sent += int(inside.sum())
        early += int((acked & ~inside).sum())
        good = found[acked & inside]
        prefix = writer["prefix"]
        sure += [
            (f"{prefix}{seq}", done) for seq, done in zip(good["seq"].tolist(), good["done"].tolist(), strict=True)
        ]
    return Side(sent, tuple(sorted(sure, key=lambda s: s[1])), early)


def writers_at(
    recording: Recording, sites: Iterable[str], *, inside: bool, database: str | None = None
) -> list[dict[str, Any]]:
    """The writers at these sites, or those at every other, of one database or of all."""
    sites = set(sites)
    found = (e.data for e in recording.journal.of(events.WRITES_STARTED))
    return [w for w in found if (w["site"] in sites) is inside and database in {None, w["database"]}]
