# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One line of the table: a figure of ours beside a named peer or limit that was measured, or stated, in the same run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import inf, isfinite
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Figure:
    """What was measured, and what it is held against."""

    what: str
    unit: str
    ours: Sequence[float]
    """Every single measurement; the table shows the median and the range."""
    beside: str
    """The peer or the limit, in words."""
    theirs: Sequence[float]
    """Of the peer, measured in this run; of a limit, the limit alone."""
    aim: float
    """The ratio ours / theirs that we want."""
    more_is_better: bool = False
    note: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Median of ours through median of theirs; without end where theirs is nothing."""
        return median(self.ours) / median(self.theirs) if median(self.theirs) else inf

    @property
    def good(self) -> bool:
        """Whether the aim is met."""
        return self.ratio >= self.aim if self.more_is_better else self.ratio <= self.aim

    def as_json(self) -> dict[str, Any]:
        """Everything, for the file beside the table."""
        ratio = round(self.ratio, 4) if isfinite(self.ratio) else None  # JSON has no number for it.
        return {**asdict(self), "ratio": ratio, "good": self.good}


def shown(values: Sequence[float]) -> str:
    """A median, with the range where there is more than one: `7.9 (7.7 to 11.6, n=5)`."""
    middle = number(median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))} to {number(max(values))}, n={len(values)})"


def number(value: float) -> str:
    """Three digits, and none of them an exponent: `0.319`, `7.91`, `6,935`."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - where three digits end
