# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Each limit: found in the plan before anything is touched, refused live with nothing touched, and a strike that passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate
from permits_helpers import ALLOWED, Stage, limited

from drdrill.connect.fake_world import World
from drdrill.drill import limits
from drdrill.drill.call import Call
from drdrill.drill.preflight import closed_now, findings
from drdrill.drill.restraints import Restraints, needed_s
from drdrill.drill.time_limits import Clock, DrillTime, WindowTime
from drdrill.errors import Refused, Tripped
from drdrill.estate.model import Limits
from drdrill.estate.windows import Closing, Opening, Windows
from drdrill.faults.campus_isolated import CampusIsolated
from drdrill.faults.campus_lost import CampusLost
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION = HostLosesPower("application", "registration", "east")
NIGHT = Windows(
    "Europe/Berlin", (Opening(22 * 60, 5 * 60),), (Closing(date(2026, 12, 24), date(2026, 12, 26), "Christmas"),)
)


def strike(fault: Any, line: int = 1, *, quorum_loss: bool = False) -> Call:
    return Call("drill", "strike", (fault,), {"quorum_loss": quorum_loss}, f"a.feature:{line}")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.finish()


LIMITS = [
    ({"campuses_down": 0}, CampusIsolated("South"), True, "limits.campuses_down is 0"),
    ({"sites_down": 0}, SiteIsolated("east"), False, "limits.sites_down is 0"),
    ({"hosts_down": 0}, APPLICATION, False, "limits.hosts_down is 0"),
    ({"services": ()}, APPLICATION, False, 'service "registration" would be touched, and limits.services allows none'),
    ({"services": ()}, SiteLost("east"), False, 'service "registration" would be touched'),
    ({"never_struck": ("east-db1",)}, SiteLost("east"), False, "limits.never_struck names east-db1"),
    ({"never_struck": ("east-app1",)}, APPLICATION, False, "limits.never_struck names east-app1"),
    ({"forbidden_faults": ("site-lost",)}, SiteLost("east"), False, "limits.forbidden_faults names site-lost"),
    ({"forbidden_faults": ("site-lots",)}, APPLICATION, False, "no fault is called so"),
    ({"quorum_loss": False}, CampusLost("South"), True, "limits.quorum_loss is not true"),
]


@pytest.mark.parametrize(("change", "fault", "quorum_loss", "words"), LIMITS)
def test_what_a_limit_does_not_allow_is_found_in_the_plan_and_refused_live(
    stage: Stage, change: dict[str, Any], fault: Any, *, quorum_loss: bool, words: str
):
    call = strike(fault, 7, quorum_loss=quorum_loss)
    estate = limited(stage.estate, **change)
    (found,) = findings(estate, [call])
    assert found.startswith("a.feature:7: ")
    assert words in found
    stage.drill.estate = estate
    with pytest.raises(Refused) as caught:
        stage.strike(fault, quorum_loss=quorum_loss)
    assert words in str(caught.value)
    assert stage.struck == []
    assert findings(stage.estate, [call]) == []
    stage.drill.estate = stage.estate
    stage.strike(fault, quorum_loss=quorum_loss)
    assert len(stage.struck) == 1


@pytest.mark.parametrize("fault", [CampusIsolated("South"), CampusLost("South")], ids=lambda f: f.name)
def test_a_majority_that_would_go_is_found_in_the_plan(stage: Stage, fault: Any):
    (found,) = findings(stage.estate, [strike(fault)])
    assert "1 of 3 votes (east-db1) would be left" in found
    assert "with expected loss of quorum" in found
    assert findings(stage.estate, [strike(fault, quorum_loss=True)]) == []


def test_the_majority_is_counted_over_everything_that_is_open(stage: Stage):
    estate = limited(stage.estate, sites_down=1)
    plan = [strike(SiteIsolated("witness"), 1), strike(HostLosesPower("database", "registration", "east"), 2)]
    (found,) = findings(estate, plan)
    assert found.startswith("a.feature:2: ")
    assert "1 of 3 votes (south-db1) would be left" in found


