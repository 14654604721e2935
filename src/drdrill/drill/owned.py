# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Files that only we can have written: owner and mode are asked of what is opened, before anything is read from it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from drdrill.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_MOST: Final = 1 << 22


def refused(path: Path, found: os.stat_result, *, folder: bool) -> str | None:
    """Why nothing is believed that stands there, in a sentence; None: only we can have written it. Pure."""
    kind = "folder" if folder else "file"
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(found.st_mode):
        return f"{path}: this is no {kind}, so nothing is read from it"
    if found.st_uid not in {os.geteuid(), 0}:
        return (
            f"{path}: this {kind} belongs to user {found.st_uid}, so nothing is read from it; "
            "run as that user, or look at it and remove it"
        )
    if found.st_mode & _OTHERS_WRITE:
        mode = stat.S_IMODE(found.st_mode)
        return (
            f"{path}: others than its owner can write this {kind} (mode {mode:04o}), so nothing is read from it; "
            f"look at it, then chmod go-w {path}"
        )
    return None


def check_folder(path: Path) -> None:
    """Raises BadInput when others can write there; fine when it does not exist."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if why := refused(path, found, folder=True):
        raise BadInput(why)


def read(path: Path) -> str:
    """The text of a file of ours. No link is followed, and nobody waits for a pipe.

    Raises:
        BadInput: somebody else could have written it, or it is too long to be ours.
        OSError: it cannot be opened.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        if path.is_symlink():
            raise BadInput(f"{path}: this is a link and no file of ours, so nothing is read from it") from None
        raise
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(file.fileno())
        if why := refused(path, found, folder=False):
            raise BadInput(why)
        if found.st_size > _MOST:
            raise BadInput(f"{path}: it is longer than anything that a drill writes, so nothing is read from it")
        return file.read(_MOST).decode()
