# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Raise the network lab, end it, and say how it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import LabError
from drdrill.lab.ask_supervisor import Silent, ask, hello
from drdrill.lab.folder import Lab, alone, empty, flawed, last_lines, silent
from drdrill.lab.network import cgroups, image, keys, preflight, wait
from drdrill.lab.network.flaws import FLAWS
from drdrill.lab.network.layout import Layout, lab_folder, new_passwords
from drdrill.lab.network.reaper import REAPING
from drdrill.lab.network.supervisor import ALIVE, PLACE
from drdrill.lab.protocol import SOCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_LOOK_S: Final = 0.02
_SUPERVISOR_S: Final = 15.0
_GONE_S: Final = 15.0
"""Longer than the reaper may take."""


def up(flaws: Sequence[str] = (), say: Callable[[str], None] = silent, folder: Path | None = None) -> Lab:
    """Raise the lab; fine when it is up already.

    Args:
        flaws: what is wrong with it on purpose: names out of `flaws.FLAWS`.
        say: gets a line for each step that is reached.
        folder: where the lab lives; the state folder's unless a test says otherwise.

    Raises:
        LabError: it cannot run here, does not come up, or is up with other flaws. Nothing of it is left then.
    """
    if wrong := [flaw for flaw in flaws if flaw not in FLAWS]:
        raise LabError(f"no flaw is called {', '.join(wrong)}; there are {', '.join(FLAWS)}")
    began = time.monotonic()
    preflight.check()
    folder = folder.resolve() if folder else lab_folder()
    _ours(folder)
    if hello(folder) is None:  # One that is up has taken what a second look would miss.
        preflight.check_kernel()
    with alone(folder):
        if (found := hello(folder)) is not None:
            if set(found["flaws"]) != set(flaws):
                raise LabError(
                    f"the lab is up with {flawed(found['flaws'])}, and {flawed(tuple(flaws))} was asked for: "
                    "`drdrill lab down network` first"
                )
            # Whoever raised it may have gone before it was ready.
            wait.until_ready(Layout.load(folder), say, began)
            return Lab(folder, True, time.monotonic() - began, 0, tuple(found["flaws"]), tuple(found["notes"]))
        swept = end(folder)
        if swept:
            say(f"ended {swept} processes that a killed lab had left")
        root = image.ensure(say)
        preflight.check_root(root)
        empty(folder)
        layout = Layout(folder, new_passwords(), tuple(flaws))
        layout.save()
        keys.make(layout)
        try:
            _start_supervisor(layout, root)
            say(f"{time.monotonic() - began:5.1f} s  hosts have power")
            wait.until_ready(layout, say, began)
        except BaseException:
            end(folder)
            raise
    return Lab(folder, False, time.monotonic() - began, swept, layout.flaws, layout.notes)


def down(folder: Path | None = None) -> bool:
    """End the lab and remove its data; its hosts' first logs stay. Whether anything of it was there.

    Raises:
        LabError: it is somebody else's, or a process of it does not end.
    """
    folder = folder.resolve() if folder else lab_folder()
    _ours(folder)
    if not folder.is_dir():
        return False
    with alone(folder):
        there = (folder / SOCKET).exists()
        there = bool(end(folder)) or there
        empty(folder, keep_logs=True)
        return there


def end(folder: Path) -> int:
    """End every process of a lab, by its supervisor or without it. How many hosts' processes there were. Raises LabError."""
    cgroup = cgroups.of(folder)
    there = len(cgroups.pids(cgroup))
    supervisor = _supervisor(folder)
    with contextlib.suppress(Silent):  # Then it is ended by the kernel.
        ask(folder, {"do": "down"}, deadline_s=2.0)
    if supervisor is not None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(supervisor, signal.SIGKILL)
        os.close(supervisor)
    cgroups.remove(cgroup)
    _until_dead(folder)
    (folder / SOCKET).unlink(missing_ok=True)
    return there


def status(folder: Path | None = None) -> dict[str, Any] | None:
    """The supervisor's answers to `hello`, `hosts`, `holds`, `links` and `audit`, by these names. None: the lab is not up.

    Without a supervisor, processes that a killed lab left behind are in `left`.

    Raises:
        LabError: it is somebody else's, does not answer, or is one of another version.
    """
    folder = folder.resolve() if folder else lab_folder()
    _ours(folder)
    found = hello(folder)
    if found is None:
        left = cgroups.pids(cgroups.of(folder)) if cgroups.mounted() else []
        return {"left": left, "folder": str(folder)} if left else None
    answers = {what: ask(folder, {"do": what}) or {} for what in ("hosts", "holds", "links", "audit")}
    return {"hello": found} | {what: answer.get(what, answer) for what, answer in answers.items()}


def _start_supervisor(layout: Layout, root: Path) -> None:
    argv = [sys.executable, "-P", "-m", "drdrill.lab.network.supervisor", str(layout.folder), str(root)]
    log = layout.folder / "supervisor.log"
    with log.open("ab") as output:
        log.chmod(0o600)
        started = subprocess.run(argv, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    deadline = time.monotonic() + _SUPERVISOR_S
    while started.returncode == 0 and time.monotonic() < deadline:
        with contextlib.suppress(Silent):
            if (layout.folder / "lab.json").exists() and hello(layout.folder) is not None:
                return
        if (layout.folder / PLACE).exists() and _free(layout.folder):
            break
        time.sleep(_LOOK_S)  # Another process makes the socket; nobody tells when.
    raise LabError(f"the lab's supervisor did not start: {last_lines(log)}")


def _ours(folder: Path) -> None:
    """Raises LabError for a lab of somebody else's."""
    try:
        owner = folder.stat().st_uid
    except FileNotFoundError:
        return
    except OSError as error:
        raise LabError(
            f"{folder}: the lab there is another user's ({error.strerror}): run drdrill as that one, or set DRDRILL_STATE "
            "to a folder of yours"
        ) from error
    if owner != os.geteuid():
        raise LabError(
            f"{folder}: the lab there is of user {owner}, and this is user {os.geteuid()}: run drdrill as that one, or set "
            "DRDRILL_STATE to a folder of yours"
        )


def _supervisor(folder: Path) -> int | None:
    """A pidfd of whoever listens on the lab's socket, as the kernel knows it; None when nobody does."""
    try:
        directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(1.0)
            sock.connect(f"/proc/self/fd/{directory}/{SOCKET}")
            pid, _, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return os.pidfd_open(pid) if pid else None
    except OSError:
        return None
    finally:
        os.close(directory)


def _free(folder: Path, name: str = ALIVE) -> bool:
    """Whether no supervisor lives: it keeps a lock for its life, and the kernel lets it go with it. So does the reaper."""
    try:
        with (folder / name).open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


def _until_dead(folder: Path) -> None:
    """Wait for the end of the supervisor, and of its reaper, which buries it: one that is late would end the next lab."""
    deadline = time.monotonic() + _GONE_S
    while not (_free(folder) and _free(folder, REAPING)):
        if time.monotonic() > deadline:
            raise LabError(f"the supervisor of the lab in {folder} does not end within {_GONE_S:g} s")
        time.sleep(_LOOK_S)  # They are no children of ours; nobody tells when a lock is free.
