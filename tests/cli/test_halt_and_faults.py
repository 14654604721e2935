# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Stopping a drill from another terminal or another machine, listing what is struck, healing what nobody owns."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import HELD, Folder
from teams import ESTATE
from waiting import eventually

from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.artefacts import Artefacts
from drdrill.drill.halt import Halt
from drdrill.drill.lock import EstateLock
from drdrill.drill.recover import recover
from drdrill.drill.undo_log import UndoLog
from drdrill.estate.load import load
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

WITNESS = ESTATE.replace(
    "  south: {campus: South}\n", "  south: {campus: South}\n  witness: {campus: South, votes_only: true}\n"
).replace("  desk:", "  witness-arb1: {site: witness, role: arbitrator, shell: fake}\n  desk:")
TWO = HELD + "\n" + HELD.partition("\n")[2].replace("East is isolated", "East is isolated again")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    made.write("clinic.fake.json", "")
    made.write("clinic.yaml", WITNESS)
    made.write("a.feature", HELD)
    yield made
    processes = [p for p in made.__dict__.pop("started", []) if p.poll() is None]
    for process in processes:
        process.kill()
        process.wait()


def started(folder: Folder, *arguments: str) -> subprocess.Popen[bytes]:
    """A drill that holds its fault by now."""
    process = folder.start(*(arguments or ("a.feature",)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder.__dict__.setdefault("started", []).append(process)
    folder.await_held(process)
    return process


def estate_of(folder: Folder) -> Estate:
    return load(str(folder.path / "clinic.yaml"))


def cut(folder: Folder) -> bool:
    kept = json.loads((folder.path / "clinic.fake.json").read_text() or "{}")
    return any(not strike["ended"] for strike in kept.get("strikes", {}).values())


def seconds_to_heal(folder: Folder, begun_s: float) -> float:
    """From a moment of CLOCK_MONOTONIC to the first heal of the one drill."""
    (healing, *_) = folder.journal.of(events.FAULT_HEALING)
    return healing.t / 1e9 - begun_s


@pytest.mark.parametrize("where", ["here", "another machine"])
def test_a_drill_that_is_halted_heals_within_two_seconds(folder: Folder, where: str):
    process = started(folder)
    assert cut(folder)
    other = {} if where == "here" else {"DRDRILL_STATE": str(folder.path / "another")}
    # Its own start takes longer on a busy machine than what is promised; so this one counts from where it tells.
    estate, said = estate_of(folder), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in other.items():
            patch.setenv(name, value)
        begun = time.time()
        assert Halt(estate, said.append).run()
    assert process.wait(60) == 6
    assert seconds_to_heal(folder, begun) < 2.0
    assert not cut(folder)
    tripped = folder.journal.last(events.TRIPPED)
    assert tripped is not None
    assert tripped.data["watch"] == "told to stop"
    assert "`drdrill halt` by" in tripped.data["words"]
    words = "\n".join(said)
    assert "heals, " in words
    assert words.endswith("has ended\nnothing is struck")


def test_the_command_says_what_happens(folder: Folder):
    process = started(folder)
    ran = folder.drdrill("halt", "--estate", "clinic.yaml")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "to stop\n" in ran.stdout
    assert ran.stdout.endswith("nothing is struck\n")
    assert process.wait(60) == 6


def test_a_run_that_was_halted_begins_no_other_drill(folder: Folder):
    folder.write("a.feature", TWO)
    process = started(folder)
    assert Halt(estate_of(folder), print).run()
    process.wait(60)
    assert len(list((folder.path / "reports" / "out").iterdir())) == 1
    assert not cut(folder)
    folder.write("b.feature", HELD.replace("60 s", "1 s"))
    shutil.rmtree(folder.path / "reports")
    assert folder.run("b.feature").returncode != 7, "a halt stops its own run only"


def test_nothing_to_halt_is_said_and_touches_nothing(folder: Folder):
    ran = folder.drdrill("halt", "--estate", "clinic.yaml")
    assert (ran.returncode, ran.stdout) == (0, "no drill runs on the estate clinic\n")
    assert not folder.touched()


def test_without_a_host_for_the_lock_other_machines_are_not_claimed(folder: Folder):
    folder.write("clinic.yaml", ESTATE)
    ran = folder.drdrill("halt", "--estate", "clinic.yaml")
    assert ran.returncode == 0
    assert "no drill runs on the estate clinic; no other machine can be looked at" in ran.stdout


def test_a_lock_host_that_is_away_is_no_proof_that_nothing_runs(folder: Folder):
    estate = estate_of(folder)
    World.of(estate).broken["witness-arb1"] = "its cable is out"
    said: list[str] = []
    assert not Halt(estate, said.append).run()
    assert "its cable is out" in said[-1]


@pytest.mark.parametrize("where", ["here", "another machine"])
def test_a_drill_that_does_not_react_comes_with_its_leases_and_the_way_to_heal(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, where: str
):
    process = started(folder)
    process.send_signal(signal.SIGSTOP)
    own = os.environ["DRDRILL_STATE"]
    if where != "here":
        monkeypatch.setenv("DRDRILL_STATE", str(folder.path / "another"))
    said: list[str] = []
    assert not Halt(estate_of(folder), said.append, reacts_s=0.5).run()
    assert "does not react within 0.5 s" in said[-1]
    assert "its leases last until " in said[-1]
    assert "drdrill recover --estate" in said[-1]
    monkeypatch.setenv("DRDRILL_STATE", own)
    assert recover(estate_of(folder), said.append).whole
    assert not cut(folder)
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 6


# --- faults -----------------------------------------------------------------------------------------------------------


def test_what_a_live_drill_holds_is_listed_and_left_alone(folder: Folder):
    process = started(folder)
    listed = folder.drdrill("faults", "--estate", "clinic.yaml")
    assert listed.returncode == 0
    assert 'site "east" is isolated; of drill 2' in listed.stdout
    assert "which lives; " in listed.stdout
    assert " old, links through fake, in the undo log" in listed.stdout.replace("; links", ", links")
    healed = folder.drdrill("faults", "--heal", "--estate", "clinic.yaml")
    assert healed.returncode == 0
    assert "left alone: " in healed.stdout
    assert cut(folder)
    # On another machine it is known by its tag alone, and lives by the lock that every runner sees.
    other = folder.drdrill("faults", "--heal", "--estate", "clinic.yaml", DRDRILL_STATE=str(folder.path / "another"))
    assert "which lives; " in other.stdout
    assert "in no undo log here" in other.stdout
    assert "left alone: " in other.stdout
    assert cut(folder)
    process.terminate()
    assert process.wait(60) == 2


def test_what_a_dead_drill_left_is_an_orphan_and_healed_by_its_record(folder: Folder):
    # Without a guardian, which would heal it at once.
    process = started(folder, "--guardian", "none", "a.feature")
    process.kill()
    process.wait()
    lock = folder.path / "hosts" / "witness-arb1" / "lock" / "clinic.json"

    def out() -> bool:
        """As when its lease is out. The last renewal of the drill may still be on its way."""
        lock.unlink(missing_ok=True)
        return Artefacts(Ways(estate_of(folder))).find()[0][0].alive is False

    eventually(out, 10)
    listed = folder.drdrill("faults", "--estate", "clinic.yaml")
    assert "which is dead: an orphan" in listed.stdout
    assert cut(folder)
    healed = folder.drdrill("faults", "--heal", "--estate", "clinic.yaml")
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "healed: " in healed.stdout
    assert not cut(folder)
    assert not UndoLog(state.folder("clinic")).read().entries
    assert folder.drdrill("faults", "--estate", "clinic.yaml").stdout == "nothing carries our tag\n"


@pytest.mark.parametrize("kind", ["links", "power", "freeze"])
def test_an_orphan_without_a_record_is_healed_by_its_tag(folder: Folder, kind: str):
    estate = estate_of(folder)
    world = World.of(estate)
    targets = [["east-db1", "desk"]] if kind == "links" else ["east-db1"]
    world.strike(kind, "20260101-000000-abcd-1", "20260101-000000-abcd", targets=targets, lease_s=900, hard_s=900)  # type: ignore[arg-type]
    world.path = None
    artefacts = Artefacts(Ways(estate))
    (found,), notes = artefacts.find()
    assert (found.drill, found.ways, found.undo, found.alive) == (
        "20260101-000000-abcd",
        ((kind, "fake"),),
        None,
        False,
    )
    assert found.since_s == 1767225600.0
    assert notes == []
    assert artefacts.heal(found) is None
    assert not world.open(kind)
    assert "20260101-000000-abcd" in world.revoked


def test_a_tag_that_will_not_go_is_left_and_said(folder: Folder):
    estate = estate_of(folder)
    world = World.of(estate)
    world.path = None
    world.flaws.add("heal-is-ignored")
    world.strike("links", "x-1", "x", targets=[["east-db1", "desk"]], lease_s=900, hard_s=900)
    artefacts = Artefacts(Ways(estate))
    (found,), _ = artefacts.find()
    assert found.since_s is None
    assert artefacts.heal(found) == "links through fake still holds it"


def test_whether_a_drill_lives_is_not_guessed(folder: Folder):
    estate = estate_of(folder)
    world = World.of(estate)
    world.path = None
    world.strike("links", "x-1", "x", targets=[["east-db1", "desk"]], lease_s=900, hard_s=900)
    world.broken["witness-arb1"] = "its cable is out"
    (found,), notes = Artefacts(Ways(estate)).find()
    assert found.alive is None
    assert "its cable is out" in notes[0]


# --- recover ------------------------------------------------------------------------------------------------------------


def test_two_recovers_at_once_heal_the_same_and_disturb_each_other_not(folder: Folder):
    process = started(folder, "--guardian", "none", "a.feature")
    process.kill()
    process.wait()
    pipe = subprocess.PIPE
    both = [folder.command("recover", "--estate", "clinic.yaml", stdout=pipe, stderr=pipe) for _ in range(2)]
    for one in both:
        out, err = one.communicate(timeout=60)
        assert one.returncode == 0, out + err
        assert b"Traceback" not in err
    assert not cut(folder)
    assert not UndoLog(state.folder("clinic")).read().entries


def test_it_heals_from_the_guardians_undo_log_alone(folder: Folder):
    process = started(folder)
    (guardian,) = (state.folder("clinic") / "guardian").iterdir()
    pid = folder.journal.last(events.GUARDIAN_BEGUN)
    assert pid is not None
    process.send_signal(signal.SIGSTOP)  # It must not heal while its guardian is ended.
    os.kill(pid.data["pid"], signal.SIGKILL)
    process.kill()
    process.wait()
    shutil.rmtree(state.folder("clinic") / "undo")
    assert cut(folder)
    said: list[str] = []
    done = recover(estate_of(folder), said.append)
    assert done.healed == ['site "east" is isolated']
    assert done.whole
    assert not cut(folder)
    assert not UndoLog(guardian).read().entries


def test_a_live_drill_is_revoked_first_and_aborts(folder: Folder):
    process = started(folder)
    estate, said = estate_of(folder), list[str]()
    assert EstateLock(state.folder("clinic"), "clinic").held()
    assert recover(estate, said.append).whole
    assert "is running; it loses its faults and will abort" in said[0]
    calls = [call for call, _ in World.of(estate).calls]
    assert calls.index("links.revoke") < calls.index("links.restore")
    assert process.wait(60) == 6
    assert not cut(folder)


def test_what_no_log_knows_comes_with_the_command_for_it(folder: Folder):
    estate = estate_of(folder)
    world = World.of(estate)
    world.path = None
    world.strike("links", "x-1", "x", targets=[["east-db1", "desk"]], lease_s=900, hard_s=900)
    (left,) = recover(estate, print).left
    assert "drdrill faults --heal --estate" in left
