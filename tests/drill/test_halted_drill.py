# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A whole drill in a process of its own is halted from here and from another machine, and is recovered while it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from teams import ESTATE

from drdrill.drill.common_lock import CommonLock
from drdrill.estate.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator

WITNESSED = ESTATE.replace(
    "  south: {campus: South}\n", "  south: {campus: South}\n  witness: {campus: South, votes_only: true}\n"
).replace("  desk:", "  w1: {site: witness, role: arbitrator, shell: fake}\n  desk:")

RUNNER = """
import pathlib, sys
from drdrill.drill.call import Call
from drdrill.drill.drill import About, Drill
from drdrill.drill.signals import guard
from drdrill.estate.load import load
from drdrill.faults.site_lost import SiteLost
fault = SiteLost("east")
about = About("halted", "tests", calls=(Call("drill", "strike", (fault,)),))
drill = Drill.begin(load(sys.argv[1]), about, pathlib.Path(sys.argv[2]), print)
error = None
with guard():
    try:
        drill.nouns["drill"].strike(fault)
        print("struck", drill.folder, flush=True)
        drill.nouns["drill"].hold_for(300.0)
    except BaseException as caught:
        error = caught
ended = drill.finish(error)
print("ended", ended.result, ended.restoration, *ended.reasons, flush=True)
"""


class Running:
    """A drill that holds a site without power."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.estate = folder / "clinic.yaml"
        argv = [sys.executable, "-c", RUNNER, str(self.estate), str(folder)]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env(state))
        words: list[str] = []
        while words[:1] != ["struck"]:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            assert line, "the runner ended before it struck"
            words = line.split()
        self.folder = Path(words[1])

    def end(self) -> str:
        out, _ = self.process.communicate(timeout=120)
        return next(line for line in out.splitlines() if line.startswith("ended"))

    def told(self, kind: str) -> list[dict[str, Any]]:
        events = [json.loads(line) for line in (self.folder / "journal.jsonl").read_text().splitlines()]
        return [event for event in events if event["kind"] == kind]


def env(state: Path) -> dict[str, str]:
    return {**os.environ, "DRDRILL_STATE": str(state)}


def drdrill(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "drdrill.cli", *words]
    return subprocess.run(argv, env=env(state), capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "clinic.yaml").write_text(WITNESSED)
    (tmp_path / "clinic.fake.json").touch()
    made = Running(tmp_path, tmp_path / "state")
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.mark.parametrize("machine", ["state", "another-machine"])
def test_a_halt_from_any_machine_begins_the_heal_within_two_seconds(
    running: Running, tmp_path: Path, machine: str
) -> None:
    begun_ns = time.monotonic_ns()
    ran = drdrill(tmp_path / machine, "halt", "--estate", str(running.estate), "--because", "the ward calls")
    assert ran.returncode == 0, ran.stderr
    assert "aborts and heals" in ran.stdout
    words = running.end()
    assert words.startswith("ended aborted restored")
    assert "the ward calls" in words
    tripped, healing = running.told("drill.tripped")[0], running.told("fault.healing")[0]
    assert "halted by" in tripped["data"]["words"]
    assert healing["data"]["reason"] == "abort"
    # From the command to the heal, the command's own start included; the promise of 2 s begins when the halt is written.
    assert healing["t"] - tripped["t"] < 0.5e9
    assert healing["t"] - begun_ns < 12e9
    assert running.told("fault.healed")


def test_the_heal_begins_within_two_seconds_of_a_halt_where_the_lock_is(running: Running) -> None:
    estate = load(str(running.estate))
    with CommonLock(estate, "w1") as lock:
        assert lock.show() is not None
        begun_ns = time.monotonic_ns()
        lock.halt("halted by a test")
    assert running.end().startswith("ended aborted restored")
    assert running.told("fault.healing")[0]["t"] - begun_ns < 2e9


def test_a_second_drill_is_refused_on_another_machine(running: Running, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", RUNNER, str(running.estate), str(tmp_path)]
    ran = subprocess.run(argv, env=env(tmp_path / "another"), capture_output=True, text=True, timeout=60, check=False)
    assert "EstateBusy" in ran.stderr
    assert "is held by drill" in ran.stderr
    assert running.process.poll() is None


def test_faults_of_a_live_drill_stay(running: Running, tmp_path: Path) -> None:
    ran = drdrill(tmp_path / "another", "faults", "--heal", "--estate", str(running.estate))
    assert ran.returncode == 0, ran.stderr
    assert "(alive)" in ran.stdout
    assert running.process.poll() is None
    assert not running.told("fault.healing")


def test_recover_from_another_machine_stops_a_live_drill(running: Running, tmp_path: Path) -> None:
    ran = drdrill(tmp_path / "another", "recover", "--estate", str(running.estate))
    assert "will abort" in ran.stdout, ran.stderr
    assert running.end().startswith("ended aborted restored")
