# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the supervisor of the network lab does when one of its steps fails. No lab is raised."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.lab.network import cables, cgroups, host, reaper, start, supervisor
from drdrill.lab.network.layout import Layout, new_passwords
from drdrill.lab.network.topology import HOSTS
from drdrill.lab.protocol import Strike

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "east-app1"


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> supervisor.Supervisor:
    """A supervisor of hosts that are only folders."""
    monkeypatch.setattr(cgroups, "of", lambda folder: folder / "cgroup")
    monkeypatch.setattr(supervisor, "_AGAIN_S", 0.01)
    return supervisor.Supervisor(Layout(tmp_path, new_passwords()), tmp_path / "image", os.getpid())


def test_a_lease_that_has_run_out_is_healed_again_and_again_until_it_is_done(
    one: supervisor.Supervisor, monkeypatch: pytest.MonkeyPatch
):
    tries = 0

    async def fails_twice() -> None:
        nonlocal tries
        tries += 1
        if tries in {2, 3}:  # The first is the strike.
            raise OSError("ip: busy")
        if tries > 3:
            one.end.set()

    monkeypatch.setattr(one, "reconcile", fails_twice)

    async def run() -> None:
        await one.strike(Strike("h", "d", "power", (), (NAME,), 0.01, 60.0))
        async with asyncio.timeout(5):
            await one.end.wait()

    asyncio.run(run())
    assert tries == 4
    assert one.holds.off() == set()


def test_a_heal_that_fails_is_told_and_goes_on_without_whoever_asked(
    one: supervisor.Supervisor, monkeypatch: pytest.MonkeyPatch
):
    tries = 0

    async def fails_once() -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            raise OSError("ip: busy")
        if tries > 2:
            one.end.set()

    monkeypatch.setattr(one, "reconcile", fails_once)

    async def run() -> None:
        await one.strike(Strike("h", "d", "power", (), (NAME,), 30.0, 60.0))
        with pytest.raises(OSError, match="busy"):
            await one.heal("h")
        async with asyncio.timeout(5):
            await one.end.wait()

    asyncio.run(run())
    assert tries == 3


def test_half_of_the_hosts_is_none_and_what_was_begun_ends(one: supervisor.Supervisor, monkeypatch: pytest.MonkeyPatch):
    killed = []
    out, into = os.pipe()

    def begin(_place: host.Place, which: host.Host) -> host.Started:
        if which.name == "south-app1":
            raise OSError("no memory")
        return host.Started(12345, into)

    monkeypatch.setattr(host, "start", begin)
    monkeypatch.setattr(cgroups, "kill", lambda group: killed.append(group.name))
    monkeypatch.setattr(cables, "plug", lambda _hosts: pytest.fail("nothing is plugged"))
    with pytest.raises(OSError, match="no memory"):
        one._switch_on([NAME, "south-app1"])
    assert killed == [NAME]
    assert one.on == {}
    with os.fdopen(out, "rb") as gate:
        assert gate.read() == b"", "its first process would wait for ever"


def test_a_host_that_does_not_begin_does_not_keep_the_supervisor(
    one: supervisor.Supervisor, monkeypatch: pytest.MonkeyPatch
):
    one.place.cgroup.mkdir()
    monkeypatch.setattr(host, "_STEP_S", 0.2)
    monkeypatch.setattr(host, "_between", lambda *_: time.sleep(60))
    with pytest.raises(OSError, match=r"east-app1 cannot be switched on: it does not begin within 0.2 s"):
        host.start(one.place, HOSTS[NAME])
    pid, status = os.wait()
    assert pid > 0
    assert os.waitstatus_to_exitcode(status) == -9


@pytest.fixture
def reaped(tmp_path: Path) -> Iterator[int]:
    """The pid of a process that stands for a supervisor, and has a reaper."""
    code = (
        "import sys, time; from pathlib import Path; from drdrill.lab.network import reaper\n"
        "folder = Path(sys.argv[1]); alive = (folder / 'alive').open('w'); reaper.part(folder, alive)\n"
        "print(Path('/proc/self').readlink(), flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        supervisor = int(process.stdout.readline())
        yield supervisor
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGKILL)


@pytest.mark.root
def test_who_has_waited_for_the_reaper_finds_nothing(reaped: int, tmp_path: Path):
    group = cgroups.of(tmp_path)
    (group / NAME).mkdir(parents=True)
    with contextlib.ExitStack() as end:
        end.callback(cgroups.remove, group)
        assert not start._free(tmp_path, reaper.REAPING)
        os.kill(reaped, signal.SIGKILL)
        start._until_dead(tmp_path)
        assert not Path(f"/proc/{reaped}").exists(), "nobody buried it"
        assert not group.exists()
