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

    def take(self, drill: str) -> Self:
        """Take it for a drill, at once.

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
                f"since {owner.get('since', '?')}); wait for its end, or stop that process and run `drdrill recover`"
            ) from None
        words = json.dumps(
            {"drill": drill, "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        )
        os.ftruncate(fd, 0)
        os.pwrite(fd, words.encode(), 0)
        self._fd = fd
        return self

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
