# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The guardian heals what no target heals by itself, whatever becomes of the drill: power by a board without a timer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_truth import left_over
from teams import ESTATE
from waiting import eventually

from drdrill.drill.guardian.ward import LEASE_S
from drdrill.drill.undo_log import UndoLog
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNER = """
import pathlib, sys
from drdrill.drill.call import Call
from drdrill.drill.drill import About, Drill
from drdrill.drill.signals import guard
from drdrill.estate.load import load
from drdrill.faults.site_lost import SiteLost
fault = SiteLost("east")
calls = (Call("drill", "strike", (fault,)),)
about, out = About("guarded", "crash", calls=calls), pathlib.Path(sys.argv[2])
drill = Drill.begin(load(sys.argv[1]), about, out, print, sys.argv[3] or None)
error = None
with guard():
    try:
        drill.nouns["drill"].strike(fault)
        print("struck", drill.folder, drill.guardian.pid, flush=True)
        drill.nouns["drill"].hold_for(300.0)
    except BaseException as caught:
        error = caught
ended = drill.finish(error)
print("ended", ended.result, ended.restoration, *ended.reasons, flush=True)
"""


EARLY = """
import os, pathlib, signal, sys
from drdrill.drill.call import Call
from drdrill.drill.drill import About, Drill
from drdrill.errors import Refused
from drdrill.estate.load import load
from drdrill.faults.site_lost import SiteLost
calls = (Call("drill", "strike", (SiteLost("east"),)),)
drill = Drill.begin(load(sys.argv[1]), About("early", "crash", calls=calls), pathlib.Path(sys.argv[2]), print, "local")
if sys.argv[3] == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
drill.finish(Refused("nobody allowed it"))
print("ended", flush=True)
sys.stdin.read()
"""
"""A drill that comes to its end before it has anything to guard, and lives on, as a run of several drills does."""


