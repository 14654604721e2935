# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""States over time as segments of a strip, each with what stands behind it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.reports import strips
from drdrill.reports.drawing import WIDTH, Axis, Segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt


def segments_of(
    cells: strips.Cells, axis: Axis, words: Mapping[int, str], records: npt.NDArray[np.void] | None
) -> tuple[Segment, ...]:
    """The cells as the picture can show them; a pointer that rests on one gets its words, its times and its attempts."""
    begin, end = axis.zero_ns + int(axis.from_s * 1e9), axis.zero_ns + int(axis.to_s * 1e9)
    scale = (end - begin) / WIDTH
    exact = strips.runs(cells)
    found = []
    for first, after, state in strips.segments(strips.columns(cells, begin, end, WIDTH)):
        low, high = begin + int(first * scale), begin + int(after * scale)
        inside = [r for r in exact if r.state == state and r.to_ns > low and r.from_ns < high] if state else []
        hover = ""
        if inside:
            low, high = inside[0].from_ns, inside[-1].to_ns
            hover = f"{words[state]} from {axis.stamp(low)} to {axis.stamp(high)}"
            if records is not None:
                seen = ", ".join(f"{n} {name}" for name, n in strips.tally(records, low, high).items())
                hover += f"; attempts: {seen}"
        found.append(Segment(first, after, state, hover))
    return tuple(found)
