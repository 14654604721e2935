# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The drawing model: what the picture of a drill shows, in seconds from its zero. `timeline` makes it, `svg` paints it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from drdrill.reports import figures

WIDTH: Final = 860
"""Columns of a strip: one for each pixel of the picture at its natural size."""


@dataclass(frozen=True)
class Axis:
    """From where to where, in seconds from zero, and what the wall clock (UTC) showed at zero."""

    from_s: float
    to_s: float
    zero_ns: int
    zero_wall: datetime
    zero_is: str

    def at(self, ns: int) -> float:
        """An instant of the recording in seconds from zero."""
        return (ns - self.zero_ns) / 1e9

    def wall(self, ns: int) -> datetime:
        """The wall time, in UTC, of an instant of the recording."""
        return datetime.fromtimestamp(self.zero_wall.timestamp() + self.at(ns), UTC)

    def stamp(self, ns: int) -> str:
        """An instant as text: `+4.12 s (22:31:04.118 UTC)`."""
        return f"{figures.relative(self.at(ns))} ({figures.clock(self.wall(ns))} UTC)"


@dataclass(frozen=True)
class Band:
    """A fault in force, or a planned move. `open`: no end was recorded, so the band runs to the end of the picture."""

    title: str
    from_s: float
    to_s: float
    hover: str
    open: bool = False
    lapsed: bool = False


@dataclass(frozen=True)
class Sentence:
    """When a sentence ran. `number` is the one that stands before it in the report."""

    number: int
    from_s: float
    to_s: float
    status: str
    hover: str


@dataclass(frozen=True)
class Segment:
    """Some columns of one state."""

    first: int
    after: int
    state: int
    hover: str = ""


@dataclass(frozen=True)
class Bracket:
    """An outage as it was judged, drawn over the strip of the clients."""

    from_s: float
    to_s: float
    label: str
    verdict: str
    hover: str


@dataclass(frozen=True)
class Strip:
    """States over time. `kind` is client, endpoint or claims; `unjudged` are the intervals in which its site was struck."""

    kind: str
    label: str
    note: str
    segments: tuple[Segment, ...]
    brackets: tuple[Bracket, ...] = ()
    unjudged: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Bars:
    """Acknowledged writes of one site for each interval. `due` is what full height means."""

    label: str
    note: str
    bin_s: float
    from_s: float
    due: float
    acknowledged: tuple[int, ...]
    unanswered: tuple[int, ...]
    hovers: tuple[str, ...]
    pauses: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Group:
    """Rows under one heading."""

    heading: str
    rows: tuple[Strip | Bars, ...]


@dataclass(frozen=True)
class Drawing:
    """All of it."""

    axis: Axis
    faults: tuple[Band, ...]
    moves: tuple[Band, ...]
    sentences: tuple[Sentence, ...]
    groups: tuple[Group, ...]
    description: str
