# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Hours, dates and holidays: what the clocks of the estate show, wherever the runner stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from drdrill.errors import BadInput
from drdrill.estate.windows import Closing, Opening, Windows, closes, opens, shown, why_closed

BERLIN, SHANGHAI = "Europe/Berlin", "Asia/Shanghai"
NIGHT = Opening(22 * 60, 5 * 60)
WEEKEND = Opening(0, 24 * 60, days=frozenset({5, 6}))


def at(zone: str, *when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]


def utc(*when: int) -> datetime:
    return at("UTC", *when)


def closing(windows: Windows, *when: int) -> str | None:
    """When the window that is open at this local time closes, in local time."""
    end = closes(windows, at(windows.zone, *when))
    return end and f"{end.astimezone(ZoneInfo(windows.zone)):%Y-%m-%d %H:%M}"


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins():
    windows = Windows(BERLIN, (Opening(22 * 60, 5 * 60, days=frozenset({4})),))
    assert closing(windows, 2026, 12, 4, 21, 59) is None
    assert closing(windows, 2026, 12, 4, 22, 0) == "2026-12-05 05:00"
    assert closing(windows, 2026, 12, 5, 4, 59) == "2026-12-05 05:00"
    assert closing(windows, 2026, 12, 5, 5, 0) is None
    assert closing(windows, 2026, 12, 5, 23, 0) is None


def test_the_hour_is_that_of_the_estate_and_not_of_the_runner():
    windows = Windows(SHANGHAI, (Opening(1 * 60, 4 * 60),))
    assert closes(windows, utc(2026, 12, 4, 17, 30)) == utc(2026, 12, 4, 20)
    assert closes(windows, utc(2026, 12, 4, 1, 30)) is None


def test_windows_that_touch_are_one():
    windows = Windows(BERLIN, (WEEKEND, Opening(22 * 60, 24 * 60, days=frozenset({4}))))
    assert closing(windows, 2026, 12, 4, 22, 30) == "2026-12-07 00:00"


def test_a_closed_day_cuts_a_window_and_says_why():
    windows = Windows(BERLIN, (NIGHT,), (Closing(date(2026, 12, 24), date(2027, 1, 1), "change freeze"),))
    assert closing(windows, 2026, 12, 23, 23, 0) == "2026-12-24 00:00"
    assert closing(windows, 2026, 12, 28, 23, 0) is None
    assert why_closed(windows, at(BERLIN, 2026, 12, 28, 23)) == "change freeze"
    assert closing(windows, 2027, 1, 2, 1, 0) == "2027-01-02 05:00"


def test_a_holiday_is_closed_but_for_an_opening_that_names_it():
    holiday = date(2026, 10, 1)
    plain = Windows(SHANGHAI, (NIGHT,), holidays=frozenset({holiday}))
    assert closing(plain, 2026, 10, 1, 23, 0) is None
    assert closing(plain, 2026, 9, 30, 23, 0) == "2026-10-01 00:00"
    assert why_closed(plain, at(SHANGHAI, 2026, 10, 1, 23)) == "the day is a holiday"
    named = Windows(SHANGHAI, (Opening(8 * 60, 12 * 60, holidays=True),), holidays=frozenset({holiday}))
    assert closing(named, 2026, 10, 1, 9, 0) == "2026-10-01 12:00"
    assert closing(named, 2026, 10, 2, 9, 0) is None


def test_single_dates_open():
    windows = Windows(BERLIN, (Opening(20 * 60, 23 * 60, dates=frozenset({date(2026, 12, 5)})),))
    assert closing(windows, 2026, 12, 5, 21, 0) == "2026-12-05 23:00"
    assert closing(windows, 2026, 12, 6, 21, 0) is None
    following = opens(windows, at(BERLIN, 2026, 11, 29, 12))
    assert following is not None
    assert shown(windows, following[0]) == "Sat 2026-12-05 20:00 in Europe/Berlin"
    assert opens(windows, at(BERLIN, 2026, 12, 6, 12)) is None


def test_without_an_opening_every_hour_is_open_that_is_not_closed():
    windows = Windows(BERLIN, closed=(Closing(date(2026, 12, 24), date(2026, 12, 26)),))
    assert closing(windows, 2026, 12, 23, 12, 0) == "2026-12-24 00:00"
    assert closing(windows, 2026, 12, 24, 0, 0) is None


@pytest.mark.parametrize(
    ("windows", "open_utc", "close_utc"),
    [
        # Set back at 3:00 on 2026-10-25: 2:30 is twice. It opens at the later one, and closes at the earlier one.
        (Windows(BERLIN, (Opening(150, 240),)), utc(2026, 10, 25, 1, 30), utc(2026, 10, 25, 3)),
        (Windows(BERLIN, (Opening(60, 150),)), utc(2026, 10, 24, 23), utc(2026, 10, 25, 0, 30)),
        # Set forward at 2:00 on 2026-03-29: 2:30 is never. The same rule.
        (Windows(BERLIN, (Opening(150, 240),)), utc(2026, 3, 29, 1, 30), utc(2026, 3, 29, 2)),
        (Windows(BERLIN, (Opening(60, 150),)), utc(2026, 3, 29, 0), utc(2026, 3, 29, 0, 30)),
    ],
)
def test_where_a_clock_is_set_a_window_is_as_short_as_it_can_be_meant(windows, open_utc, close_utc):
    assert closes(windows, open_utc) == close_utc
    assert closes(windows, open_utc - timedelta(minutes=1)) is None
    assert closes(windows, close_utc) is None


def test_a_zone_that_nobody_knows_is_told():
    with pytest.raises(BadInput, match='no time zone "Mars/Olympus"'):
        closes(Windows("Mars/Olympus"), utc(2026, 1, 1))
