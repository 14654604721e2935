# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.hold import Hold, Tools
from drdrill.drill.lock import EstateLock
from drdrill.drill.reach import reach_for
from drdrill.drill.recover import recover
from drdrill.drill.undo_log import UndoLog
from drdrill.errors import LeaseLost, WayInFailed
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault

HOLDER = """
import pathlib, sys, time
from estates import fake_estate
from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.hold import Hold, Tools
from drdrill.drill.lock import EstateLock
from drdrill.drill.reach import reach_for
from drdrill.drill.undo_log import UndoLog
from drdrill.estate.model import Limits
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.journal.journal import Journal

folder = pathlib.Path(sys.argv[1])
estate = fake_estate(folder, limits=Limits(longest_fault_s=float(sys.argv[2])))
lock = EstateLock(state.folder(estate.name), estate.name).take("d")
fault = SiteIsolated("east")
reach = reach_for(Ways(estate), fault, fault.candidates(estate), drill="d", hold="d-1", lease_s=3)
tools = Tools(Journal(folder / "drill"), UndoLog(state.folder(estate.name)), print, nap=lambda: None)
hold = Hold.plan(fault, reach, fault.candidates(estate), tools)
hold.strike()
print("held", flush=True)
while True:
    time.sleep(0.1)
    hold.feed()
"""


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.estate = fake_estate(folder)
        self.log = UndoLog(state.folder(self.estate.name))
        self.journal = Journal(folder / "drill")
        self.said: list[str] = []

    def struck(self, fault: Fault, hold: str) -> Hold:
        targets = fault.candidates(self.estate)
        reach = reach_for(Ways(self.estate), fault, targets, drill="d", hold=hold, lease_s=3.0)
        made = Hold.plan(fault, reach, targets, Tools(self.journal, self.log, print, nap=lambda: None))
        made.strike()
        return made


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.journal.close()


def whole(estate: Estate) -> bool:
    world = World.of(estate)
    with world.looking("look"):
        return not world.cut_pairs() and not world.off_hosts()


def test_nothing_open_is_nothing_to_do(scene: Scene) -> None:
    done = recover(scene.estate, scene.said.append)
    assert done.whole
    assert done.healed == []
    assert World.of(scene.estate).changes == 0


def test_everything_open_is_healed_last_first(scene: Scene) -> None:
    scene.struck(SiteIsolated("east"), "d-1")
    scene.struck(SiteLost("south"), "d-2")
    done = recover(scene.estate, scene.said.append)
    assert done.healed == ['site "south" loses power', 'site "east" is isolated']
    assert done.whole
    assert whole(scene.estate)
    assert scene.log.read().entries == ()


def test_a_live_drill_loses_its_right_to_renew_first(scene: Scene) -> None:
    hold = scene.struck(SiteIsolated("east"), "d-1")
    recover(scene.estate, scene.said.append)
    calls = [call for call, _ in World.of(scene.estate).calls]
    assert calls.index("links.revoke") < calls.index("links.restore")
    with pytest.raises(LeaseLost):
        hold.feed(now=True)


def test_it_works_beside_a_drill_that_holds_the_lock(scene: Scene) -> None:
    scene.struck(SiteIsolated("east"), "d-1")
    lock = EstateLock(state.folder(scene.estate.name), scene.estate.name).take("the-live-one")
    done = recover(scene.estate, scene.said.append)
    lock.release()
    assert done.whole
    assert any("the-live-one" in line and "abort" in line for line in scene.said)


def test_a_dead_owner_is_not_called_alive(scene: Scene) -> None:
    EstateLock(state.folder(scene.estate.name), scene.estate.name).take("gone").release()
    recover(scene.estate, scene.said.append)
    assert not any("gone" in line for line in scene.said)


def test_one_that_cannot_be_healed_stops_no_other_and_comes_with_its_command(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.struck(SiteIsolated("east"), "d-1")
    hold = scene.struck(SiteLost("south"), "d-2")
    monkeypatch.setattr("drdrill.drill.recover.HEALED_WITHIN_S", 0.3)
    ways = Ways(scene.estate)

    def broken(_hold: str, _hosts: object) -> None:
        raise WayInFailed("the controller does not answer")

    monkeypatch.setattr(ways.named("power", "fake"), "on", broken)
    done = recover(scene.estate, scene.said.append, ways)
    assert done.healed == ['site "east" is isolated']
    assert not done.whole
    assert len([words for words in done.left if "loses power" in words]) == 1
    assert "the controller does not answer" in done.left[0]
    assert hold.undo.command in done.left[0]
    assert [e.undo.hold for e in scene.log.read().entries] == ["d-2"]


def test_a_record_that_cannot_be_read_is_left_and_said(scene: Scene) -> None:
    scene.struck(SiteIsolated("east"), "d-1")
    path = scene.log.read().entries[0].path
    path.write_text("{")
    done = recover(scene.estate, scene.said.append)
    assert not done.whole
    assert str(path) in done.left[0]
    assert path.exists()


def test_a_hold_that_the_log_does_not_know_is_said(scene: Scene) -> None:
    World.of(scene.estate).strike("links", "x-1", "x", targets=[["east-db1", "client"]], lease_s=60, hard_s=60)
    done = recover(scene.estate, scene.said.append)
    assert not done.whole
    assert "x-1" in done.left[0]


def test_a_record_of_an_unknown_fault_is_left_and_said(scene: Scene) -> None:
    scene.struck(SiteIsolated("east"), "d-1")
    undo = scene.log.read().entries[0].undo
    scene.log.done("d-1")
    scene.log.write(type(undo)(**{**undo.__dict__, "fault": "flood"}))
    done = recover(scene.estate, scene.said.append)
    assert 'no fault is called "flood"' in done.left[0]


def held_by_another_process(folder: Path, longest_s: float) -> subprocess.Popen[bytes]:
    """A process that strikes the fake estate whose world lies on disk, and holds it."""
    (folder / "estate.fake.json").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(longest_s)], stdout=subprocess.PIPE, env=environment
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    return child


def kill(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


def test_a_killed_holder_is_healed_from_its_record_by_another_process(tmp_path: Path) -> None:
    child = held_by_another_process(tmp_path, 600)
    kill(child)
    estate = fake_estate(tmp_path)
    assert not whole(estate)
    done = recover(estate, print)
    assert done.healed == ['site "east" is isolated']
    assert done.whole
    assert whole(estate)


def test_a_live_holder_aborts_when_somebody_recovers(tmp_path: Path) -> None:
    child = held_by_another_process(tmp_path, 600)
    estate = fake_estate(tmp_path)
    assert recover(estate, print).whole
    assert child.wait(15) != 0
    assert child.stdout is not None
    child.stdout.close()
    assert whole(estate)


def test_a_killed_holder_is_healed_by_its_lease_alone(tmp_path: Path) -> None:
    child = held_by_another_process(tmp_path, 2.0)
    kill(child)
    estate = fake_estate(tmp_path)
    end = time.monotonic() + 5
    while not whole(estate):
        assert time.monotonic() < end
        time.sleep(0.05)
    done = recover(estate, print)
    assert done.healed == ['site "east" is isolated']
    assert done.whole
