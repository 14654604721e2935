# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill.hold import Hold, State, Tools
from drdrill.drill.holds import Holds
from drdrill.drill.reach import reach_for
from drdrill.drill.undo_log import UndoLog
from drdrill.errors import LeaseLost, Refused, WayInFailed
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal import events
from drdrill.journal.journal import Journal, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.faults.fault import Fault


@dataclass
class Scene:
    """One fake estate whose clock only goes when it is told to."""

    folder: Path
    now: int = 1_000_000_000_000
    said: list[str] = field(default_factory=list)
    holds: Holds = field(default_factory=Holds)

    def __post_init__(self) -> None:
        self.estate = fake_estate(self.folder)
        self.world = World.of(self.estate)
        self.world.now_ns = lambda: self.now
        self.log = UndoLog(self.folder / "state")
        self.journal = Journal(self.folder / "drill")
        self.tools = Tools(self.journal, self.log, self.said.append, lambda: self.pass_time(0.1), lambda: self.now)

    def pass_time(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)

    def plan(self, fault: Fault | None = None) -> Hold:
        fault = fault or SiteIsolated("east")
        targets = fault.candidates(self.estate)
        reach = reach_for(
            Ways(self.estate), fault, targets, drill="d", hold=f"d-{len(self.holds.all) + 1}", lease_s=3.0
        )
        hold = Hold.plan(fault, reach, targets, self.tools)
        self.holds.add(hold)
        return hold

    def struck(self, fault: Fault | None = None) -> Hold:
        hold = self.plan(fault)
        hold.strike()
        return hold

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [e.data for e in read(self.folder / "drill").of(kind)]

    def kinds(self) -> list[str]:
        return [e.kind for e in read(self.folder / "drill").events]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.journal.close()


def test_the_undo_is_on_disk_before_anything_is_touched(scene: Scene) -> None:
    hold = scene.plan()
    assert scene.world.changes == 0
    assert [e.undo for e in scene.log.read().entries] == [hold.undo]
    assert hold.state is State.PLANNED


def test_no_undo_on_disk_no_strike(scene: Scene) -> None:
    scene.log.folder.parent.mkdir(parents=True)
    scene.log.folder.write_text("a file where the folder should be")
    with pytest.raises(Refused, match="nothing is struck"):
        scene.plan()
    assert scene.world.calls == []


def test_a_strike_is_armed_struck_proven_and_held(scene: Scene) -> None:
    hold = scene.struck()
    assert hold.state is State.HELD
    assert scene.kinds() == [
        events.FAULT_PLANNED, events.FAULT_ARMED, events.FAULT_STRUCK, events.FAULT_RENEWED, events.FAULT_LOOKED,
    ]  # fmt: skip
    look = scene.told(events.FAULT_LOOKED)[0]
    assert (look["question"], look["answer"]) == ("took_hold", True)


def test_the_first_lease_is_short_and_extended_once_the_way_back_answered(scene: Scene) -> None:
    scene.struck()
    assert scene.told(events.FAULT_ARMED)[0]["lease_s"] == 3.0
    assert scene.told(events.FAULT_RENEWED)[0]["lease_s"] == 30.0
    asked = [call for call, _ in scene.world.calls]
    assert asked.index("links.cut") < asked.index("links.holds") < asked.index("links.renew")


