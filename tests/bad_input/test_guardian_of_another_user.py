# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A guardian is spoken to through a socket: another user of the machine can neither speak to it nor stand in for it.

Even where the modes of its folder were opened, both ends ask the kernel who the other one is.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_truth import left_over
from teams import ESTATE

from drdrill.drill import state
from drdrill.drill.guardian.beside import LOCAL, Guardian
from drdrill.drill.guardian.line import SOCKET, dial
from drdrill.drill.undo_log import UndoLog
from drdrill.errors import BadInput, Refused
from drdrill.estate.load import load
from drdrill.faults.fault import Undo

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.root
NOBODY = 65534


@contextlib.contextmanager
def another_user() -> Iterator[None]:
    """As user nobody, for the files and for whoever asks the kernel."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@pytest.fixture
def guardian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guardian]:
    """One that listens, and its folder is where we stand: nobody but root finds the way down to it."""
    (tmp_path / "clinic.yaml").write_text(ESTATE)
    (tmp_path / "drill").mkdir()
    made = Guardian(LOCAL, "d", load(str(tmp_path / "clinic.yaml")), tmp_path / "drill").start()
    made.dialled().close()
    monkeypatch.chdir(folder_of_guardian())
    yield made
    made.end()
    assert not left_over(tmp_path)


def folder_of_guardian() -> Path:
    return state.folder("clinic") / "guardian" / "d"


def asked(message: dict[str, Any]) -> bytes:
    """What the guardian in this folder answers."""
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(10)
        there.connect(SOCKET)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            there.sendall(json.dumps(message).encode() + b"\n")
            return there.recv(1 << 16)
        return b""


HELLO = {"do": "hello", "drill": "d"}


def test_another_user_finds_no_way_to_it(guardian: Guardian) -> None:
    folder = folder_of_guardian()
    assert folder.stat().st_mode & 0o777 == 0o700
    with another_user(), pytest.raises(PermissionError):
        asked(HELLO)
    folder.chmod(0o711)
    with another_user(), pytest.raises(PermissionError):
        asked(HELLO)
    assert json.loads(asked(HELLO))["ok"], "its owner is answered"
    guardian.prepare([])


@pytest.mark.parametrize("do", ["hello", "end", "renew", "done", "prepare", "guard"])
def test_another_user_is_not_answered_where_the_modes_were_opened(guardian: Guardian, do: str) -> None:
    folder_of_guardian().chmod(0o777)
    Path(SOCKET).chmod(0o777)
    with another_user():
        assert asked({**HELLO, "do": do, "hold": "d-1", "ways": []}) == b""
    guardian.prepare([])
    assert json.loads(asked(HELLO))["ok"], "it did what nobody may tell it"


@contextlib.contextmanager
def standing_in(folder: Path) -> Iterator[None]:
    """Another user who listens where a guardian would, in a folder that he may write."""
    before = Path.cwd()
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        try:
            with another_user():
                listening.bind(SOCKET)
                listening.listen()
        finally:
            os.chdir(before)
        yield


def test_another_user_cannot_put_a_socket_where_a_guardian_belongs(guardian: Guardian) -> None:
    Path(SOCKET).rename("elsewhere")
    with pytest.raises(PermissionError), standing_in(folder_of_guardian()):
        pass
    Path("elsewhere").rename(SOCKET)
    guardian.prepare([])


def test_nobody_who_stands_in_for_a_guardian_is_believed(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with standing_in(tmp_path):
        with pytest.raises(BadInput, match=f"belongs to user {NOBODY}, so nothing that it says is believed"):
            dial(tmp_path)
        (tmp_path / "clinic.yaml").write_text(ESTATE)
        fooled = Guardian(LOCAL, "d", load(str(tmp_path / "clinic.yaml")), tmp_path)
        fooled._own = tmp_path
        fooled._process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        try:
            with pytest.raises(Refused, match="nothing is struck: .* belongs to user"):
                fooled.prepare([])
        finally:
            fooled._process.kill()
            fooled._process.wait()


def test_a_state_folder_of_another_user_keeps_no_undo(tmp_path: Path) -> None:
    log = UndoLog(tmp_path / "theirs")
    log.folder.mkdir(mode=0o700, parents=True)
    os.chown(log.folder.parent, NOBODY, NOBODY)
    with pytest.raises(PermissionError, match=f"belongs to user {NOBODY}"):
        log.write(
            Undo("site-isolated", "d-1", "d", "clinic", "t", ("east-db1",), ("east",), "w", {"links": "fake"}, "c")
        )
    assert f"belongs to user {NOBODY}" in " ".join(log.read().findings)
    assert not list(log.folder.iterdir())