def test_a_campus_that_no_host_is_at_is_no_campus(stage: Stage):
    (found,) = findings(stage.estate, [strike(CampusIsolated("West"))])
    assert 'no campus is called "West"' in found


def test_a_campus_whose_sites_are_struck_one_by_one_is_a_campus(stage: Stage):
    estate = limited(stage.estate, sites_down=2, campuses_down=0)
    plan = [strike(SiteLost("witness"), 1), strike(SiteLost("south"), 2, quorum_loss=True)]
    (found,) = findings(estate, plan)
    assert "1 campuses would be struck at once (South)" in found
    assert findings(limited(estate, campuses_down=1), plan) == []


def test_a_heal_of_a_campus_means_that_campus(stage: Stage):
    isolate = strike(CampusIsolated("South"), quorum_loss=True)
    heal = Call("drill", "heal", (CampusIsolated,), {"campus": "South"}, "a.feature:2")
    other = Call("drill", "heal", (CampusIsolated,), {"campus": "East"}, "a.feature:2")
    assert findings(stage.estate, [isolate, heal]) == []
    assert 'of campus "East", and none was struck' in findings(stage.estate, [isolate, other])[0]
    stage.strike(CampusIsolated("South"), quorum_loss=True)
    with pytest.raises(Refused, match="0 faults are meant"):
        stage.noun.heal(CampusIsolated, campus="East")
    stage.noun.heal(CampusIsolated, campus="South")
    assert stage.world.cut_pairs() == set()


def test_a_service_that_may_not_be_touched_is_not_moved_either(stage: Stage):
    estate = limited(stage.estate, services=())
    move = Call("operations", "switch_over", ("registration", "south"), {}, "a.feature:3")
    assert "limits.services allows none" in findings(estate, [move])[0]
    stage.drill.estate = estate
    with pytest.raises(Refused, match="limits.services"):
        stage.drill.nouns["operations"].switch_over("registration", "south")
    assert stage.drill.writer("clinical") == "east-db1"
    stage.drill.estate = stage.estate
    stage.drill.nouns["operations"].switch_over("registration", "south")
    assert stage.drill.writer("clinical") == "south-db1"


def test_holding_longer_than_the_longest_drill_is_found(stage: Stage):
    estate = limited(stage.estate, longest_drill_s=100.0)
    hold = Call("drill", "hold_for", (60.0,), {}, "a.feature:2")
    heal = Call("drill", "heal", (SiteIsolated, "east"), {}, "a.feature:3")
    once = [strike(SiteIsolated("east")), hold, heal]
    assert findings(estate, once) == []
    (found,) = findings(estate, [*once, *once])
    assert "held for 120 s in this drill, and limits.longest_drill" in found


# --- time -------------------------------------------------------------------------------------------------------------


