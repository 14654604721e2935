# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.checkers.verdict import Judgement, Restoration, Result, Verdict
from drdrill.connect.fake_world import World
from drdrill.drill import ending, state
from drdrill.drill.about import slug
from drdrill.drill.drill import About, Drill, Ended
from drdrill.drill.undo_log import UndoLog
from drdrill.errors import EstateBusy, LeaseLost, NotHealed, Refused, WayInFailed
from drdrill.estate.durations import Deadline
from drdrill.estate.model import Limits
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal import events
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ABOUT = About(
    "East 被隔离", "A data center is cut off", file="a.feature", line=3, steps=(("When", "x", 4), ("Then", "y", 5))
)
RTO, RECOVERY = Deadline(promise="rto"), Deadline(promise="recovery")


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.estate = fake_estate(folder)
        self.world = World.of(self.estate)
        self.drill = Drill.begin(self.estate, ABOUT, folder / "out", self.said.append)
        self.ended: Ended | None = None

    def noun(self, name: str) -> Any:
        return self.drill.nouns[name]

    def finish(self, error: BaseException | None = None) -> Ended:
        self.ended = self.drill.finish(error)
        return self.ended

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [e.data for e in read(self.drill.folder).of(kind)]

    def whole(self) -> bool:
        with self.world.looking("look"):
            return not self.world.cut_pairs() and not self.world.off_hosts()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    if made.ended is None:
        made.finish()


def test_its_first_line_says_everything_about_it(scene: Scene) -> None:
    begun = scene.told(events.DRILL_BEGUN)[0]
    assert begun["drill"] == scene.drill.id
    assert begun["title"] == "East 被隔离"
    assert begun["steps"] == [{"keyword": "When", "text": "x", "line": 4}, {"keyword": "Then", "text": "y", "line": 5}]
    assert begun["objectives"]["services"]["registration"]["rto_s"] == 15.0
    assert begun["objectives"]["databases"]["clinical"]["rpo_s"] == 0.0
    assert begun["links"] == "user-space"
    assert begun["versions"]["drdrill"]
    assert set(begun["clock"]) == {"mono_ns", "wall_ns"}
    assert scene.drill.folder.name.endswith("Z-east-被隔离")


def test_a_second_drill_on_the_estate_is_refused(scene: Scene) -> None:
    with pytest.raises(EstateBusy, match=scene.drill.id):
        Drill.begin(scene.estate, ABOUT, scene.folder / "out", print)
    scene.finish()
    other = Drill.begin(scene.estate, ABOUT, scene.folder / "out", print)
    assert other.folder != scene.drill.folder
    other.finish()


def test_a_drill_that_touched_nothing_is_refused_and_restored(scene: Scene) -> None:
    ended = scene.finish(Refused("the estate is not healthy: host east-db1: it is off"))
    assert (ended.result, ended.restoration) == (Result.REFUSED, Restoration.RESTORED)
    assert ended.reasons[0] == "The estate is not healthy: host east-db1: it is off."
    assert scene.world.changes == 0
    assert scene.told(events.DRILL_ENDED)[0]["result"] == "refused"


def test_a_healthy_estate_is_healthy(scene: Scene) -> None:
    scene.world.broken["east-app1"] = "its daemon is gone"
    scene.world.strike("power", "x-1", "x", targets=["south-db1"], lease_s=60, hard_s=60)
    with pytest.raises(Refused) as caught:
        scene.noun("estate").require_healthy()
    words = str(caught.value)
    assert "host east-app1: its daemon is gone" in words
    assert "host south-db1: it is off" in words
    assert "database clinical: south-db1 off" in words
    assert "service registration at site east" in words
    assert "x-1" in words
    assert "drdrill recover" in words


def test_who_serves_is_asked_of_the_database(scene: Scene) -> None:
    scene.noun("estate").require_served_by("registration", "primary site")
    with pytest.raises(Refused, match='served by site "east" now, not by site "south"'):
        scene.noun("estate").require_served_by("registration", "south")


def test_a_strike_and_its_heal(scene: Scene) -> None:
    scene.noun("drill").strike(SiteIsolated("primary site"))
    assert scene.drill.struck()
    assert len(scene.world.cut_pairs()) == 30
    scene.noun("drill").heal(SiteIsolated, "east")
    assert scene.whole()
    ended = scene.finish()
    assert ended.restoration is Restoration.RESTORED
    assert ended.result is Result.INCONCLUSIVE
    assert scene.told(events.DRILL_QUIET)[0]["reason"] == "everything is as it was"
    assert [n["words"] for n in scene.told(events.NOTE) if "failed" in n["words"]] == []
    assert UndoLog(state.folder(scene.estate.name)).read().entries == ()


