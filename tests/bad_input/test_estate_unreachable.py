# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""An estate that does not answer is refused with the reason, within a bound, and nothing is struck."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import CUT
from harness import ROOT

from drdrill.drill.undo_log import UndoLog
from drdrill.estate import state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bad_input_helpers import Folder
    from harness import Lab, Labs, Ran

pytest_plugins = ["pytester"]

POCKET = (ROOT / "fixtures" / "estates" / "pocket.yaml").read_text()
HEALTHY = CUT.replace("    When", "    Given the estate is healthy\n    When", 1)
BOUND_S = 60
"""Every command here ends within it, or the test fails: waiting for eight hosts in turn takes 100 s."""


class Supervisor:
    """A socket where the supervisor of a lab should be, that answers every line with these words or with nothing."""

    def __init__(self, folder: Path, answer: str) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self._kept: list[socket.socket] = []
        self._socket = socket.socket(socket.AF_UNIX)
        # The path of a socket may hold 107 bytes, and pytest's folders are long.
        directory = os.open(folder, os.O_PATH)
        self._socket.bind(f"/proc/self/fd/{directory}/supervisor.sock")
        os.close(directory)
        self._socket.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self._kept.append(caller)
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller.makefile("rb") as lines:
            for line in lines:
                self.asked.append(json.loads(line)["do"])
                if self._answer:
                    caller.sendall(self._answer.encode() + b"\n")

    def close(self) -> None:
        for opened in (self._socket, *self._kept):
            opened.shutdown(socket.SHUT_RDWR)
            opened.close()


@pytest.fixture
def lab_folder() -> Path:
    """What a lab leaves for estate files: its ports and passwords. Nobody listens on the ports."""
    folder = state.folder("pocket", make=True) / "lab"
    folder.mkdir(mode=0o700)
    names = set(re.findall(r"\$\{lab\.(\w+)\}", POCKET))
    (folder / "lab.json").write_text(json.dumps(dict.fromkeys(names, 1)))
    return folder


@pytest.fixture
def silent(lab_folder: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(lab_folder, "")
    yield supervisor
    supervisor.close()


@pytest.fixture
def of_another_version(lab_folder: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(lab_folder, json.dumps({"ok": True, "protocol": 2, "version": "9.0", "lab": "pocket"}))
    yield supervisor
    supervisor.close()


def refused(folder: Folder, words: str) -> None:
    folder.write("a.feature", HEALTHY)
    ran = folder.drdrill("run", "--estate", "pocket", "-p", "no:hypothesispytest", "a.feature")
    assert ran.returncode == 7, ran.stdout + ran.stderr
    assert "refused, nothing was touched:\n" in ran.stdout
    assert words in ran.stdout
    assert not folder.touched()


def test_a_lab_that_is_down_is_refused_with_the_line_that_raises_it(folder: Folder):
    refused(folder, "the pocket lab is not up, so its addresses are not known: drdrill lab up pocket")


def test_a_supervisor_that_is_gone_is_refused(folder: Folder, lab_folder: Path):
    assert (lab_folder / "lab.json").is_file()
    refused(folder, "the pocket lab's supervisor does not answer")


@pytest.mark.usefixtures("silent")
def test_a_supervisor_that_hangs_is_refused(folder: Folder):
    refused(folder, "the pocket lab's supervisor did not answer in time: see `drdrill lab status pocket`")


def test_a_supervisor_that_hangs_is_waited_for_once_and_not_for_every_host(folder: Folder, silent: Supervisor):
    ran = folder.drdrill("ready", "--estate", "pocket")
    assert ran.returncode == 1
    assert ran.stdout.count("did not answer in time") >= 8
    assert set(silent.asked) == {"hello"}
    assert len(silent.asked) <= 3


@pytest.mark.usefixtures("silent")
def test_lab_status_says_that_the_supervisor_hangs(folder: Folder):
    words = "the lab's supervisor does not answer within 5 s: drdrill lab down pocket, then drdrill lab up pocket"
    status = folder.drdrill("lab", "status")
    assert (status.returncode, words in status.stderr) == (1, True)


def test_a_lab_of_another_version_is_refused_with_what_to_type(folder: Folder, of_another_version: Supervisor):
    refused(
        folder,
        "the pocket lab speaks protocol 2 and this drdrill 1: raise it again: drdrill lab down pocket; drdrill lab up pocket",
    )
    assert set(of_another_version.asked) == {"hello"}, "nothing else can be asked of a lab whose language is not known"


def test_every_command_says_that_the_lab_is_of_another_version(folder: Folder, of_another_version: Supervisor):
    words = "raised by drdrill 9.0, whose protocol is 2 and not 1: drdrill lab down pocket, then drdrill lab up pocket"
    for command, status in (("status", 1), ("up", 4)):
        ran = folder.drdrill("lab", command)
        assert (ran.returncode, words in ran.stderr) == (status, True), ran
    ready = folder.drdrill("ready", "--estate", "pocket")
    assert ready.returncode == 1
    assert "the pocket lab speaks protocol 2 and this drdrill 1" in ready.stdout
    assert set(of_another_version.asked) == {"hello"}


# --- in the lab ------------------------------------------------------------------------------------------------------


def refused_in_the_lab(lab: Lab, estate: Path, name: str, feature: Path) -> Ran:
    ran = lab.start(name, feature, options=("--estate", str(estate))).end(BOUND_S)
    assert ran.status == 7, ran.output
    assert (ran.result, ran.restoration) == ("refused", "restored")
    assert not list(ran.recording.journal.of("fault.planned"))
    assert not (lab.state / "pocket" / "undo").exists() or not UndoLog(lab.state / "pocket").read().entries
    return ran


def failed_logins(lab: Lab) -> dict[str, int]:
    """What the servers themselves say."""
    logs = (lab.state / "pocket" / "lab").glob("*.patroni.log")
    return {log.name: log.read_text().count("password authentication failed") for log in logs}


@pytest.mark.lab
def test_a_wrong_password_is_tried_once_at_each_server_and_refused(labs: Labs, tmp_path: Path):
    lab = labs.get()
    estate = tmp_path / "wrong.yaml"
    estate.write_text(POCKET.replace("password=${lab.drdrill_password}", "password=wrong-and-secret"))
    feature = tmp_path / "a.feature"
    feature.write_text(HEALTHY)
    before = failed_logins(lab)
    assert len(before) == 2
    ran = refused_in_the_lab(lab, estate, "wrong-password", feature)
    assert {name: count - before[name] for name, count in failed_logins(lab).items()} == dict.fromkeys(before, 1)
    assert "password authentication failed" in ran.output
    assert "tried once and not again, so that no account is locked" in ran.output
    ready = lab.drdrill("ready", "--estate", str(estate))
    assert ready.returncode == 1
    assert {name: count - before[name] for name, count in failed_logins(lab).items()} == dict.fromkeys(before, 2)
    everything = ran.output + ready.stdout + "".join(p.read_text() for p in ran.recording.folder.glob("*.*"))
    assert "wrong-and-secret" not in everything


@pytest.mark.lab
def test_a_database_that_takes_connections_and_never_answers_is_refused(labs: Labs, tmp_path: Path):
    lab = labs.get()
    feature = tmp_path / "a.feature"
    feature.write_text(HEALTHY)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute:
        estate = tmp_path / "mute.yaml"
        estate.write_text(POCKET.replace("port=${lab.south_db1_pg}", f"port={mute.getsockname()[1]}"))
        ran = refused_in_the_lab(lab, estate, "mute-database", feature)
    assert "database clinical: south-db1: no answer within 2 s" in " ".join(ran.output.split())
