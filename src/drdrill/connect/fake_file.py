# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The file in which a fake estate is kept for several processes: one call at a time, and nobody who stands still stops the others.

A real estate does not wait for a client that was stopped in the middle of a command. So a call that keeps the file for too long is
over: the next one puts a copy in its place and goes on. What the late one writes then goes to a file that nobody sees any more,
and it is told so, as one is whose connection broke.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, Final

from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITS_S: Final = 2.0
"""A call takes a millisecond; one that takes so long stands still."""
_NAP_S: Final = 0.002


class Turn:
    """One call's time with the file.

    Args:
        path: the file.
        descriptor: the same, open and locked.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @property
    def over(self) -> bool:
        """Whether another call has put a copy in its place since."""
        return self._path.stat().st_ino != os.fstat(self._descriptor).st_ino

    def read(self) -> str:
        """What is kept."""
        size = os.fstat(self._descriptor).st_size
        return os.pread(self._descriptor, size, 0).decode()

    def write(self, text: str) -> None:
        """Keep this instead, in one write and never shorter: who looks without a lock sees what was or what is.

        Raises:
            WayInFailed: the call stood still for so long that the estate went on without it.
        """
        data = text.encode()
        data = data.ljust(os.fstat(self._descriptor).st_size)
        if os.pwrite(self._descriptor, data, 0) < len(data):
            raise WayInFailed(f"{self._path}: no room for the fake estate")
        if self.over:
            raise WayInFailed("the fake estate did not wait for a call that stood still, and went on without it")


@contextlib.contextmanager
def alone(path: Path) -> Iterator[Turn]:
    """The file for one call. Waits for another one, but not for one that stands still."""
    descriptor = _taken(path)
    try:
        yield Turn(path, descriptor)
    finally:
        os.close(descriptor)


def _taken(path: Path) -> int:
    end = time.monotonic() + WAITS_S
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not Turn(path, descriptor).over:
                return descriptor
        if time.monotonic() > end:
            _pass_by(path, os.fstat(descriptor).st_ino)
            end = time.monotonic() + WAITS_S
        os.close(descriptor)
        time.sleep(_NAP_S)  # The kernel would wait for ever.


def _pass_by(path: Path, inode: int) -> None:
    """Put a copy in the place of a file that is kept by a call that stands still; one of those who wait for it does."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == inode:
                copy = path.with_suffix(".copy")
                copy.write_bytes(path.read_bytes())
                copy.rename(path)
    finally:
        os.close(folder)
