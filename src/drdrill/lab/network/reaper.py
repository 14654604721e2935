# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The small process outside that is the supervisor's parent: it buries it, and removes the cgroups, which no kernel does.

Were the supervisor an orphan, its number and its pid namespace would stay for as long as the machine's init takes to bury it:
two seconds with some. It keeps a lock of its own until it is done, and whoever begins a lab in the same folder waits for that:
the cgroups have the same name, and a reaper that is late would end the new lab.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from typing import TYPE_CHECKING, Final, NoReturn

from drdrill.errors import LabError
from drdrill.lab.network import cgroups, syscalls

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

REAPING: Final = "reaping"
"""The file in the lab's folder that the reaper keeps locked until it is done."""


def part(folder: Path, alive: IO[str]) -> None:
    """Return in a child that is the first process of a new pid namespace; its parent becomes the reaper.

    Args:
        folder: the lab's.
        alive: the supervisor's own lock, which the reaper must not keep.

    Raises:
        OSError: there can be no such namespace, or another reaper is at work.
    """
    with (folder / REAPING).open("w") as lock:
        # Before there are two processes, so that nobody finds it free while there is a lab.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        syscalls.unshare(syscalls.NEWPID)
        supervisor = os.fork()
        if supervisor:
            alive.close()
            _reap(folder, supervisor)


def _reap(folder: Path, supervisor: int) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.waitpid(supervisor, 0)
    with contextlib.suppress(LabError, OSError):
        cgroups.remove(cgroups.of(folder))
    os._exit(0)