def test_the_end_heals_what_is_open_last_first(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.drill.estate = replace(scene.estate, limits=Limits(sites_down=2, quorum_loss=True))
    scene.noun("drill").strike(SiteIsolated("east"))
    scene.noun("drill").strike(SiteLost("witness"), quorum_loss=True)
    ended = scene.finish()
    assert scene.whole()
    assert ended.restoration is Restoration.RESTORED
    healing = scene.told(events.FAULT_HEALING)
    assert [h["hold"][-1] for h in healing] == ["2", "1"]
    assert {h["reason"] for h in healing} == {"end"}


@pytest.mark.parametrize(
    ("error", "result", "reason"),
    [
        (KeyboardInterrupt(), Result.ABORTED, "The drill was interrupted by Ctrl-C."),
        (WayInFailed("the lab does not answer"), Result.ABORTED, "The lab does not answer."),
        (RuntimeError("a team's own step broke"), Result.ABORTED, "RuntimeError: a team's own step broke."),
    ],
)
def test_whatever_ends_the_sentences_the_fault_is_healed(
    scene: Scene, error: BaseException, result: Result, reason: str
) -> None:
    scene.noun("drill").strike(SiteLost("east"))
    ended = scene.finish(error)
    assert scene.whole()
    assert ended.result is result
    assert ended.reasons[0] == reason
    assert scene.told(events.FAULT_HEALING)[0]["reason"] == "abort"


def test_a_missed_promise_is_missed_and_healed_as_planned(scene: Scene) -> None:
    scene.noun("drill").strike(SiteLost("east"))
    with pytest.raises(AssertionError) as caught:
        scene.drill.conclude(Judgement("x", "x", Verdict.FAIL, "It took 20 s.", {}, tuple(str(n) for n in range(80))))
    ended = scene.finish(caught.value)
    assert ended.result is Result.MISSED
    assert ended.reasons[0] == "It took 20 s."
    check = scene.told(events.CHECK)[0]
    assert len(check["witnesses"]) == 50
    assert check["witnesses_total"] == 80
    assert scene.told(events.FAULT_HEALING)[0]["reason"] == "end"


def test_half_a_strike_is_healed_and_is_not_called_refused(scene: Scene) -> None:
    drill = scene.noun("drill")
    scene.world.trip = (scene.world.changes + 1, "after")
    with pytest.raises(WayInFailed) as caught:
        drill.strike(SiteLost("east"))
    assert not scene.whole()
    scene.world.trip = None
    ended = scene.finish(caught.value)
    assert scene.whole()
    assert (ended.result, ended.restoration) == (Result.ABORTED, Restoration.RESTORED)


def test_what_cannot_be_healed_is_residual_with_the_command(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drdrill.drill.hold.HEALED_WITHIN_S", 0.2)
    scene.noun("drill").strike(SiteLost("east"))
    scene.world.flaws.add("heal-is-ignored")
    with pytest.raises(NotHealed, match="drdrill recover"):
        scene.noun("drill").heal(SiteLost, "east")
    ended = scene.finish()
    assert ended.restoration is Restoration.RESIDUAL
    assert "not proven healed" in scene.told(events.DRILL_QUIET)[0]["reason"]
    differences = scene.told(events.DRILL_RESTORED)[0]["differences"]
    assert {"host east-db1", "host east-app1", "host east-entry1", "database clinical"} <= {
        d["what"] for d in differences
    }
    assert any(d["command"] and "drdrill recover" in d["command"] for d in differences)
    assert any("NOT HEALED" in line for line in scene.said)


def test_what_is_wrong_in_the_same_way_is_one_line(scene: Scene) -> None:
    scene.noun("drill").strike(SiteLost("east"))
    for host in ("east-app1", "south-app1"):
        scene.world.broken[host] = "its daemon does not start"
    scene.finish()
    assert "not as before: host east-app1, host south-app1: its daemon does not start" in scene.said


def test_a_host_that_was_ill_before_is_no_difference(scene: Scene) -> None:
    scene.world.broken["client"] = "it was ill all along"
    scene.noun("drill").strike(SiteIsolated("east"))
    assert scene.finish().restoration is Restoration.RESTORED


def test_a_host_that_does_not_come_back_is_residual(scene: Scene) -> None:
    scene.noun("drill").strike(SiteLost("east"))
    scene.world.broken["east-app1"] = "its daemon does not start"
    ended = scene.finish()
    assert ended.restoration is Restoration.RESIDUAL
    difference = scene.told(events.DRILL_RESTORED)[0]["differences"][0]
    assert difference["what"] == "host east-app1"
    assert difference["after"] == "its daemon does not start"


def test_a_writer_that_moved_is_said_and_is_not_residual(scene: Scene) -> None:
    scene.noun("drill").strike(SiteLost("east"))
    assert scene.drill.writer("clinical") == "south-db1"
    assert scene.finish().restoration is Restoration.RESTORED
    notes = [n["words"] for n in scene.told(events.NOTE)]
    assert "the writer of database clinical was east-db1 and is south-db1 now" in notes


def test_a_heal_that_means_nothing_or_two_is_refused(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    drill = scene.noun("drill")
    with pytest.raises(Refused, match="0 faults are meant"):
        drill.heal(SiteIsolated, "east")
    drill.strike(HostLosesPower("application", "registration", "east"))
    drill.strike(HostLosesPower("entry", "registration", "east"))
    with pytest.raises(Refused, match="2 faults are meant"):
        drill.heal(HostLosesPower)
    scene.finish()
    assert scene.whole()


def test_a_second_site_is_refused_and_the_first_stays_struck(scene: Scene) -> None:
    scene.noun("drill").strike(SiteIsolated("east"))
    with pytest.raises(Refused, match="limits.sites_down"):
        scene.noun("drill").strike(SiteLost("south"))
    assert len(scene.drill.holds.open) == 1


def test_a_database_host_is_refused_where_the_writer_is_not(scene: Scene) -> None:
    with pytest.raises(Refused, match="not at site south"):
        scene.noun("drill").strike(HostLosesPower("database", "registration", "south"))
    assert not scene.drill.struck()
    assert scene.finish().result is Result.REFUSED


def test_a_held_fault_is_fed_while_it_is_held(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drdrill.drill.hold.LOOK_EVERY_S", 0.2)
    scene.noun("drill").strike(SiteIsolated("east"))
    scene.noun("drill").hold_for(1.0)
    held = [look for look in scene.told(events.FAULT_LOOKED) if look["question"] == "held"]
    assert len(held) >= 3
    assert all(look["answer"] is True for look in held)


def test_nothing_can_be_held_when_nothing_is_open(scene: Scene) -> None:
    with pytest.raises(Refused, match="no fault is open"):
        scene.noun("drill").hold_for(1.0)


def test_a_hold_that_somebody_healed_aborts_in_the_next_wait(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drdrill.drill.hold.LOOK_EVERY_S", 0.0)
    scene.noun("drill").strike(SiteIsolated("east"))
    scene.world.end(scene.drill.holds.open[0].undo.hold)
    with pytest.raises(LeaseLost) as caught:
        scene.drill.wait_until(lambda: None, 5.0, "nothing")
    assert scene.finish(caught.value).result is Result.ABORTED


def test_a_lapsed_fault_is_inconclusive_whatever_else(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drdrill.connect.fake_world.SHORT_LEASE_S", 0.2)
    monkeypatch.setattr("drdrill.drill.hold.LOOK_EVERY_S", 0.1)
    scene.world.flaws.add("short-leases")
    scene.noun("drill").strike(SiteIsolated("east"))
    scene.noun("drill").hold_for(0.5)
    scene.drill.conclude(Judgement("x", "x", Verdict.PASS, "Good.", saw={"samples": 1}))
    ended = scene.finish()
    assert ended.result is Result.INCONCLUSIVE
    assert ended.restoration is Restoration.RESTORED
    assert any("site" in reason and "isolated" in reason for reason in ended.reasons)


def test_waiting_gives_what_was_found_or_none_at_the_deadline(scene: Scene) -> None:
    assert scene.drill.wait_until(lambda: 7, 1.0, "seven") == 7
    assert scene.drill.wait_until(lambda: False, 1.0, "a no is an answer") is False
    assert scene.drill.wait_until(lambda: None, 0.2, "nothing") is None


def test_an_unknown_check_makes_its_sentence_unknown(scene: Scene) -> None:
    scene.drill.step_begun(0)
    scene.drill.conclude(Judgement("x", "x", Verdict.UNKNOWN, "It cannot be told."))
    scene.drill.step_ended(0, "passed")
    scene.drill.step_begun(1)
    scene.drill.step_ended(1, "passed")
    assert scene.told(events.STEP_ENDED) == [
        {"index": 0, "status": "unknown", "message": "It cannot be told."},
        {"index": 1, "status": "passed", "message": None},
    ]
    assert scene.told(events.CHECK)[0]["phase"] == "0"


def test_a_switchover_moves_the_writer_and_is_written_down(scene: Scene) -> None:
    scene.noun("operations").switch_over("registration", "south")
    assert scene.drill.writer("clinical") == "south-db1"
    begun, ended = scene.told(events.OPERATION_BEGUN)[0], scene.told(events.OPERATION_ENDED)[0]
    assert begun["id"] == ended["id"]
    assert begun["first_ns"] <= ended["last_ns"]
    assert ended["error"] is None
    assert scene.drill.struck()


def test_a_switchover_to_where_the_writer_is_moves_nothing(scene: Scene) -> None:
    scene.noun("operations").switch_over("registration", "east")
    assert scene.told(events.OPERATION_BEGUN) == []
    assert "already" in scene.told(events.NOTE)[0]["words"]
    assert not scene.drill.struck()


def test_a_switchover_that_fails_is_written_down_and_raised(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_host: str) -> None:
        raise WayInFailed("Patroni refuses")

    monkeypatch.setattr(scene.drill.engine("clinical"), "switch_over", broken)
    with pytest.raises(WayInFailed, match="Patroni refuses"):
        scene.noun("operations").switch_over("registration", "south")
    assert scene.told(events.OPERATION_ENDED)[0]["error"] == "Patroni refuses"


def test_a_database_out_of_step_fails_its_sentence(scene: Scene) -> None:
    scene.noun("operations").await_in_step("clinical", RECOVERY)
    scene.noun("drill").strike(HostLosesPower("database", "registration", "east"))
    with pytest.raises(AssertionError, match=r"not in step after 0\.3 s: east-db1 off"):
        scene.noun("operations").await_in_step("clinical", Deadline(seconds=0.3))


def test_the_baseline_is_awaited_and_judged(scene: Scene) -> None:
    with pytest.raises(Refused, match="nothing was struck"):
        scene.noun("drill").await_baseline(RECOVERY)
    scene.noun("drill").strike(SiteLost("east"))
    with pytest.raises(AssertionError, match="host east-db1"):
        scene.noun("drill").await_baseline(Deadline(seconds=0.3))
    scene.noun("drill").heal(SiteLost, "east")
    scene.noun("drill").await_baseline(RECOVERY)
    assert scene.told(events.CHECK)[-1]["verdict"] == "pass"


def test_ctrl_c_while_healing_says_what_is_open_and_heals_on(scene: Scene) -> None:
    scene.noun("drill").strike(SiteLost("east"))
    power = scene.drill.holds.open[0].reach.power
    assert power is not None
    really_on = power.on

    def slow(hold: str, hosts: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(0.2)
        return really_on(hold, hosts)

    power.on = slow  # type: ignore[method-assign]
    ended = scene.finish(KeyboardInterrupt())
    assert scene.whole()
    assert ended.restoration is Restoration.RESTORED
    assert ended.stopped == ("SIGINT",)
    assert any("cannot be interrupted" in line and 'site "east" loses power' in line for line in scene.said)


def test_a_terminal_that_went_away_stops_nothing(tmp_path: Path) -> None:
    def broken(_words: str) -> None:
        raise BrokenPipeError

    estate = fake_estate(tmp_path)
    drill = Drill.begin(estate, ABOUT, tmp_path / "out", broken)
    drill.nouns["drill"].strike(SiteLost("east"))
    assert drill.finish(KeyboardInterrupt()).restoration is Restoration.RESTORED


def test_a_judge_that_breaks_leaves_a_healed_estate_and_no_lock(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ending, "_judge", broken)
    scene.noun("drill").strike(SiteLost("east"))
    ended = scene.finish()
    assert scene.whole()
    assert ended.result is Result.ABORTED
    Drill.begin(scene.estate, ABOUT, scene.folder / "out", print).finish()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The east campus is isolated", "the-east-campus-is-isolated"),
        ("../../etc", "etc"),
        ("…", "drill"),
        ("a" * 99, "a" * 60),
    ],
)
def test_a_title_is_a_safe_name_of_a_folder(title: str, name: str) -> None:
    assert slug(title) == name
