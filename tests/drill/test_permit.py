# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A strike outside of the plan is refused when it is to be done, with nothing touched; one inside is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.checkers.verdict import Restoration, Result
from drdrill.connect.fake_world import World
from drdrill.drill.approvals import Approval
from drdrill.drill.call import Call
from drdrill.drill.drill import About, Drill, Ended
from drdrill.drill.permit import Permit
from drdrill.drill.plan import Plan, Scenario, Written, plan
from drdrill.errors import Refused
from drdrill.estate.model import Approvals
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal import events
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

STRIKES = {"links.cut", "power.off", "freeze.freeze", "entry.drain"}
NOON = datetime(2027, 5, 2, 12, tzinfo=UTC)


def planned(estate: Estate, *faults: Any) -> Plan:
    sentences = [Written(f.title, "a.feature:3", "faults.py:1", (Call("drill", "strike", (f,)),)) for f in faults]
    return plan(estate, [Scenario("s", "a.feature:2", tuple(sentences))], {})


@dataclass
class Scene:
    drill: Drill
    world: World
    ended: Ended | None = None

    def finish(self, error: BaseException | None = None) -> Ended:
        self.ended = self.drill.finish(error)
        return self.ended

    def strike(self, fault: Any) -> None:
        self.drill.nouns["drill"].strike(fault)

    @property
    def struck(self) -> list[str]:
        return [call for call, _ in self.world.calls if call in STRIKES]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Any]:
    made: list[Scene] = []

    def begin_one(*faults: Any, needed: tuple[str, ...] = (), **how: Any) -> Scene:
        estate = fake_estate(tmp_path)
        if needed:
            who = Approvals(len(needed), {name: f"ed25519:{name}" for name in needed})
            estate = replace(estate, approvals=who)
            how["approvals"] = [Approval("", "fake", name, NOON, NOON + timedelta(hours=1)) for name in needed]
        whole = planned(estate, *faults)
        permit = Permit(whole, whole.drills[0], **how)
        drill = Drill.begin(estate, About("s", "f"), tmp_path / "out", print, permit=permit)
        made.append(Scene(drill, World.of(estate)))
        return made[-1]

    yield begin_one
    for scene in made:
        if scene.ended is None:
            scene.finish()


def test_what_is_planned_is_struck_once(begin: Any) -> None:
    scene = begin(SiteIsolated("east"))
    scene.strike(SiteIsolated("east"))
    assert scene.struck == ["links.cut"]
    assert read(scene.drill.folder).last(events.DRILL_ALLOWED).data["approvals"] == []  # type: ignore[union-attr]
    scene.drill.nouns["drill"].heal(SiteIsolated)
    with pytest.raises(Refused, match="not in the plan of this drill, or not once more"):
        scene.strike(SiteIsolated("east"))
    assert scene.struck == ["links.cut"]


@pytest.mark.parametrize(
    "other", [SiteLost("east"), SiteIsolated("south"), SiteIsolated("east", peer="south")], ids=lambda f: f.title
)
def test_another_fault_is_refused_and_nothing_is_touched(begin: Any, other: Any) -> None:
    scene = begin(SiteIsolated("east"))
    with pytest.raises(Refused, match="not in the plan"):
        scene.strike(other)
    assert scene.struck == []


def test_a_host_that_was_no_candidate_is_refused_and_nothing_is_touched(begin: Any, monkeypatch: Any) -> None:
    fault = HostLosesPower("application", "registration", "east")
    scene = begin(fault)
    elsewhere = HostLosesPower("application", "registration", "south").candidates(scene.drill.estate)
    monkeypatch.setattr(HostLosesPower, "choose", lambda *_: elsewhere)
    with pytest.raises(Refused, match="would strike south-app1, and the plan of this drill has 1 of east-app1"):
        scene.strike(fault)
    assert scene.struck == []


def test_a_window_that_closes_while_it_runs_stops_the_next_strike(begin: Any) -> None:
    now = [NOON]
    scene = begin(SiteIsolated("east"), needed=("anna",), now=lambda: now[0])
    now[0] += timedelta(hours=1)
    with pytest.raises(Refused, match="the window of its approvals is closed now \\(anna, from "):
        scene.strike(SiteIsolated("east"))
    assert scene.struck == []
    now[0] -= timedelta(seconds=1)
    scene.strike(SiteIsolated("east"))
    assert scene.struck == ["links.cut"]


def test_a_drill_that_begins_after_its_window_touches_nothing(begin: Any) -> None:
    with pytest.raises(Refused, match="closed now"):
        begin(SiteIsolated("east"), needed=("anna",), now=lambda: NOON + timedelta(hours=2))


def test_a_probe_does_everything_but_the_strike(begin: Any) -> None:
    scene = begin(SiteIsolated("east"), needed=("anna",), now=lambda: NOON + timedelta(days=9), probe_only=True)
    scene.strike(SiteIsolated("east"))
    asked = [call for call, _ in scene.world.calls]
    assert scene.struck == []
    assert "links.ready" in asked
    assert not scene.drill.tools.log.read().entries
    ended = scene.finish()
    assert (ended.result, ended.restoration, ended.tried) == (Result.INCONCLUSIVE, Restoration.RESTORED, True)


def test_a_probe_finds_a_way_that_does_not_work(begin: Any) -> None:
    scene = begin(SiteIsolated("east"), probe_only=True)
    scene.world.broken["east-db1"] = "no right to nft"
    with pytest.raises(Refused, match="links through fake: east-db1: no right to nft") as caught:
        scene.strike(SiteIsolated("east"))
    assert scene.struck == []
    ended = scene.finish(caught.value)
    assert (ended.result, ended.tried) == (Result.REFUSED, False)


def test_a_move_that_nobody_planned_is_refused_and_one_that_was_is_not(begin: Any) -> None:
    scene = begin(SiteIsolated("east"))
    with pytest.raises(Refused, match="the writer of database clinical moves to south-db1.*not in the plan"):
        scene.drill.nouns["operations"].switch_over("registration", "south")
    move = Call("operations", "switch_over", ("registration", "east"))
    whole = plan(scene.drill.estate, [Scenario("s", "a.feature:2", (Written("m", "a:3", "o:1", (move,)),))], {})
    scene.drill.permit = Permit(whole, whole.drills[0])
    scene.drill.nouns["operations"].switch_over("registration", "east")
    assert scene.struck == []
