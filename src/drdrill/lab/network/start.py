# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Raise the network lab, end it, and say how it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import LabError
from drdrill.lab.ask_supervisor import Silent, ask, hello
from drdrill.lab.folder import Lab, alone, empty, flawed, last_lines, silent
from drdrill.lab.network import cgroups, image, kernel, keys
from drdrill.lab.network.flaws import FLAWS
from drdrill.lab.network.layout import Layout, lab_folder, new_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_SUPERVISOR_S: Final = 30.0
_WHOLE_S: Final = 60.0
_ANSWER_S: Final = 10.0
_GONE_S: Final = 20.0
_LOOK_S: Final = 0.005
_RAISED: Final = "raised"
"""The file in the lab's folder that says that the lab was whole once."""


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
    folder = folder.resolve() if folder else lab_folder()
    _ours(folder)
    if hello(folder) is None:
        _fit(say)
    root = image.ensure(say)
    with alone(folder):
        if (found := _up_already(folder, flaws)) is not None:
            _climb(folder, say, began)
            return Lab(folder, True, time.monotonic() - began, 0, tuple(found["flaws"]), tuple(found["notes"]))
        swept = _sweep(folder)
        if swept:
            say(f"swept {swept} processes that a killed lab had left")
        empty(folder)
        layout = Layout(folder, new_passwords(), tuple(flaws))
        layout.save()
        keys.make(layout)
        try:
            _start_supervisor(layout, root)
            say(f"{time.monotonic() - began:5.1f} s  hosts are up")
            _climb(folder, say, began)
        except BaseException:
            end(folder)
            raise
    return Lab(folder, False, time.monotonic() - began, swept, layout.flaws, layout.notes)


def down(folder: Path | None = None) -> bool:
    """End the lab and remove its data; logs stay. Whether anything of it was there.

    Raises:
        LabError: it is somebody else's, or a process of it does not end.
    """
    folder = folder.resolve() if folder else lab_folder()
    _ours(folder)
    if not folder.is_dir():
        return False
    with alone(folder):
        there = end(folder)
        empty(folder, keep_logs=True)
        return there


def end(folder: Path) -> bool:
    """End every process of a lab: by its supervisor, or without it. Whether there was any.

    Raises:
        LabError: something does not end.
    """
    there, supervisor = False, None
    with contextlib.suppress(Silent):  # Then it is ended like everything else of the lab.
        if (found := ask(folder, {"do": "hello"}, _ANSWER_S)) is not None:
            there = True
            with contextlib.suppress(ProcessLookupError):
                supervisor = os.pidfd_open(found["pid"])
            ask(folder, {"do": "down"}, _ANSWER_S)
    swept = _sweep(folder)
    if supervisor is not None:
        try:
            # Dead is not gone: the kernel takes its time to take nested namespaces down.
            if not select.select([supervisor], [], [], _GONE_S)[0]:
                raise LabError(f"the network lab's supervisor does not end within {_GONE_S:g} s")
        finally:
            os.close(supervisor)
    return bool(swept) or there


def status(folder: Path | None = None) -> dict[str, Any] | None:
    """The supervisor's answers to `hello`, `hosts`, `holds`, `links` and `audit`, by these names. None: the lab is not up.

    Without a supervisor, processes that a killed lab left behind are in `left`.

    Raises:
        LabError: it does not answer, or is somebody else's, or one of another version.
    """
    folder = folder.resolve() if folder else lab_folder()
    _ours(folder)
    found = hello(folder)
    if found is None:
        with contextlib.suppress(FileNotFoundError):
            if left := cgroups.processes(cgroups.of_lab(folder)):
                return {"left": left, "folder": str(folder)}
        return None
    answers = {what: ask(folder, {"do": what}, _ANSWER_S) or {} for what in ("hosts", "holds", "links", "audit")}
    return {"hello": found} | {what: answer.get(what, answer) for what, answer in answers.items()}


def _fit(say: Callable[[str], None]) -> None:
    built = image.cached() if os.geteuid() == 0 else None
    kernel.check(built)
    if built is None and shutil.which("nft") is None:
        kernel.check(image.ensure(say))


def _ours(folder: Path) -> None:
    try:
        owner = folder.stat().st_uid
    except FileNotFoundError:
        return
    except OSError as error:
        raise LabError(
            f"{folder}: the lab there is another user's ({error.strerror}); run drdrill as that one, or set DRDRILL_STATE"
        ) from error
    if owner != os.geteuid():
        raise LabError(
            f"{folder}: the lab there is of user {owner}, and this is user {os.geteuid()}: "
            "run drdrill as that one, or set DRDRILL_STATE to a folder of yours"
        )


def _up_already(folder: Path, flaws: Sequence[str]) -> dict[str, Any] | None:
    found = hello(folder)
    if found is not None and set(found["flaws"]) != set(flaws):
        raise LabError(
            f"the lab is up with {flawed(found['flaws'])}, and {flawed(tuple(flaws))} was asked for: "
            "`drdrill lab down network` first"
        )
    return found


def _start_supervisor(layout: Layout, root: Path) -> None:
    """Start it and wait until it can be asked. Raises LabError with its own words."""
    heard, told = os.pipe()
    log = layout.folder / "supervisor.log"
    argv = [sys.executable, "-P", "-m", "drdrill.lab.network.supervisor", str(layout.folder), str(root), str(told)]
    try:
        with log.open("ab") as output:
            log.chmod(0o600)
            subprocess.run(
                argv,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(told,),
                start_new_session=True,
                check=False,
            )
        os.close(told)
        ready, _, _ = select.select([heard], [], [], _SUPERVISOR_S)
        said = os.read(heard, 2000).decode(errors="replace").strip() if ready else "it says nothing"
    finally:
        os.close(heard)
    if said != "up":
        raise LabError(f"the network lab does not come up: {said or last_lines(log)}; its logs are in {layout.folder}")


def _climb(folder: Path, say: Callable[[str], None], began: float) -> None:
    """Wait until the lab is whole, unless it was already."""
    if (folder / _RAISED).exists():
        return
    answer = ask(folder, {"do": "whole", "within_s": _WHOLE_S}, _WHOLE_S + _ANSWER_S)
    if answer is None:
        raise LabError(f"the lab's supervisor has ended: {last_lines(folder / 'supervisor.log')}")
    lacks = answer.get("missing") if answer["ok"] else {"the supervisor": [answer["error"]]}
    if lacks:
        words = "; ".join(f"{where}: {', '.join(what)}" for where, what in lacks.items())
        raise LabError(f"the network lab is not whole after {_WHOLE_S:g} s: {words}; its logs are in {folder}")
    (folder / _RAISED).touch()
    say(
        f"{time.monotonic() - began:5.1f} s  each site's own application acknowledges, and every member is in the cluster"
    )


def _sweep(folder: Path) -> int:
    """Kill what is left and wait until nobody holds the lab's locks. How many processes there were. Raises LabError."""
    try:
        found = cgroups.sweep(folder)
        for lock in ("alive", "reaper"):
            _free(folder / lock)
        return found + cgroups.sweep(folder)
    except TimeoutError as error:
        raise LabError(str(error)) from error


def _free(path: Path) -> None:
    deadline = time.monotonic() + _GONE_S
    with contextlib.suppress(FileNotFoundError), path.open("r+") as lock:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path}: its holder does not end within {_GONE_S:g} s")
            time.sleep(_LOOK_S)  # A lock can be waited for, but not with a deadline.
