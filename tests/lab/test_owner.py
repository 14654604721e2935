# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Who calls, what goes around the links, and what a sweep ends: on real processes in a folder that looks like a lab's."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.lab.pocket import owner
from drdrill.lab.pocket.audit import Audit
from drdrill.lab.pocket.sweep import kill_once, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT = (
    "import socket,sys,time; s=socket.create_connection(('127.0.0.1',int(sys.argv[1]))); "
    "print('ok',flush=True); time.sleep(60)"
)
LISTEN = (
    "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(); "
    "print(s.getsockname()[1],flush=True); c=s.accept(); time.sleep(60)"
)


class Hosts:
    """A folder with host folders, and processes that live there, each in a session of its own as in a lab."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def run(self, host: str, code: str, *argv: object) -> subprocess.Popen[str]:
        home = self.folder / host
        home.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code, *map(str, argv)],
            cwd=home,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def says(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout
        return process.stdout.readline().strip()

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(tmp_path)
    yield made
    made.end()


def test_a_caller_is_known_by_the_folder_that_it_lives_in(hosts: Hosts):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = hosts.run("east-db1", CONNECT, port)
        accepted, (_, caller) = server.accept()
        with accepted:
            assert hosts.says(process) == "ok"
            assert owner.host_of(caller, port, hosts.folder) == "east-db1"


def test_a_caller_that_lives_elsewhere_is_unknown(hosts: Hosts):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as mine,
    ):
        assert owner.host_of(mine.getsockname()[1], server.getsockname()[1], hosts.folder) is None


def test_a_connection_around_the_links_is_found(hosts: Hosts):
    called = hosts.run("south-db1", LISTEN)
    port = int(hosts.says(called))
    caller = hosts.run("east-app1", CONNECT, port)
    assert hosts.says(caller) == "ok"
    audit = Audit(hosts.folder)
    audit.look()
    audit.look()
    shown = audit.show()
    assert shown["looks"] == 2
    (found,) = shown["unexplained"]
    assert (found["from"], found["to"], found["port"], found["looks"]) == ("east-app1", "south-db1", port, 2)


def test_a_connection_within_one_host_or_through_somebody_else_is_none_of_the_audits_business(hosts: Hosts):
    called = hosts.run("south-db1", LISTEN)
    caller = hosts.run("south-db1", CONNECT, int(hosts.says(called)))
    assert hosts.says(caller) == "ok"
    with socket.create_server(("127.0.0.1", 0)) as server:
        other = hosts.run("east-app1", CONNECT, server.getsockname()[1])
        assert hosts.says(other) == "ok"
        audit = Audit(hosts.folder)
        audit.look()
    shown = audit.show()
    assert shown["unexplained"] == []
    assert shown["seen"] == 3


def test_a_process_that_is_just_being_started_is_not_taken_for_its_host(hosts: Hosts):
    called = hosts.run("south-db1", LISTEN)
    with socket.create_connection(("127.0.0.1", int(hosts.says(called)))) as carried:
        # Between fork and exec a child of the supervisor has the host's cwd and the supervisor's sockets.
        home = hosts.folder / "east-app1"
        home.mkdir()
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"],
            cwd=home,
            pass_fds=[carried.fileno()],
            start_new_session=True,
        )
        try:
            audit = Audit(hosts.folder)
            audit.look()
            assert audit.show()["unexplained"] == []
        finally:
            child.kill()
            child.wait()


def test_what_the_audit_could_not_see_is_said(hosts: Hosts, monkeypatch: pytest.MonkeyPatch):
    process = hosts.run("east-db1", "print('ok',flush=True); import time; time.sleep(60)")
    assert hosts.says(process) == "ok"

    def refused(pid: int) -> list[int]:
        if pid == os.getpid():
            return []
        raise PermissionError(13, "Permission denied", f"/proc/{pid}/fd")

    monkeypatch.setattr(owner, "sockets", refused)
    audit = Audit(hosts.folder)
    audit.look()
    assert audit.show()["unseen"] == [{"pid": process.pid, "host": "east-db1", "why": "Permission denied"}]


FORKS = """
import os, time
print("ok", flush=True)
while True:
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
    time.sleep(0.01)
"""


def test_a_sweep_ends_processes_that_fork_while_they_are_killed(hosts: Hosts):
    process = hosts.run("east-db1", FORKS)
    assert hosts.says(process) == "ok"
    time.sleep(0.1)
    assert sweep(hosts.folder) >= 2
    assert list(owner.processes(hosts.folder)) == []


def test_killing_one_host_leaves_the_others(hosts: Hosts):
    sleep = "print('ok',flush=True); import time; time.sleep(60)"
    one, other = hosts.run("east-db1", sleep), hosts.run("south-db1", sleep)
    assert [hosts.says(one), hosts.says(other)] == ["ok", "ok"]
    assert kill_once(hosts.folder, {"east-db1"}) == 1
    assert one.wait(5) == -signal.SIGKILL
    assert other.poll() is None


def test_the_shell_of_somebody_who_looks_at_the_files_is_spared(tmp_path: Path):
    home = tmp_path / "east-db1"
    home.mkdir()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execv("/bin/sh", ["sh", "-c", "echo here; exec sleep 60"])  # noqa: S606
    try:
        assert select.select([terminal], [], [], 5)[0]
        assert b"here" in os.read(terminal, 100)
        assert list(owner.processes(tmp_path)) == []
        assert sweep(tmp_path) == 0
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def test_a_dead_supervisors_pipe_lets_the_reaper_end_the_lab(hosts: Hosts):
    process = hosts.run("east-db1", "print('ok',flush=True); import time; time.sleep(60)")
    assert hosts.says(process) == "ok"
    reaper = subprocess.Popen(
        [sys.executable, "-P", "-m", "drdrill.lab.pocket.reaper", str(hosts.folder)], cwd="/", stdin=subprocess.PIPE
    )
    try:
        ignored = 1 << (signal.SIGTERM - 1)
        while not int(Path(f"/proc/{reaper.pid}/status").read_text().partition("SigIgn:")[2].split()[0], 16) & ignored:
            time.sleep(0.01)
        reaper.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        assert reaper.stdin
        reaper.stdin.close()
        assert process.wait(5) == -signal.SIGKILL
        assert reaper.wait(5) == 0
    finally:
        reaper.kill()
        reaper.wait()
