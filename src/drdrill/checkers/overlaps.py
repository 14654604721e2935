# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The times in which two members of a database claimed to be its writer, with bounds. Pure; the split brain check reads it.

Members of one component may write at the same time, since they agree on every commit; members of two may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from drdrill.checkers.causes import causes
from drdrill.checkers.check import seconds
from drdrill.checkers.sides import mute
from drdrill.journal.records import Claim

if TYPE_CHECKING:
    import numpy.typing as npt

    from drdrill.journal.recording import Recording, Stream


@dataclass(frozen=True)
class Overlap:
    """Two members that claimed to be the writer: how long at least and at most (ns), and after what."""

    members: tuple[str, str]
    least_ns: int
    most_ns: int
    after: str

    def __str__(self) -> str:
        words = f"{' and '.join(self.members)} both claimed to be the writer"
        return f"{words} for {seconds(self.least_ns)} to {seconds(self.most_ns)}{self.after}"


def overlaps(recording: Recording, stream: Stream) -> list[Overlap]:
    """Each time in which two members of different components claimed it in the same rounds of questions.

    At least: from the end of the first such round to the begin of the last. At most: from the begin of the last round before
    that heard one of them say no, or both tell one component, to the end of the first one after; and no part of it in which
    one of the two was proven to be frozen or without power. That one was silent then, and whoever stands still claims nothing:
    without this, the whole time from the promotion of the other one would be counted.

    Args:
        recording: for the strikes.
        stream: the claims of one database.
    """
    members = stream.head["members"]
    rows = {n: stream.records[stream.records["member"] == n] for n in range(len(members))}
    found = []
    for a, b in combinations(range(len(members)), 2):
        size = min(len(rows[a]), len(rows[b]))
        left, right = rows[a][:size], rows[b][:size]
        yes, separate = (left["claims"] == Claim.YES) & (right["claims"] == Claim.YES), apart(left, right)
        both = yes & separate
        no = (left["claims"] == Claim.NO) | (right["claims"] == Claim.NO) | (yes & ~separate)
        edges = np.diff(np.concatenate(([0], both.astype(np.int8), [0])))
        quiet = [w for s in recording.timeline.strikes if {members[a], members[b]} & set(s.hosts) and (w := mute(s))]
        for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            first, last = int(right["done"][start]), int(left["due"][end - 1])
            before, after = np.flatnonzero(no[:start]), np.flatnonzero(no[end:])
            begun = [int(left["due"][before[-1] if len(before) else 0])]
            ended = [int(left["done"][end + after[0] if len(after) else -1])]
            begun += [until for _, until in quiet if until <= first]
            ended += [since for since, _ in quiet if since >= last]
            most = min(ended) - max(begun)
            found.append(Overlap((members[a], members[b]), max(0, last - first), most, _after(recording, first)))
    return found


def apart(left: npt.NDArray[np.void], right: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """In which rounds two members were of different components, whatever they claimed. Without components: in all of them."""
    if "component" not in (left.dtype.names or ()):
        return np.ones(len(left), dtype=bool)
    found: npt.NDArray[np.bool_] = (left["component"] != right["component"]) | (left["component"] == 0)
    return found


def _after(recording: Recording, at_ns: int) -> str:
    """What was done last before this moment, in words."""
    known = [cause for cause in causes(recording.timeline) if cause.first_ns <= at_ns]
    return f", after {known[-1].title}" if known else ""
