# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A runner that dies while its fault is held leaves a healed estate, with nobody's help. In the pocket lab, fault by fault."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from waiting import eventually

from drdrill.connect.registry import Ways
from drdrill.drill import baseline, state
from drdrill.drill.drill import About, Drill
from drdrill.drill.recover import recover
from drdrill.drill.undo_log import UndoLog
from drdrill.engines.registry import engine_for
from drdrill.journal import events
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.connect.capabilities import Look
    from drdrill.engines.engine import Engine
    from drdrill.estate.model import Estate

pytestmark = pytest.mark.lab

RUNNER = """
import pathlib, signal, sys
from drdrill.drill.drill import About, Drill
from drdrill.drill.signals import guard
from drdrill.estate.load import load
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost

def say(words):
    print(words, file=sys.stderr, flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell gives its background jobs an ignored one.
drill = Drill.begin(load("pocket"), About("a runner that is killed", "crash"), pathlib.Path(sys.argv[1]), say)
error = None
with guard():
    try:
        drill.nouns["estate"].require_healthy()
        drill.nouns["drill"].strike(eval(sys.argv[2]))
        print(drill.folder, flush=True)
        drill.nouns["drill"].hold_for(300.0)
    except BaseException as caught:
        error = caught
ended = drill.finish(error)
print(ended.result, ended.restoration, flush=True)
"""
FAULTS = (
    'SiteIsolated("east")',
    'SiteLost("east")',
    # The same way in as for a site, with fewer hosts.
    pytest.param('HostLosesPower("database", "registration", "east")', marks=pytest.mark.long),
    'HostFrozen("database", "registration", "east")',
)
LEASE_S = 30.0


def in_step(engine: Engine, within_s: float = 90.0) -> None:
    """Until the database is in step; what is wrong with it, if it does not get there."""
    last: list[Look] = []

    def look() -> bool:
        last[:] = [engine.in_step()]
        return last[0].answer is True

    begun = time.monotonic()
    while not look():
        assert time.monotonic() - begun < within_s, last[0].words
        time.sleep(0.2)


@pytest.fixture
def whole_before(pocket_estate: Estate) -> Estate:
    """East writes and everybody follows, whatever the test before has moved."""
    recover(pocket_estate, print)
    engine = engine_for(pocket_estate, "clinical")
    try:
        in_step(engine)
        if engine.writer() != "east-db1":
            engine.switch_over("east-db1")
            in_step(engine)
    finally:
        engine.close()
    return pocket_estate


def struck(folder: Path, fault: str) -> tuple[subprocess.Popen[str], Path]:
    """A runner that holds a fault, and the folder of its drill."""
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, str(folder), fault], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    where = runner.stdout.readline().strip()
    assert where, "the runner ended before it struck"
    return runner, folder / where


def kill(runner: subprocess.Popen[str]) -> None:
    runner.send_signal(signal.SIGKILL)
    runner.communicate()


def last_words(runner: subprocess.Popen[str]) -> str:
    """What it printed before it ended by itself."""
    try:
        return runner.communicate(timeout=150)[0].strip()
    except subprocess.TimeoutExpired:
        kill(runner)
        raise


def healed(estate: Estate) -> bool:
    ways = Ways(estate)
    inventory = ways.inventory()
    assert inventory is not None
    return not baseline.open_holds(ways) and all(look.answer is True for look in inventory.states().values())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_killed_runner_leaves_a_healed_estate_once_the_lease_ran_out(
    whole_before: Estate, tmp_path: Path, fault: str
) -> None:
    runner, folder = struck(tmp_path, fault)
    assert not healed(whole_before)
    kill(runner)
    left = [e.data for e in read(folder).of(events.FAULT_LOOKED)]
    assert left[0]["question"] == "took_hold"
    assert left[0]["answer"] is True
    took = eventually(lambda: not baseline.open_holds(Ways(whole_before)), LEASE_S + 5, "the lease did not run out")
    assert took > 5, "it was not the lease that healed it"
    eventually(lambda: healed(whole_before), 60, "not every host came back")
    engine = engine_for(whole_before, "clinical")
    in_step(engine)
    engine.close()
    log = UndoLog(state.folder(whole_before.name))
    assert len(log.read().entries) == 1
    said: list[str] = []
    done = recover(whole_before, said.append)
    assert done.whole, done.left
    assert log.read().entries == ()


def test_recover_heals_at_once_what_a_killed_runner_left(whole_before: Estate, tmp_path: Path) -> None:
    runner, _ = struck(tmp_path, FAULTS[0])
    kill(runner)
    begun = time.monotonic()
    done = recover(whole_before, print)
    assert time.monotonic() - begun < 5
    assert done.healed == ['site "east" is isolated']
    assert done.whole
    eventually(lambda: healed(whole_before), 60, "not every host came back")


def test_a_killed_runner_leaves_no_lock(whole_before: Estate, tmp_path: Path) -> None:
    runner, _ = struck(tmp_path, FAULTS[0])
    kill(runner)
    assert recover(whole_before, print).whole
    Drill.begin(whole_before, About("the next one", "crash"), tmp_path, print).finish()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_runner_that_is_told_to_stop_heals_first(
    whole_before: Estate, tmp_path: Path, signum: signal.Signals
) -> None:
    runner, folder = struck(tmp_path, FAULTS[1])
    os.kill(runner.pid, signum)
    assert last_words(runner) == "aborted restored"
    assert healed(whole_before)
    assert UndoLog(state.folder(whole_before.name)).read().entries == ()
    assert next(read(folder).of(events.FAULT_HEALING)).data["reason"] == "abort"


def test_a_live_runner_aborts_when_somebody_recovers(whole_before: Estate, tmp_path: Path) -> None:
    runner, folder = struck(tmp_path, FAULTS[0])
    assert recover(whole_before, print).whole
    assert last_words(runner) == "aborted restored"
    assert next(read(folder).of(events.DRILL_JUDGED)).data["reasons"][0].endswith("stops.")


def test_a_lab_that_dies_under_a_drill_ends_it_without_a_claim(whole_before: Estate, tmp_path: Path) -> None:
    from drdrill.lab import pocket  # noqa: PLC0415 - only here

    runner, folder = struck(tmp_path, FAULTS[0])
    try:
        pocket.down()
        assert last_words(runner) == "aborted residual"
        residual = next(read(folder).of(events.FAULT_RESIDUAL)).data
        assert "drdrill recover --estate" in residual["command"]
    finally:
        pocket.up(say=print)
    assert recover(whole_before, print).whole
