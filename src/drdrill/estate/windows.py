# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""When an estate may be drilled: hours, dates and holidays in the time zone of the estate. Pure: the time is given.

An hour of the day means what the clocks of that zone show. Where a clock is set, a window is as short as it can be meant: it
opens at the later and closes at the earlier of the two moments that an hour may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from drdrill.errors import BadInput

Span = tuple[datetime, datetime]
"""From and to, in UTC."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD_DAYS = 400
"""How far the next window is looked for: a yearly one is found."""
DAY_MIN = 24 * 60


@dataclass(frozen=True)
class Opening:
    """Hours in which drilling is allowed, on some days.

    Args:
        begin_min: of the day, in minutes.
        end_min: the same; at or before the begin it is of the next day.
        days: weekdays, Monday is 0; empty with no dates: every day.
        dates: single dates.
        holidays: also on holidays, on which no other opening counts.
    """

    begin_min: int = 0
    end_min: int = DAY_MIN
    days: frozenset[int] = frozenset()
    dates: frozenset[date] = frozenset()
    holidays: bool = False


@dataclass(frozen=True)
class Closing:
    """Whole days on which nobody drills, both ends included, and why."""

    first: date
    last: date
    why: str = ""


@dataclass(frozen=True)
class Windows:
    """When drilling is allowed: in each opening; without any, always. Never on days that are closed.

    A holiday is closed as well, but for openings that name holidays.
    """

    zone: str
    open: tuple[Opening, ...] = ()
    closed: tuple[Closing, ...] = ()
    holidays: frozenset[date] = frozenset()


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises BadInput for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise BadInput(
            f'this machine knows no time zone "{name}"; write one such as Europe/Berlin or Asia/Shanghai '
            "(a machine without any gets them by `pip install tzdata`)"
        ) from error


def closes(windows: Windows, now: datetime) -> datetime | None:
    """When the window that is open now closes; None where it is closed now."""
    return next((end for begin, end in _spans(windows, now) if begin <= now < end), None)


def opens(windows: Windows, now: datetime) -> Span | None:
    """The next window that is not open yet; None where there is none within a year."""
    return next((span for span in _spans(windows, now) if span[0] > now), None)


def shown(windows: Windows, moment: datetime) -> str:
    """A moment as the people of the estate read it."""
    return f"{moment.astimezone(zone_of(windows.zone)):%a %Y-%m-%d %H:%M} in {windows.zone}"


def why_closed(windows: Windows, now: datetime) -> str:
    """The reason that stands in the estate file for a day that is closed; empty where there is none."""
    today = now.astimezone(zone_of(windows.zone)).date()
    found = next((c for c in windows.closed if c.first <= today <= c.last), None)
    if found is not None:
        return found.why or "the day is closed"
    return "the day is a holiday" if today in windows.holidays else ""


def _spans(windows: Windows, now: datetime) -> list[Span]:
    """Every window from yesterday on, in order; those that touch are one."""
    zone = zone_of(windows.zone)
    today = now.astimezone(zone).date()
    days = [today + timedelta(n) for n in range(-2, AHEAD_DAYS)]
    closed = [(c.first, c.last) for c in windows.closed]
    holidays = [(day, day) for day in windows.holidays]
    found: list[Span] = []
    for opening in windows.open or (Opening(),):
        shut = [_whole(zone, a, b) for a, b in (closed if opening.holidays else [*closed, *holidays])]
        for day in days:
            if _counts(windows, opening, day):
                found += _without(_span(zone, day, opening.begin_min, opening.end_min), shut)
    return _union(found)


def _counts(windows: Windows, opening: Opening, day: date) -> bool:
    if opening.holidays and day in windows.holidays:
        return True
    if opening.days or opening.dates:
        return day.weekday() in opening.days or day in opening.dates
    return not opening.holidays


def _whole(zone: ZoneInfo, first: date, last: date) -> Span:
    """Whole days that are closed: as long as they can be meant."""
    midnight = _moments(zone, first, 0), _moments(zone, last, DAY_MIN)
    return min(midnight[0]), max(midnight[1])


def _span(zone: ZoneInfo, day: date, begin_min: int, end_min: int) -> Span:
    end_min += DAY_MIN if end_min <= begin_min else 0
    return max(_moments(zone, day, begin_min)), min(_moments(zone, day, end_min))


def _moments(zone: ZoneInfo, day: date, minutes: int) -> tuple[datetime, datetime]:
    """The two moments that an hour of a day may be; they are the same but where a clock is set."""
    day += timedelta(minutes // DAY_MIN)
    hour = time(minutes % DAY_MIN // 60, minutes % 60)
    both = (datetime.combine(day, hour.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1))
    return next(both), next(both)


def _without(span: Span, shut: list[Span]) -> list[Span]:
    left, begin = [], span[0]
    for a, b in sorted(shut):
        if b <= begin or a >= span[1]:
            continue
        if a > begin:
            left.append((begin, a))
        begin = b
    if begin < span[1]:
        left.append((begin, span[1]))
    return left


def _union(spans: list[Span]) -> list[Span]:
    out: list[Span] = []
    for begin, end in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((begin, end))
    return out
