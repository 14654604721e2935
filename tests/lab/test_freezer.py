# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts stand still whole, stay so, and go on exactly as far as we stopped them: on real processes in a folder like a lab's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from drdrill.lab.pocket import freezer as freezer_module
from drdrill.lab.pocket.freezer import Freezer, all_still, state
from drdrill.lab.pocket.owner import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUSY = "print('here', flush=True)\nwhile True: pass"
THREADS = """
import threading
for _ in range(3):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()
print('here', flush=True)
threading.Event().wait()
"""
FORKS = """
import os, time
print('here', flush=True)
while True:
    child = os.fork()
    if child == 0:
        time.sleep(0.05)
        os._exit(0)
    time.sleep(0.001)
    while os.waitpid(-1, os.WNOHANG)[0]: pass
"""


class Rooms:
    """A folder with host folders, and processes that live there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.freezer = Freezer(folder)
        self.started: list[subprocess.Popen[str]] = []

    def run(self, host: str, code: str) -> int:
        home = self.folder / host
        home.mkdir(exist_ok=True)
        argv = [sys.executable, "-S", "-c", code]
        process = subprocess.Popen(argv, cwd=home, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        return process.pid

    def freeze(self, *hosts: str) -> None:
        asyncio.run(self.freezer.freeze(hosts))

    def of(self, host: str) -> list[int]:
        return [process.pid for process in processes(self.folder) if process.host == host]


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    made = Rooms(tmp_path.resolve())
    yield made
    for process in made.started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def ticks(pid: int) -> int:
    """Processor time that it has used."""
    with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123
        fields = stat.read().rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_frozen_host_uses_no_processor_time_and_goes_on_when_it_thaws(rooms: Rooms):
    pid = rooms.run("a", BUSY)
    rooms.freeze("a")
    assert state(pid)[0] == "T"
    used = ticks(pid)
    time.sleep(0.2)  # The time in which a busy process would have used twenty ticks.
    assert ticks(pid) == used
    rooms.freezer.thaw(["a"])
    until(lambda: ticks(pid) > used)
    assert rooms.freezer.hosts == set()


def test_every_thread_stands_still(rooms: Rooms):
    pid = rooms.run("a", THREADS)
    assert not all_still(pid)
    rooms.freeze("a")
    assert all_still(pid)


def test_children_that_are_born_meanwhile_stand_still_too(rooms: Rooms):
    rooms.run("a", FORKS)
    rooms.freeze("a")
    family = rooms.of("a")
    assert family
    assert all(all_still(pid) for pid in family)
    time.sleep(0.2)  # Longer than any child would have lived.
    assert rooms.of("a") == family


def test_the_neighbour_runs_on(rooms: Rooms):
    rooms.run("a", BUSY)
    other = rooms.run("b", BUSY)
    rooms.freeze("a")
    assert not all_still(other)
    assert rooms.freezer.hosts == {"a"}


def test_what_somebody_else_stopped_before_is_left_as_it_was(rooms: Rooms):
    theirs, ours = rooms.run("a", BUSY), rooms.run("a", BUSY)
    os.kill(theirs, signal.SIGSTOP)
    until(lambda: all_still(theirs))
    rooms.freeze("a")
    rooms.freezer.thaw(["a"])
    until(lambda: not all_still(ours))
    assert all_still(theirs)


def test_what_wakes_behind_our_back_is_stopped_again_and_counted(rooms: Rooms):
    pid = rooms.run("a", BUSY)
    rooms.freeze("a")
    rooms.freezer.keep()
    assert rooms.freezer.woke("a") == 0
    os.kill(pid, signal.SIGCONT)
    until(lambda: not all_still(pid))
    rooms.freezer.keep()
    until(lambda: all_still(pid))
    assert rooms.freezer.woke("a") == 1


def test_a_host_that_lost_its_power_is_forgotten_and_its_next_processes_run(rooms: Rooms):
    rooms.run("a", BUSY)
    rooms.freeze("a")
    rooms.freezer.forget(["a"])
    again = rooms.run("a", BUSY)
    rooms.freezer.keep()
    assert not all_still(again)


def test_thawing_what_was_never_frozen_changes_nothing(rooms: Rooms):
    pid = rooms.run("a", BUSY)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: all_still(pid))
    rooms.freezer.thaw(["a", "b"])
    assert all_still(pid)


def test_a_number_that_was_given_again_is_not_woken(rooms: Rooms):
    pid = rooms.run("a", BUSY)
    rooms.freeze("a")
    frozen = rooms.freezer._hosts["a"]
    frozen.stopped[pid] -= 1  # As if the one that we stopped had begun earlier and had ended.
    rooms.freezer.thaw(["a"])
    assert all_still(pid)


def test_a_host_that_does_not_stand_still_in_time_is_said(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    rooms.run("a", BUSY)
    monkeypatch.setattr(freezer_module, "all_still", lambda _pid: False)
    monkeypatch.setattr(freezer_module, "_STOPPING_S", 0.1)
    with pytest.raises(TimeoutError, match="processes of a do not stop"):
        rooms.freeze("a")
    monkeypatch.undo()
    rooms.freezer.thaw(["a"])
    until(lambda: not any(all_still(pid) for pid in rooms.of("a")))