def test_without_a_way_back_the_lease_is_not_extended(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = scene.plan()

    def silent(_drill: str | None = None) -> None:
        raise WayInFailed("no answer")

    monkeypatch.setattr(hold.reach.links, "holds", silent)
    with pytest.raises(WayInFailed, match="no way back"):
        hold.strike()
    scene.pass_time(3.1)
    with scene.world.looking("look"):
        assert scene.world.cut_pairs() == set()


def test_feeding_renews_and_looks_every_five_seconds(scene: Scene) -> None:
    scene.struck()
    for _ in range(100):
        scene.pass_time(1)
        scene.holds.feed()
    held = [look for look in scene.told(events.FAULT_LOOKED) if look["question"] == "held"]
    assert len(held) == 20
    assert all(look["answer"] is True for look in held)
    assert len(scene.told(events.FAULT_RENEWED)) == 21
    assert scene.holds.all[0].in_force


def test_a_drill_that_stops_feeding_loses_its_fault_and_says_when(scene: Scene) -> None:
    hold = scene.struck()
    struck_at = scene.now
    scene.pass_time(31)
    hold.feed()
    assert hold.state is State.LAPSED
    assert hold.lapsed
    assert scene.told(events.FAULT_LAPSED)[0]["at_ns"] == struck_at + int(30e9)
    assert any("LAPSED" in line for line in scene.said)


def test_a_lapsed_hold_is_still_healed_and_proven(scene: Scene) -> None:
    hold = scene.struck()
    scene.pass_time(31)
    hold.feed()
    assert hold.heal("end")
    assert hold.lapsed
    assert scene.log.read().entries == ()


def test_a_lease_that_ran_out_unseen_is_found_at_the_heal(scene: Scene) -> None:
    hold = scene.struck()
    scene.pass_time(31)
    assert hold.heal("end")
    assert hold.lapsed
    assert scene.told(events.FAULT_LAPSED)


def test_a_short_lease_lapses_whatever_was_answered(scene: Scene) -> None:
    scene.world.flaws.add("short-leases")
    hold = scene.struck()
    for _ in range(6):
        scene.pass_time(1)
        hold.feed()
    assert hold.lapsed


def test_the_hard_end_is_never_renewed(scene: Scene) -> None:
    hold = scene.struck()
    for _ in range(700):
        scene.pass_time(1)
        hold.feed()
    assert hold.lapsed
    first = scene.told(events.FAULT_STRUCK)[0]["first_ns"]
    assert scene.told(events.FAULT_LAPSED)[0]["at_ns"] == first + int(600e9)


def test_a_revoked_right_to_renew_stops_the_drill(scene: Scene) -> None:
    scene.struck()
    scene.world.revoked.add("d")
    scene.pass_time(6)
    with pytest.raises(LeaseLost, match="recover"):
        scene.holds.feed()


def test_a_hold_that_somebody_else_healed_stops_the_drill(scene: Scene) -> None:
    hold = scene.struck()
    scene.world.end(hold.undo.hold)
    scene.pass_time(6)
    with pytest.raises(LeaseLost, match="somebody else"):
        scene.holds.feed()
    assert hold.lapsed


def test_a_renewal_that_fails_stops_the_drill(scene: Scene) -> None:
    scene.struck()
    scene.pass_time(6)
    scene.world.trip = (scene.world.changes + 1, "before")
    with pytest.raises(WayInFailed):
        scene.holds.feed()


def test_one_lost_lease_does_not_starve_the_others(scene: Scene) -> None:
    first, second = scene.struck(SiteIsolated("east")), scene.struck(SiteLost("south"))
    scene.world.end(first.undo.hold)
    scene.pass_time(6)
    with pytest.raises(LeaseLost):
        scene.holds.feed()
    scene.pass_time(26)
    with scene.world.looking("look"):
        assert scene.world.strikes[second.undo.hold].ended == ""


def test_held_is_looked_at_right_before_the_revert(scene: Scene) -> None:
    hold = scene.struck()
    scene.pass_time(1)
    assert hold.heal("sentence")
    kinds = scene.kinds()
    healing = kinds.index(events.FAULT_HEALING)
    assert kinds[healing - 1] == events.FAULT_LOOKED
    assert scene.told(events.FAULT_LOOKED)[-1] == {
        "hold": "d-1", "question": "healed", "answer": True,
        "words": "0 of 30 pairs are cut by d-1", "counts": {"cut": 0, "pairs": 30},
    }  # fmt: skip
    assert kinds[-1] == events.FAULT_HEALED
    assert scene.log.read().entries == ()


def test_a_fault_that_did_not_take_hold_is_recorded_and_no_error(scene: Scene) -> None:
    scene.world.flaws.add("cut-is-ignored")
    assert scene.struck().in_force
    assert scene.told(events.FAULT_LOOKED)[0]["answer"] is False


def test_traffic_that_did_not_flow_before_proves_nothing(scene: Scene) -> None:
    scene.world.strike("power", "x", "other", targets=["east-db1"], lease_s=60, hard_s=60)
    scene.struck()
    assert scene.told(events.FAULT_LOOKED)[0]["answer"] is None
    assert "did not flow before" in scene.told(events.NOTE)[0]["words"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_half_a_strike_is_healed(scene: Scene, when: str) -> None:
    hold = scene.plan()
    scene.world.trip = (scene.world.changes + 1, when)  # type: ignore[assignment]
    with pytest.raises(WayInFailed):
        hold.strike()
    scene.world.trip = None
    assert scene.holds.heal_all("abort") == []
    with scene.world.looking("look"):
        assert scene.world.cut_pairs() == set()
    assert scene.log.read().entries == ()


def test_the_last_strike_is_healed_first_and_all_once_before_any_retry(scene: Scene) -> None:
    scene.struck(SiteIsolated("east"))
    scene.struck(SiteLost("south"))
    scene.world.trip = (scene.world.changes + 2, "before")  # The revert after the last renewal of the second hold.
    assert scene.holds.heal_all("end") == []
    healing = [e["hold"] for e in scene.told(events.FAULT_HEALING)]
    assert healing[:2] == ["d-2", "d-1"]


def test_a_heal_that_fails_does_not_stop_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = scene.struck(SiteIsolated("east")), scene.struck(SiteLost("south"))

    def broken(_hold: str, _hosts: object) -> None:
        raise OSError("the socket is gone")

    monkeypatch.setattr(second.reach.power, "on", broken)
    scene.world.strikes[second.undo.hold].until_ns = scene.world.strikes[second.undo.hold].hard_ns
    left = scene.holds.heal_all("end")
    assert left == [second]
    assert first.state is State.HEALED
    residual = scene.told(events.FAULT_RESIDUAL)[0]
    assert residual["hold"] == "d-2"
    assert "the socket is gone" in residual["words"]
    assert residual["command"].startswith("DRDRILL_STATE=")
    assert "drdrill recover --estate" in residual["command"]
    assert [e.undo.hold for e in scene.log.read().entries] == ["d-2"]


def test_a_hold_without_proof_is_residual_with_the_command(scene: Scene) -> None:
    hold = scene.struck()
    scene.world.flaws.add("heal-is-ignored")
    scene.world.strikes[hold.undo.hold].until_ns = scene.world.strikes[hold.undo.hold].hard_ns
    assert not hold.heal("end")
    assert hold.state is State.RESIDUAL
    assert hold.undo.command in scene.holds.still_open()


def test_printing_never_fails_a_heal(scene: Scene) -> None:
    def broken(_words: str) -> None:
        raise BrokenPipeError

    hold = scene.struck()
    hold.tools.say = broken
    scene.pass_time(31)
    hold.feed()
    assert hold.heal("end")
    hold.residual()


def test_a_full_disk_does_not_stop_a_heal(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = scene.struck()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scene.journal, "write", full)
    assert hold.in_force
    assert hold.heal("end")


def test_a_full_disk_stops_a_drill_that_does_not_heal_yet(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.struck()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scene.journal, "write", full)
    scene.pass_time(6)
    with pytest.raises(OSError, match="No space"):
        scene.holds.feed()


def test_a_surprise_in_one_heal_stops_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = scene.struck(SiteIsolated("east")), scene.struck(SiteLost("south"))

    def surprise(*_: object) -> None:
        raise KeyError("state")

    for call in ("on", "renew", "is_off"):
        monkeypatch.setattr(second.reach.power, call, surprise)
    assert scene.holds.heal_all("end") == [second]
    assert first.state is State.HEALED
    assert "KeyError" in second.words or "state" in second.words
    assert second.whole is None
