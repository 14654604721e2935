# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Guards are read again while something is held: a no that lasts, a crash and a silence end the drill."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from permits_helpers import Stage
from waiting import eventually

from drdrill.connect.capabilities import Look
from drdrill.drill import guarding
from drdrill.drill.guarding import GuardWatch, Said
from drdrill.drill.guards.guard import Case, Guard
from drdrill.errors import Tripped, WayInFailed
from drdrill.faults.campus_isolated import CampusIsolated
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Told(Guard):
    """A guard whose answers are given."""

    name = "told"

    def __init__(self, *answers: Look | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def before(self, case: Case) -> Look:
        del case
        return Look(True, "yes")

    def held(self, case: Case) -> Look | None:
        del case
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Watching:
    """A watch whose clock is given, and whose rounds are waited for."""

    def __init__(self, stage: Stage, guard: Guard, *, lost: bool = False) -> None:
        self.ns = 0
        self.held = True
        self.patience_s = 10.0
        self.told: list[Said] = []
        case = Case(stage.drill, frozenset({"east-app1"}), quorum_lost=lost)
        self.watch = GuardWatch(
            {"told": guard},
            lambda: case if self.held else None,
            lambda: self.patience_s,
            self.told.append,
            lambda: self.ns,
        )

    def round(self) -> str | None:
        """One whole round: it begins, ends, and is heard."""
        words = self.watch.look()
        running = self.watch._round
        if running is not None:
            assert running.done.wait(5)
        words = words or self.watch.look()
        self.ns += int(guarding.ROUND_S * 1e9)
        return words


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.finish()


GOOD, BAD = Look(True, "3 votes are left"), Look(False, "1 vote is left")


def test_a_good_answer_ends_nothing(stage: Stage):
    watching = Watching(stage, Told(GOOD))
    assert [watching.round() for _ in range(10)] == [None] * 10
    assert len(watching.told) == 1, "an answer is told when it changes"


@pytest.mark.parametrize("answer", [BAD, Look(None, "1 vote is left"), WayInFailed("1 vote is left")])
def test_a_no_that_lasts_and_an_unknown_that_lasts_trip(stage: Stage, answer):
    watching = Watching(stage, Told(GOOD, answer))
    said = [watching.round() for _ in range(4)]
    assert said == [None, None, None, "told: 1 vote is left"], "seen at 5 s, still so at 15 s"


def test_a_no_that_passes_does_not_trip(stage: Stage):
    watching = Watching(stage, Told(BAD, BAD, GOOD, BAD, BAD, GOOD, GOOD))
    assert [watching.round() for _ in range(7)] == [None] * 7
    assert [said.look.answer for said in watching.told] == [False, True, False, True]


def test_what_was_healed_a_moment_ago_has_its_time_to_recover(stage: Stage):
    watching = Watching(stage, Told(BAD))
    watching.patience_s = 60.0
    assert [watching.round() for _ in range(12)] == [None] * 12
    assert watching.round() == "told: 1 vote is left"


def test_one_that_crashes_has_tripped_at_once(stage: Stage):
    watching = Watching(stage, Told(GOOD, ZeroDivisionError("no votes")))
    assert watching.round() is None
    assert watching.round() == "told could not be asked: ZeroDivisionError: no votes"


def test_one_that_never_answers_has_tripped(stage: Stage):
    release = threading.Event()

    class Hangs(Told):
        def held(self, case: Case) -> Look | None:
            del case
            release.wait(20)
            return GOOD

    watching = Watching(stage, Hangs(GOOD))
    try:
        assert watching.watch.look() is None
        eventually(lambda: watching.watch._round is not None and watching.watch._round.at == "told")
        watching.ns += int(19 * 1e9)
        assert watching.watch.look() is None
        watching.ns += int(2 * 1e9)
        assert watching.watch.look() == "told has not answered for 20 s"
    finally:
        release.set()


def test_nothing_is_asked_while_nothing_is_held(stage: Stage):
    guard = Told(BAD)
    watching = Watching(stage, guard)
    watching.held = False
    assert [watching.round() for _ in range(5)] == [None] * 5
    assert guard.asked == 0


def test_what_a_sentence_expects_is_not_read_again(stage: Stage):
    class Lifted(Told):
        lifted = True

    guard = Lifted(BAD)
    assert [Watching(stage, guard, lost=True).round() for _ in range(5)] == [None] * 5
    assert guard.asked == 0
    assert Watching(stage, guard).round() is None
    assert guard.asked == 1


# --- a whole drill ----------------------------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "ROUND_S", 0.1)
    monkeypatch.setattr(guarding, "PATIENCE_S", 0.3)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (("witness-arb1",), "votes: 1 of 3 votes (south-db1) would be left"),
        (("south-app1",), "other-sites: no application host of service registration at site south is up"),
        (("south-entry1",), "entries: no entry of service registration would be left"),
    ],
)
def test_what_breaks_beside_a_fault_that_is_held_ends_the_drill(stage: Stage, lost: tuple[str, ...], words: str):
    stage.strike(SiteIsolated("east"))
    stage.noun.hold_for(0.5)
    stage.world.broken |= dict.fromkeys(lost, "it broke by itself")
    with pytest.raises(Tripped) as caught:
        stage.noun.hold_for(20.0)
    assert words in str(caught.value)
    stage.finish(caught.value)
    assert stage.world.cut_pairs() == set()
    tripped, healing = _times(stage)
    assert healing - tripped < 1.0


@pytest.mark.usefixtures("at_once")
def test_the_last_copy_that_falls_silent_ends_the_drill(stage: Stage, monkeypatch: Any):
    stage.strike(HostLosesPower("database", "registration", "east"))
    asks = stage.drill.restraints._apart
    assert asks is not None
    engine = asks.engine("clinical")
    monkeypatch.setattr(engine, "members", lambda: ())
    with pytest.raises(Tripped, match="copies: no member of database clinical that is not struck answers"):
        stage.noun.hold_for(20.0)


@pytest.mark.usefixtures("at_once")
def test_a_quorum_that_is_lost_on_purpose_is_held_as_long_as_the_drill_says(stage: Stage):
    stage.strike(CampusIsolated("South"), quorum_loss=True)
    stage.noun.hold_for(1.5)
    stage.noun.heal(CampusIsolated, campus="South")
    assert stage.told(events.TRIPPED) == []
    assert any(told["hold"] is None for told in stage.told(events.GUARDED)), "what is not expected was read again"


def _times(stage: Stage) -> tuple[float, float]:
    from drdrill.journal.journal import read  # noqa: PLC0415 - only here

    journal = read(stage.drill.folder)
    return tuple(next(journal.of(kind)).t / 1e9 for kind in (events.TRIPPED, events.FAULT_HEALING))  # type: ignore[return-value]
