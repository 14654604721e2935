# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One drill per estate."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from drdrill.errors import EstateBusy

if TYPE_CHECKING:
    from pathlib import Path


class EstateLock:
    """The lock of one estate.

    The kernel drops it when its process dies, however it dies. The file stays, and only names the last owner.

    Args:
        state: the estate's state folder.
        estate: its name, for the message.
    """

    def __init__(self, state: Path, estate: str) -> None:
        self.path = state / "lock"
        self.estate = estate
        self._fd = -1
        self._words: dict[str, Any] = {}

    def take(self, drill: str, run: str = "") -> Self:
        """Take it for a drill, at once. `run` tells the drills of one process from those of others.

        Raises:
            EstateBusy: another drill holds it; the message names it.
        """
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = self.owner()
            os.close(fd)
            raise EstateBusy(
                f"estate {self.estate} is held by drill {owner.get('drill', '?')} (process {owner.get('pid', '?')}, "
                f"since {owner.get('since', '?')}); wait for its end, or stop it with `drdrill halt`"
            ) from None
        self._fd = fd
        self._words = {
            "drill": drill,
            "pid": os.getpid(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "run": run,
        }
        self.say()
        return self

    def say(self, **more: Any) -> None:
        """Write onto it, for whoever looks; it need not succeed."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                words = json.dumps({**self._words, **more}).encode()
                # The kernel writes it at once; a reader that comes between the two finds no JSON, and looks again.
                os.ftruncate(self._fd, 0)
                os.pwrite(self._fd, words, 0)

    def owner(self) -> dict[str, Any]:
        """Who took it last: drill, pid, since. Empty when nobody did, or the file is being written."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self.path.read_text())
            if isinstance(found, dict):
                return found
        return {}

    def held(self) -> bool:
        """Whether somebody holds it now."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def release(self) -> None:
        """Give it back; fine when it was never taken."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
