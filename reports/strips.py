# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Samples as states over time, and states as columns of a picture. Pure numpy; nothing here knows of drawing.

A column shows the most telling state of all that fall into it, so one bad attempt in ten minutes stays visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drdrill.journal.records import Claim, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

ABSENT: Final = 0
GOOD: Final = 1
BAD: Final = 2

NO: Final = 1
YES: Final = 2
SILENT: Final = 0

_RANK: Final = (GOOD, ABSENT, BAD)
"""What is painted later covers what was painted before. A gap in the measuring covers good attempts, never bad ones."""

_MISSING_AFTER: Final = 1.5
"""Attempts follow a schedule; when none is due for this many periods, the measuring was absent there."""


@dataclass(frozen=True)
class Cells:
    """A state for each of n intervals: `edges` has n + 1 instants (CLOCK_MONOTONIC ns), `states` n states."""

    edges: npt.NDArray[np.int64]
    states: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Run:
    """A longest interval of one state."""

    from_ns: int
    to_ns: int
    state: int


NOTHING: Final = Cells(np.zeros(1, np.int64), np.zeros(0, np.uint8))


def attempts(records: npt.NDArray[np.void], rate_hz: float) -> Cells:
    """The samples of one probe: an attempt stands for the time until the next one is due."""
    return _cells(records["due"], np.where(records["outcome"] == Seen.GOOD, GOOD, BAD), rate_hz)


def claims(records: npt.NDArray[np.void], member: int, rate_hz: float) -> Cells:
    """What one member said of itself: YES, NO or SILENT.

    A round of questions waits for the slowest member, and the next one begins after it: the measuring was not absent then. Who
    was silent before is who was waited for, so its first word came at the end of its round.
    """
    own = np.sort(records[records["member"] == member], order="due")
    states = np.array([NO, YES, SILENT], np.uint8)[np.minimum(own["claims"], 2)]
    late = np.append(False, (states[:-1] == SILENT) & (states[1:] != SILENT))[: len(own)]
    return _cells(np.where(late, own["done"], own["due"]), states, rate_hz, own["done"])


def apart(records: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The same claims without those of rounds in which all who claimed are of one component: they may write together.

    A stream without components stays as it is: there everybody claims for himself.
    """
    if "component" not in (records.dtype.names or ()) or not len(records):
        return records
    yes = records["claims"] == Claim.YES
    rounds = records["seq"] - records["seq"].min()
    least = np.full(int(rounds.max()) + 1, np.iinfo(np.int64).max)
    most = np.full(len(least), -1)
    np.minimum.at(least, rounds[yes], records["component"][yes].astype(np.int64))
    np.maximum.at(most, rounds[yes], records["component"][yes].astype(np.int64))
    left = records.copy()
    left["claims"][yes & (least == most)[rounds] & (records["component"] != 0)] = Claim.NO
    return left


def together(parts: Sequence[Cells], state: int) -> list[Run]:
    """The intervals in which two or more of these are in this state at the same time."""
    parts = [p for p in parts if len(p.states)]
    if len(parts) < 2:  # noqa: PLR2004 - nobody is together alone
        return []
    edges = np.unique(np.concatenate([p.edges for p in parts]))
    count = np.stack([_at(p, edges[:-1]) == state for p in parts]).sum(0)
    return [run for run in runs(Cells(edges, (count > 1).astype(np.uint8))) if run.state]


def _cells(
    due: npt.NDArray[Any], states: npt.NDArray[Any], rate_hz: float, done: npt.NDArray[Any] | None = None
) -> Cells:
    """`done`: the schedule waits for it, so a gap counts from there."""
    if not len(due):
        return NOTHING
    period = int(1e9 / rate_hz)
    since = due if done is None else np.maximum(due, done)
    order = np.argsort(due, kind="stable")
    due, states, since = due[order].astype(np.int64), states[order].astype(np.uint8), since[order].astype(np.int64)
    follows = np.append(due[1:], since[-1] + period)
    missing = follows - since > _MISSING_AFTER * period
    ends = np.where(missing, since + period, follows)
    at = np.flatnonzero(missing[:-1]) + 1
    starts = np.insert(due, at, ends[:-1][missing[:-1]])
    return Cells(np.append(starts, ends[-1]), np.insert(states, at, ABSENT))


def either(parts: Sequence[Cells]) -> Cells:
    """What a client with a list of endpoints sees: good while one of them is good, bad while all that were tried are bad."""
    parts = [p for p in parts if len(p.states)]
    if not parts:
        return NOTHING
    edges = np.unique(np.concatenate([p.edges for p in parts]))
    seen = np.stack([_at(p, edges[:-1]) for p in parts])
    states = np.where((seen == GOOD).any(0), GOOD, np.where((seen == BAD).any(0), BAD, ABSENT)).astype(np.uint8)
    return Cells(edges, states)


def _at(cells: Cells, instants: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    index = np.searchsorted(cells.edges, instants, side="right") - 1
    inside = (index >= 0) & (index < len(cells.states))
    return np.where(inside, cells.states[np.clip(index, 0, len(cells.states) - 1)], ABSENT).astype(np.uint8)


def answers(read: Cells, write: Cells) -> Cells:
    """What a member of a database told a client: YES while it commits, NO while it can be read only, SILENT else."""
    parts = [p for p in (read, write) if len(p.states)]
    if not parts:
        return NOTHING
    edges = np.unique(np.concatenate([p.edges for p in parts]))
    never = np.zeros(len(edges) - 1, bool)
    reads, commits = (_at(p, edges[:-1]) == GOOD if len(p.states) else never for p in (read, write))
    return Cells(edges, np.where(commits, YES, np.where(reads, NO, SILENT)).astype(np.uint8))


def runs(cells: Cells) -> list[Run]:
    """The states, equal neighbours joined."""
    if not len(cells.states):
        return []
    first = np.flatnonzero(np.append(True, cells.states[1:] != cells.states[:-1]))
    last = np.append(first[1:], len(cells.states))
    return [
        Run(int(cells.edges[a]), int(cells.edges[b]), int(cells.states[a])) for a, b in zip(first, last, strict=True)
    ]


def columns(cells: Cells, from_ns: int, to_ns: int, width: int) -> npt.NDArray[np.uint8]:
    """The state of each of `width` equal columns between two instants: the worst that falls into it."""
    picture = np.full(width, ABSENT, np.uint8)
    scale = width / max(1, to_ns - from_ns)
    joined = [r for r in runs(cells) if r.to_ns > from_ns and r.from_ns < to_ns]
    for state in _RANK:
        for run in joined:
            if run.state == state:
                begin = max(0, int((run.from_ns - from_ns) * scale))
                end = min(width, int(np.ceil((run.to_ns - from_ns) * scale)))
                picture[begin : max(end, begin + 1)] = state
    return picture


def segments(picture: npt.NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """Equal neighbouring columns joined: (first column, column after the last, state)."""
    cells = Cells(np.arange(len(picture) + 1, dtype=np.int64), picture)
    return [(r.from_ns, r.to_ns, r.state) for r in runs(cells)]


def tally(records: npt.NDArray[np.void], from_ns: int, to_ns: int) -> Mapping[str, int]:
    """How many attempts were due in [from, to), by what the probe saw; only what occurred, good first."""
    inside = records[(records["due"] >= from_ns) & (records["due"] < to_ns)]
    counts = np.bincount(inside["outcome"], minlength=len(Seen))
    return {seen.name.lower(): int(counts[seen]) for seen in Seen if counts[seen]}