class Time:
    """A wall clock and one that is never set."""

    def __init__(self, *when: int) -> None:
        self.wall = datetime(*when, tzinfo=UTC)  # type: ignore[arg-type,misc]
        self.ns = 0
        self.clock = Clock(lambda: self.wall, lambda: self.ns)

    def pass_s(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ns += int(seconds * 1e9)


def windowed(stage: Stage, time: Time) -> None:
    stage.drill.estate = limited(stage.estate, windows=NIGHT)
    stage.drill.restraints = Restraints(stage.drill, time.clock)


def test_outside_of_its_window_nothing_is_struck_or_moved(stage: Stage):
    windowed(stage, Time(2026, 11, 30, 12))
    with pytest.raises(Refused) as caught:
        stage.strike(APPLICATION)
    assert "is closed now (Mon 2026-11-30 13:00 in Europe/Berlin); it opens next on Mon 2026-11-30 22:00" in str(
        caught.value
    )
    with pytest.raises(Refused, match="closed now"):
        stage.drill.nouns["operations"].switch_over("registration", "south")
    assert stage.struck == []
    windowed(stage, Time(2026, 11, 30, 22))
    stage.strike(APPLICATION)
    assert stage.struck == ["power.off"]


def test_a_closed_day_says_why(stage: Stage):
    windowed(stage, Time(2026, 12, 24, 22))
    with pytest.raises(Refused, match="Christmas"):
        stage.strike(APPLICATION)


def test_a_run_is_refused_outside_of_the_window_before_anything_is_touched(tmp_path: Path):
    estate = limited(fake_estate(tmp_path), windows=NIGHT)
    plan = [strike(APPLICATION)]
    (words,) = closed_now(estate, plan, Time(2026, 11, 30, 12).clock)
    assert "the window for drills is closed now" in words
    assert closed_now(estate, plan, Time(2026, 11, 30, 22).clock) == []
    assert closed_now(estate, [], Time(2026, 11, 30, 12).clock) == []
    assert findings(estate, plan) == [], "what is wrong with a plan does not depend on the hour"
    assert World.of(estate).calls == []


def test_a_strike_ends_at_its_target_before_the_window_closes(stage: Stage):
    time = Time(2026, 12, 1, 3, 50)
    windowed(stage, time)
    needed = needed_s(stage.estate)
    stage.strike(APPLICATION)
    (armed,) = stage.told(events.FAULT_ARMED)
    assert armed["hard_end_s"] == pytest.approx(600 - needed)
    time.pass_s(600 - needed)
    with pytest.raises(
        Refused, match="closes at Tue 2026-12-01 05:00 in Europe/Berlin, and healing and recovery may take"
    ):
        stage.strike(HostLosesPower("entry", "registration", "east"))
    assert stage.struck == ["power.off"]


def test_what_is_broken_is_healed_before_the_window_closes(stage: Stage):
    time = Time(2026, 12, 1, 3, 50)
    windowed(stage, time)
    stage.strike(APPLICATION)
    stage.drill.feed()
    time.pass_s(599)
    stage.drill.watches._due = [(watch, 0) for watch, _ in stage.drill.watches._due]
    with pytest.raises(Tripped, match="limits.windows: .*closes at") as caught:
        stage.drill.feed()
    stage.finish(caught.value)
    assert stage.world.off_hosts() == set()
    assert stage.told(events.TRIPPED)[0]["watch"] == "limits.windows"


def test_a_drill_that_only_judges_may_end_after_its_window(stage: Stage):
    estate, time = limited(stage.estate, windows=NIGHT), Time(2026, 11, 30, 12)
    assert WindowTime(estate, time.clock, 60.0, lambda: False).look() is None
    assert WindowTime(estate, time.clock, 60.0, lambda: True).look() is not None


def test_a_clock_that_is_set_back_makes_no_window_longer(stage: Stage):
    estate, time = limited(stage.estate, windows=NIGHT), Time(2026, 12, 1, 3, 50)
    watch = WindowTime(estate, time.clock, 60.0, lambda: True)
    time.pass_s(500)
    assert watch.look() is None
    time.pass_s(60)
    time.wall -= timedelta(hours=3)
    assert watch.look() is not None


def test_a_drill_that_takes_too_long_trips(stage: Stage):
    time = Time(2026, 12, 1, 3, 50)
    watch = DrillTime(limited(stage.estate, longest_drill_s=100.0), time.clock)
    time.pass_s(99)
    assert watch.look() is None
    time.pass_s(1)
    assert watch.look() == "the drill runs for 100 s, and 100 s are allowed"


def test_a_drill_that_takes_too_long_is_healed(tmp_path: Path):
    made = Stage(tmp_path, limits=replace(ALLOWED, longest_drill_s=0.5))
    made.strike(APPLICATION)
    with pytest.raises(Tripped, match="limits.longest_drill") as caught:
        made.noun.hold_for(20.0)
    made.finish(caught.value)
    assert made.world.off_hosts() == set()


def test_without_windows_nothing_limits_the_hour(stage: Stage):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert limits.left_s(stage.estate, now) is None
    assert limits.outside(stage.estate, now) is None
    assert Limits().campuses_down == 0
