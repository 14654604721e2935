# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""However a network lab ends, nothing of it is left: no process, namespace, mount, interface, cgroup or file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import Lab

from drdrill.lab.network import cgroups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness import Labs

pytestmark = pytest.mark.network


def until(there: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not there():
        assert time.monotonic() < deadline, f"not so within {within_s} s"
        time.sleep(0.02)


@dataclass(frozen=True)
class Machine:
    """What a lab could leave behind."""

    cgroups: set[str] = field(default_factory=set)
    mounts: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)

    @classmethod
    def now(cls) -> Machine:
        root = cgroups.mounted()
        assert root is not None
        mounts = {line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()}
        links = {line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines() if ":" in line}
        return cls({p.name for p in root.glob("drdrill-*")}, mounts, links, set(namespaces()))


def namespaces() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        for kind in ("net", "mnt", "pid"):
            with contextlib.suppress(OSError):
                yield str((process / "ns" / kind).readlink())


@pytest.fixture
def before(labs: Labs) -> Machine:
    """The machine with no lab of this run on it."""
    labs.close()
    return Machine.now()


@pytest.fixture
def lab(before: Machine, tmp_path: Path) -> Iterator[Lab]:
    """A network lab that is up, and is not afterwards. Raised by somebody careful, whose files are for nobody else."""
    assert before.namespaces
    lab = Lab(tmp_path / "state", tmp_path / "out", name="network")
    usual = os.umask(0o077)
    try:
        lab.up()
    finally:
        os.umask(usual)
    yield lab
    lab.down()


def folder(lab: Lab) -> Path:
    return lab.state / "network" / "lab"


def supervisor(lab: Lab) -> int:
    netns = json.loads((folder(lab) / "lab.json").read_text())["netns"]
    return int(netns.split("/")[2])


def nothing_more_than(before: Machine) -> bool:
    now = Machine.now()
    return all(getattr(now, what) <= getattr(before, what) for what in ("cgroups", "mounts", "links", "namespaces"))


def test_down_leaves_nothing_and_a_second_down_is_fine(lab: Lab, before: Machine):
    assert not nothing_more_than(before)
    pid = supervisor(lab)
    lab.down()
    # Dead is not gone, and `down` has waited for that: no process, no namespace, at once.
    assert not Path(f"/proc/{pid}").exists()
    assert nothing_more_than(before)
    left = [path for path in folder(lab).iterdir() if path.suffix != ".log"]
    assert [path.name for path in left] == ["lock"]
    assert "was not up" in lab.drdrill("lab", "down", "network").stdout


def test_a_folder_whose_name_has_what_mount_options_part_with(before: Machine, tmp_path: Path):
    lab = Lab(tmp_path / "a:b,c\\d", tmp_path / "out", name="network")
    try:
        lab.up()
    finally:
        lab.down()
    assert nothing_more_than(before)


def test_it_outlives_whoever_raised_it_and_is_up_already(lab: Lab):
    """Its caller ended when `lab up` did. Another `up` waits until all is well, and says that it was up."""
    again = lab.drdrill("lab", "up", "network")
    assert again.returncode == 0, again.stderr
    assert "was up already" in again.stdout
    other = lab.drdrill("lab", "up", "network", "--flaw", "drops-rows")
    assert other.returncode == 4
    assert "the lab is up with no flaw, and the flaw drops-rows was asked for" in other.stderr


def test_killing_the_supervisor_ends_every_host_and_the_next_up_begins_anew(lab: Lab, before: Machine):
    cgroup = cgroups.of(folder(lab))
    pids = cgroups.pids(cgroup)
    assert len(pids) > 50
    os.kill(supervisor(lab), signal.SIGKILL)
    until(lambda: not cgroups.is_populated(cgroup), 1.0)
    # Cgroups are removed by a small process outside, since no kernel does.
    until(lambda: not cgroup.exists(), 5.0)
    until(lambda: nothing_more_than(before), 5.0)
    status = lab.drdrill("lab", "status", "network")
    assert status.returncode == 1
    assert "the network lab is not up" in status.stdout
    lab.up()
    assert lab.drdrill("lab", "status", "network").returncode == 0


def test_a_supervisor_that_hangs_is_ended_all_the_same(lab: Lab, before: Machine):
    os.kill(supervisor(lab), signal.SIGSTOP)
    lab.down()
    until(lambda: nothing_more_than(before), 5.0)


def test_what_a_dead_machine_left_is_removed(before: Machine, tmp_path: Path):
    """A container that ends under its lab leaves empty cgroups, and nobody to remove them."""
    state = tmp_path / "state"
    lab = Lab(state, tmp_path / "out", name="network")
    (state / "network" / "lab").mkdir(parents=True)
    cgroup = cgroups.of((state / "network" / "lab").resolve())
    (cgroup / "east-db1" / "system.slice").mkdir(parents=True)
    with subprocess.Popen(["/bin/sleep", "60"]) as left:
        (cgroup / "east-db1" / "cgroup.procs").write_text(str(left.pid))
        assert "1 processes are left" in lab.drdrill("lab", "status", "network").stdout
        lab.down()
        assert left.wait(5) == -signal.SIGKILL
    assert not cgroup.exists()
    assert nothing_more_than(before)
