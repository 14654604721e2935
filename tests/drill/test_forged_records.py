# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Somebody wrote an undo record whose checksum is right. Nothing is done with it, and what is wrong is said."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.reach import reach_for
from drdrill.drill.recover import recover
from drdrill.drill.undo_log import UndoLog
from drdrill.drill.undo_record import against
from drdrill.errors import BadInput
from drdrill.faults.entry_drained import EntryDrained
from drdrill.faults.site_isolated import SiteIsolated

if TYPE_CHECKING:
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Undo


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def planned(estate: Estate, fault: Fault) -> Undo:
    targets = fault.candidates(estate)
    return fault.plan(reach_for(Ways(estate), fault, targets, drill="d", hold="d-1", lease_s=3.0), targets)


FORGED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"fault": "flood"}, 'no fault is called "flood"'),
    ({"fault": "os:system"}, "no fault is called"),
    ({"fault": "host-loses-power"}, "not one of the fault"),
    ({"fault": "site-lost"}, "is healed by power, and it names links"),
    ({"estate": "another"}, 'it is of the estate "another"'),
    ({"hosts": ("east-db1; reboot",)}, "has no host 'east-db1; reboot'"),
    ({"hosts": ("$(reboot)",)}, "has no host"),
    ({"sites": ("north",)}, "has no site 'north'"),
    ({"sites": ()}, "not one of the fault"),
    ({"way_in": {"links": "lab"}}, "names no way in 'lab' for links"),
    ({"way_in": {"shell": "fake"}}, "nothing is struck by 'shell'"),
    ({"way_in": {}}, "is healed by links, and it names nothing"),
    ({"params": {"pairs": [["east-db1", "x; reboot"]]}}, "has no host 'x; reboot'"),
    ({"params": {"pairs": [["east-db1", "../../etc"]]}}, "has no host"),
    ({"params": {}}, "not one of the fault"),
    ({"params": {"pairs": []}, "sites": ("east; reboot",)}, "has no site"),
)


@pytest.mark.parametrize(("forged", "words"), FORGED, ids=lambda v: str(v)[:50])
def test_a_forged_record_runs_nothing(estate: Estate, forged: dict[str, Any], words: str) -> None:
    log = UndoLog(state.folder(estate.name))
    entry = log.write(replace(planned(estate, SiteIsolated("east")), **forged))
    with pytest.raises(BadInput):
        against(estate, entry.undo)
    calls_before = len(World.of(estate).calls)
    done = recover(estate, print)
    world = World.of(estate)
    assert world.changes == 0
    called = world.calls[calls_before:]
    looks = {f"{c}.holds" for c in ("links", "power", "freeze", "entry")}
    assert {call for call, _ in called} <= {*looks, "shell.run"}
    # The one command is ours, word for word: who holds the lock.
    program = files("drdrill.connect").joinpath("lock_agent.py").read_text()
    asked = {args[:2] for call, args in called if call == "shell.run"}
    assert asked == {("witness-arb1", shlex.join(["python3", "-c", program]))}
    assert words in done.left[0]
    assert str(entry.path) in done.left[0]
    assert entry.path.exists()


@pytest.mark.parametrize("forged", [{"ways": [["east-entry1", "x"]]}, {"service": "billing"}, {"site": "north"}, {}])
def test_forged_parameters_of_a_drain_run_nothing(estate: Estate, forged: dict[str, Any]) -> None:
    undo = planned(estate, EntryDrained("registration", "south"))
    UndoLog(state.folder(estate.name)).write(replace(undo, params={**undo.params, **forged} if forged else {}))
    assert not recover(estate, print).whole
    assert World.of(estate).changes == 0


def test_a_forged_record_stops_no_other_heal(estate: Estate) -> None:
    log = UndoLog(state.folder(estate.name))
    good = planned(estate, SiteIsolated("east"))
    log.write(good)
    log.write(replace(good, hold="d-2", hosts=("nowhere",)))
    done = recover(estate, print)
    assert done.healed == ['site "east" is isolated']
    assert len(done.left) == 1


def test_what_a_fault_wrote_is_believed(estate: Estate) -> None:
    fault = SiteIsolated("primary site", peer="south")
    assert against(estate, planned(estate, fault)).name == fault.name


RECOVER = """
import pathlib, sys
from estates import fake_estate
from drdrill.drill.recover import recover
done = recover(fake_estate(pathlib.Path(sys.argv[1])), lambda words: None)
print(len(done.healed), len(done.left), flush=True)
"""


@pytest.mark.parametrize("machines", [1, 2])
def test_several_that_recover_at_once_heal_once_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machines: int
) -> None:
    (tmp_path / "estate.fake.json").write_text("")
    estate = fake_estate(tmp_path)
    fault = SiteIsolated("east")
    targets = fault.candidates(estate)
    reach = reach_for(Ways(estate), fault, targets, drill="d", hold="d-1", lease_s=60.0)
    reach.hard_end_s = 60.0
    undo = fault.plan(reach, targets)
    states = [tmp_path / f"machine{n}" for n in range(machines)]
    for folder in states:
        monkeypatch.setenv("DRDRILL_STATE", str(folder))
        UndoLog(state.folder(estate.name)).write(undo)
    fault.inject(reach, undo)
    running = []
    for n in range(4):
        monkeypatch.setenv("DRDRILL_STATE", str(states[n % machines]))
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
        command = [sys.executable, "-c", RECOVER, str(tmp_path)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    told = [child.communicate(timeout=60)[0].split() for child in running]
    assert all(child.returncode == 0 for child in running)
    assert sum(int(healed) for healed, _ in told) in range(machines, 5)
    assert all(left == "0" for _, left in told)
    with World.of(estate).looking("look"):
        assert not World.of(estate).cut_pairs()
    for folder in states:
        assert UndoLog(folder / estate.name).read().entries == ()