@dataclass
class Clinic:
    """An estate over the fake ways in, kept in a file so that several processes see it."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state" / "clinic"

    def world(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "clinic.fake.json").read_text() or "{}")
        return found

    def off(self) -> list[str]:
        """The holds by which something is off."""
        return [hold for hold, strike in self.world().get("strikes", {}).items() if not strike["ended"]]

    def run(self, guardian: str = "local", *, struck: bool = True) -> tuple[subprocess.Popen[str], list[str]]:
        """A runner; with the words of its strike, once that is done."""
        argv = [sys.executable, "-c", RUNNER, str(self.folder / "clinic.yaml"), str(self.folder), guardian]
        env = {**os.environ, "DRDRILL_STATE": str(self.folder / "state")}
        runner = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env)
        words: list[str] = []
        while struck and (not words or words[0] != "struck"):
            assert runner.stdout is not None
            words = runner.stdout.readline().split()
            assert words or runner.poll() is None, "the runner ended before it struck"
        return runner, words[1:]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    (tmp_path / "clinic.yaml").write_text(ESTATE.replace("power: fake", "power: [fake-bmc]"))
    (tmp_path / "clinic.fake.json").touch()
    clinic = Clinic(tmp_path)
    yield clinic
    assert not clinic.off()


def gone(pid: int | str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def kinds(path: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in path.read_text().splitlines()]


def test_a_killed_runner_is_healed_at_once_and_nothing_is_left(clinic: Clinic):
    runner, (folder, guardian) = clinic.run()
    assert len(clinic.off()) == 1
    assert len(UndoLog(clinic.state).read().entries) == 1
    own = next((clinic.state / "guardian").iterdir())
    assert len(UndoLog(own).read().entries) == 1
    assert own.stat().st_mode & 0o777 == 0o700
    runner.kill()
    runner.communicate()
    took = eventually(lambda: not clinic.off(), 5.0, "the guardian did not heal")
    assert took < 2.0
    eventually(lambda: gone(guardian), 5.0, "the guardian did not end")
    assert UndoLog(clinic.state).read().entries == ()
    assert list((clinic.state / "guardian").iterdir()) == []
    told = kinds(Path(folder) / "guardian.jsonl")
    assert told[:3] == ["guardian.begun", "guardian.prepared", "guardian.guards"]
    assert "fault.healed" in told
    assert told[-1] == "guardian.ended"


def test_a_runner_that_stands_still_is_healed_and_cannot_strike_again(clinic: Clinic):
    runner, (folder, guardian) = clinic.run()
    runner.send_signal(signal.SIGSTOP)
    eventually(lambda: not clinic.off(), LEASE_S + 5, "the guardian did not heal")
    eventually(lambda: gone(guardian), 5.0, "the guardian did not end")
    runner.send_signal(signal.SIGCONT)
    words = runner.communicate(timeout=60)[0]
    assert "ended aborted restored" in words
    assert not clinic.off()
    assert read(Path(folder)).broken is None


@pytest.mark.parametrize("told", [signal.SIGKILL, signal.SIGSTOP])
def test_a_drill_whose_guardian_is_gone_or_silent_aborts_and_heals(clinic: Clinic, told: signal.Signals):
    runner, (_, guardian) = clinic.run()
    begun = time.monotonic()
    os.kill(int(guardian), told)
    words = runner.communicate(timeout=60)[0]
    took = time.monotonic() - begun
    if told is signal.SIGSTOP:
        os.kill(int(guardian), signal.SIGCONT)
        assert took < LEASE_S / 2 + 10
    else:
        assert took < 5
    assert "ended aborted restored" in words
    assert "the guardian" in words
    eventually(lambda: gone(guardian), 10.0, "the guardian did not end")


def test_a_drill_that_ends_well_lets_its_guardian_go(clinic: Clinic):
    runner, (folder, guardian) = clinic.run()
    runner.send_signal(signal.SIGTERM)
    words = runner.communicate(timeout=60)[0]
    assert "restored" in words
    eventually(lambda: gone(guardian), 5.0, "the guardian did not end")
    assert kinds(Path(folder) / "guardian.jsonl")[-1] == "guardian.ended"
    assert list((clinic.state / "guardian").iterdir()) == []


def test_what_the_target_cannot_heal_is_not_struck_without_a_guardian(clinic: Clinic):
    runner, _ = clinic.run(guardian="", struck=False)
    words = runner.communicate(timeout=30)[0]
    assert "ended refused restored" in words
    assert "fake-bmc keeps no lease where the fault is" in words
    assert clinic.world().get("strikes", {}) == {}


def test_a_guardian_that_cannot_reach_every_way_back_refuses(clinic: Clinic):
    """Where it stands the estate is another one: no host of it is known there."""
    there = clinic.folder / "bin"
    there.mkdir()
    (clinic.folder / "other.yaml").write_text((clinic.folder / "clinic.yaml").read_text().replace("fake-bmc", "lab"))
    ssh = there / "ssh"
    ssh.write_text(
        f"#!/bin/sh\nexport DRDRILL_STATE={clinic.folder}/there\nfor last; do :; done\n"
        f"exec {sys.executable} -m drdrill.cli ${{last#drdrill }}\n"
    )
    ssh.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{there}:{before}"
    try:
        runner, _ = clinic.run(guardian=f"ssh://south-bmc{clinic.folder}/other.yaml", struck=False)
    finally:
        os.environ["PATH"] = before
    words = runner.communicate(timeout=60)[0]
    assert "ended refused restored" in words
    assert "cannot guard this drill, so nothing is struck" in words
    assert clinic.world().get("strikes", {}) == {}


@pytest.mark.parametrize("how", ["dies", "is refused"])
def test_no_guardian_is_left_of_a_drill_that_ends_before_it_strikes(clinic: Clinic, how: str):
    argv = [sys.executable, "-c", EARLY, str(clinic.folder / "clinic.yaml"), str(clinic.folder), how]
    env = {**os.environ, "DRDRILL_STATE": str(clinic.folder / "state")}
    runner = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert runner.stdout is not None
        while runner.stdout.readline() not in {"ended\n", ""}:
            pass
        assert left_over(clinic.folder) == []
        assert (runner.poll() is None) == (how == "is refused")
        assert list((clinic.state / "guardian").iterdir()) == []
    finally:
        runner.kill()
        runner.communicate()
