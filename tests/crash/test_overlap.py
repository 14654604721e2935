# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Faults that overlap: whoever heals them, the drill at its end or its guardian alone, the last strike is healed first.

In which order they were healed is read from the file that is the estate, and from nothing of the product's. Power goes by boards
without a timer, so that it comes back by a command only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from fake_truth import guardians, left_over, strikes, struck
from test_matrix import ESTATE
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNNER = """
import os, pathlib, signal, sys
from drdrill.connect.fake_world import World
from drdrill.drill.call import Call
from drdrill.drill.drill import About, Drill
from drdrill.drill.signals import guard
from drdrill.estate.load import load
from drdrill.faults.entry_drained import EntryDrained
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.journal import events
from drdrill.journal.journal import Journal

isolated = SiteIsolated("east")
database_off = HostLosesPower("database", "registration", "east")
application_off = HostLosesPower("application", "registration", "east")
entry_frozen = HostFrozen("entry", "registration", "east")
estate = load(sys.argv[1])
calls = tuple(Call("drill", "strike", (f,)) for f in (isolated, database_off, application_off, entry_frozen))
drill = Drill.begin(estate, About("overlap", "crash", calls=calls), pathlib.Path(sys.argv[2]), print, "local")
drill.measure = lambda: None
noun = drill.nouns["drill"]

def struck():
    print("struck", flush=True)
    noun.hold_for(300.0)

def die_as_it_heals():
    wrote = Journal.write
    def write(self, kind, **data):
        event = wrote(self, kind, **data)
        if kind == events.FAULT_HEALING:
            print("struck", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return event
    Journal.write = write

error = None
with guard():
    try:
        exec(sys.argv[3])
    except BaseException as caught:
        error = caught
ended = drill.finish(error)
print("ended", ended.result, ended.restoration, *ended.reasons, flush=True)
"""
TWO_AT_ONCE = "noun.strike(application_off); noun.strike(entry_frozen); struck()"
ONE_INSIDE = "noun.strike(isolated); noun.strike(database_off); struck()"
THREE = "noun.strike(entry_frozen); noun.strike(isolated); noun.strike(database_off); struck()"
AS_ONE_RECOVERS = """
noun.strike(application_off)
noun.heal(HostLosesPower)
World.of(estate).broken["east-app1"] = "it boots"
noun.strike(entry_frozen)
World.of(estate).broken.clear()
struck()
"""
IN_THE_MIDDLE_OF_A_HEAL = """
noun.strike(application_off)
noun.strike(entry_frozen)
die_as_it_heals()
noun.heal(HostLosesPower)
"""


@dataclass
class Overlap:
    """An estate in a file, and a runner that strikes it."""

    folder: Path

    @property
    def world(self) -> Path:
        return self.folder / "matrix.fake.json"

    def start(self, scene: str) -> subprocess.Popen[str]:
        """A runner that has struck all that the scene says."""
        argv = [sys.executable, "-c", RUNNER, str(self.folder / "matrix.yaml"), str(self.folder / "out"), scene]
        env = {**os.environ, "DRDRILL_STATE": str(self.folder / "state")}
        runner = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        assert runner.stdout is not None
        while (said := runner.stdout.readline()) != "struck\n":
            assert not said.startswith("ended"), said
            assert said, f"the runner died before it had struck: {runner.communicate()[1]}"
        return runner

    def in_order(self) -> tuple[list[str], list[str]]:
        """The holds in the order in which they were struck, and in that in which they were healed."""
        found = strikes(self.world)
        assert {strike["ended"] for strike in found.values()} == {"healed"}
        return (
            sorted(found, key=lambda hold: found[hold]["struck_ns"]),
            sorted(found, key=lambda hold: found[hold]["ended_ns"]),
        )


@pytest.fixture
def overlap(tmp_path: Path) -> Iterator[Overlap]:
    (tmp_path / "matrix.yaml").write_text(ESTATE.replace("power: fake", "power: [fake-bmc]"))
    (tmp_path / "matrix.fake.json").touch()
    made = Overlap(tmp_path)
    yield made
    left = left_over(tmp_path)
    assert not struck(made.world)
    assert not left
    assert not list((tmp_path / "state").rglob("*.json")), "an undo record is left"


def ended_by(overlap: Overlap, runner: subprocess.Popen[str], told: signal.Signals) -> None:
    """Tell the runner so, and wait until whoever is left has healed everything."""
    runner.send_signal(told)
    words = runner.communicate(timeout=60)[0]
    if told is signal.SIGTERM:
        assert "ended aborted restored" in words
    else:
        eventually(lambda: not struck(overlap.world), 10.0, "the guardian did not heal")
    eventually(lambda: not guardians(overlap.folder), 10.0, "the guardian did not end")


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    ("scene", "count"),
    [
        pytest.param(TWO_AT_ONCE, 2, id="two at once"),
        pytest.param(ONE_INSIDE, 2, id="one inside another"),
        pytest.param(THREE, 3, id="three"),
    ],
)
def test_the_last_strike_is_healed_first(overlap: Overlap, scene: str, count: int, told: signal.Signals):
    runner = overlap.start(scene)
    assert len(struck(overlap.world)) == count
    ended_by(overlap, runner, told)
    order, healed = overlap.in_order()
    assert len(order) == count
    assert healed == order[::-1]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGKILL])
def test_a_strike_while_an_earlier_one_recovers_is_healed_alone(overlap: Overlap, told: signal.Signals):
    runner = overlap.start(AS_ONE_RECOVERS)
    (second,) = struck(overlap.world)
    (first,) = set(strikes(overlap.world)) - {second}
    before = strikes(overlap.world)[first]
    ended_by(overlap, runner, told)
    assert overlap.in_order() == ([first, second], [first, second])
    assert strikes(overlap.world)[first] == before, "what was healed is not touched again"


def test_a_drill_that_dies_as_it_heals_one_of_two_leaves_both_to_its_guardian(overlap: Overlap):
    runner = overlap.start(IN_THE_MIDDLE_OF_A_HEAL)
    ended_by(overlap, runner, signal.SIGKILL)
    order, healed = overlap.in_order()
    assert len(order) == 2
    assert healed == order[::-1]
