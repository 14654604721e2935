# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is watched ends a drill when it is not as it must be, and when it cannot be seen."""

from __future__ import annotations

import pytest

from drdrill.drill.watches import Watches
from drdrill.errors import Tripped


class Seen:
    """A watch whose answers are given."""

    name = "the pulse"

    def __init__(self, *answers: str | Exception | None, every_s: float = 1.0) -> None:
        self.answers = list(answers)
        self.every_s = every_s
        self.looked = 0

    def look(self) -> str | None:
        self.looked += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def watches(clock: Clock, told: list[tuple[str, str]]) -> Watches:
    return Watches(lambda name, words: told.append((name, words)), clock)


def test_each_is_looked_at_at_its_own_pace(watches: Watches, clock: Clock):
    often, seldom = Seen(every_s=1.0), Seen(every_s=5.0)
    watches.add(often)
    watches.add(seldom)
    for _ in range(51):
        watches.look()
        clock.pass_s(0.2)
    assert (often.looked, seldom.looked) == (11, 3)


def test_one_that_trips_ends_the_drill_and_is_told(watches: Watches, clock: Clock, told: list[tuple[str, str]]):
    watch = Seen(None, "it stopped")
    watches.add(watch)
    watches.look()
    clock.pass_s(1.0)
    with pytest.raises(Tripped, match="the pulse: it stopped"):
        watches.look()
    assert told == [("the pulse", "it stopped")]
    clock.pass_s(10.0)
    watches.look()
    assert watch.looked == 2, "the drill heals by now, and nothing may stop it"


def test_one_that_crashes_has_tripped(watches: Watches, told: list[tuple[str, str]]):
    watches.add(Seen(ZeroDivisionError("no beats")))
    with pytest.raises(Tripped, match="the pulse: it could not be looked at: ZeroDivisionError: no beats"):
        watches.look()
    assert len(told) == 1


def test_nothing_is_watched_once_the_drill_heals(watches: Watches, told: list[tuple[str, str]]):
    watch = Seen("it stopped")
    watches.add(watch)
    watches.end()
    watches.look()
    assert (watch.looked, told) == (0, [])
