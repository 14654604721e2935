# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill halt` on a real lab: the lock is on its witness host, reached by SSH, also by who shares nothing else with the drill."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import HELD
from harness import Lab

from drdrill.drill.halt import Halt
from drdrill.estate.load import load
from drdrill.journal import events

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Labs

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_drill_that_is_halted_heals_within_two_seconds_and_ends(
    labs: Labs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
):
    lab = labs.get()
    feature = tmp_path / "held.feature"
    feature.write_text(HELD)
    teller = lab
    if where == "elsewhere":
        # Another state folder: neither its undo log nor its lock is the drill's, only the addresses of the lab are.
        teller = Lab(tmp_path / "state", tmp_path / "out")
        (teller.state / "pocket").mkdir(parents=True)
        (teller.state / "pocket" / "lab").symlink_to(lab.state / "pocket" / "lab")
    running = lab.start(f"halted-{where}", feature)
    begun = running.wait_for(events.DRILL_BEGUN)
    assert begun["lock"] == "this machine and witness-arb1"
    running.wait_for(events.STEP_BEGUN, index=1)
    said: list[str] = []
    monkeypatch.setenv("DRDRILL_STATE", str(teller.state))
    halt = Halt(load("pocket"), said.append)
    told_s = time.monotonic()
    assert halt.run(), said
    ran = running.end()
    assert (ran.result, ran.restoration) == ("aborted", "restored"), ran.output
    assert ran.status == 6
    (tripped,) = ran.recording.journal.of(events.TRIPPED)
    healing = next(ran.recording.journal.of(events.FAULT_HEALING))
    # By one clock, from before it was told: the way of the word over a fresh connection by SSH is part of it.
    seconds = healing.t / 1e9 - told_s
    assert seconds < 2.0, (seconds, said)
    assert healing.t - tripped.t < 1e9
    assert said[-2:] == [f"drill {begun['drill']} has ended", "nothing is struck"]
    after = teller.drdrill("faults", "--estate", "pocket")
    assert after.stdout == "nothing carries our tag\n", after.stdout + after.stderr
