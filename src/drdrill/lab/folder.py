# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The folder that a lab lives in: one `up` or `down` at a time, files for the owner only, and what `up` says of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Lab:
    """A lab that is up. `already` says that it was before; `swept` counts the processes that a killed one had left."""

    folder: Path
    already: bool
    seconds: float
    swept: int = 0
    flaws: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def silent(_words: str) -> None:
    """Say nothing."""


def flawed(flaws: tuple[str, ...] | list[str]) -> str:
    """A lab's flaws, in a sentence."""
    return f"the flaw {', '.join(flaws)}" if flaws else "no flaw"


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One `up` or `down` at a time. Raises LabError where the lab can have no folder."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise LabError(
            f"{folder}: the lab cannot live there ({error.strerror}); set DRDRILL_STATE to a folder of yours"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def empty(folder: Path, *, keep_logs: bool = False) -> None:
    """Remove what a lab left in its folder, but for the lock that `alone` holds."""
    for path in folder.iterdir():
        if path.name == "lock" or (keep_logs and path.suffix == ".log"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def last_lines(log: Path) -> str:
    """The end of a log, in one line."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return " | ".join(lines[-3:]) or "it said nothing"


@contextlib.contextmanager
def usual_modes() -> Iterator[None]:
    """Files that are made in here can be read by whom their mode says, whatever the umask of whoever raises the lab."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)
