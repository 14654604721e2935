# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Figures as a reader sees them: with their unit, and never rounded in our favour."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

THIN = "\u202f"
"""A narrow no-break space: it groups digits, and keeps a number and its unit on one line."""
NBSP = "\u00a0"
MINUS = "\u2212"
DASH = "\u2013"


def count(value: float) -> str:
    """A count, grouped by thousands: `2 310`."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.2f}".replace(",", THIN)
    return f"{int(value):,}".replace(",", THIN)


def saw(kinds: Mapping[str, float] | None) -> str:
    """What a check looked at: `997 samples, 1 777 operations`; that it saw nothing is said too."""
    seen = [f"{count(n)}{NBSP}{kind.removesuffix('s') if n == 1 else kind}" for kind, n in (kinds or {}).items() if n]
    return ", ".join(seen) or "nothing"


def sentence(text: str) -> str:
    """A text with a capital first letter."""
    return text[:1].upper() + text[1:]


def paragraphs(text: str) -> list[str]:
    """A description as paragraphs: blank lines part them, other line breaks are only where the editor was narrow.

    Chinese and Japanese lines join without a space.
    """
    found = []
    for block in re.split(r"\n\s*\n", text.strip()):
        joined = ""
        for line in filter(None, map(str.strip, block.splitlines())):
            meet = {unicodedata.east_asian_width(c) for c in (joined[-1:], line[0]) if c}
            joined += ("" if meet <= {"W", "F"} or not joined else " ") + line
        found += [joined] if joined else []
    return found


def plural(value: float, one: str, many: str = "") -> str:
    """A count with its noun: `1 look`, `12 looks`."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def span(seconds: float) -> str:
    """A length of time to a hundredth of a second (a tenth from 100 s on): `4.12 s`."""
    return f"{seconds:.{1 if abs(seconds) >= 100 else 2}f}{THIN}s"  # noqa: PLR2004 - the docstring names it


def promise(seconds: float | None) -> str:
    """A length of time as the estate file states it: `15 s`; `none` where nothing is promised."""
    return "none" if seconds is None else f"{seconds:g}{THIN}s"


def bounds(lower_s: float | None, upper_s: float | None) -> str:
    """An interval that contains what was measured: the lower bound is rounded down, the upper bound up.

    No upper bound: it had not ended when the measuring did.
    """
    low = math.floor(round((lower_s or 0.0) * 100, 6)) / 100
    if upper_s is None:
        return f"at least {low:.2f}{THIN}s"
    high = math.ceil(round(upper_s * 100, 6)) / 100
    return f"{low:.2f} to {high:.2f}{THIN}s"


def relative(seconds: float) -> str:
    """An instant seen from the first strike: `+4.12 s`, `−3.00 s`."""
    value = round(seconds, 2)
    sign = MINUS if value < 0 else "+"
    return f"{sign}{span(abs(value))}"


def tick(seconds: float) -> str:
    """The same, for an axis: `0`, `+10 s`, `−5 s`."""
    if abs(seconds) < 1e-9:  # noqa: PLR2004 - the zero of the axis, whatever floating point made of it
        return "0"
    return f"{MINUS if seconds < 0 else '+'}{abs(seconds):g}{THIN}s"


def clock(wall: datetime, digits: int = 3) -> str:
    """A time of day in UTC: `22:31:04.118`."""
    text = wall.strftime("%H:%M:%S.%f")
    return text[: 8 + digits + 1] if digits else text[:8]


def size(octets: int) -> str:
    """The size of a file: `48.2 kB`."""
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if octets >= scale:
            return f"{octets / scale:.1f}{THIN}{unit}"
    return f"{octets}{THIN}B"
