# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The small process outside that removes a lab's cgroups when its supervisor has died, which no kernel does.

It keeps a lock of its own until it is done. Whoever begins a lab in the same folder waits for that: the cgroups have the same
name, and one that is late would end the new lab.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from typing import TYPE_CHECKING, Final, NoReturn

from drdrill.errors import LabError
from drdrill.lab.network import cgroups

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

REAPING: Final = "reaping"
"""The file in the lab's folder that the reaper keeps locked until it is done."""


def start(folder: Path, alive: IO[str]) -> None:
    """Start it, from a process with one thread, and leave one end of a pipe open here: the kernel closes that with the caller.

    Args:
        folder: the lab's.
        alive: the supervisor's own lock, which the reaper must not keep.
    """
    life, living = os.pipe()
    with (folder / REAPING).open("w") as lock:
        # Before there is a second process, so that nobody finds it free while there is a lab.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fork() == 0:
            os.close(living)
            alive.close()
            _reap(folder, life)
    os.close(life)


def _reap(folder: Path, life: int) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(life, 1):
        pass
    with contextlib.suppress(LabError, OSError):
        cgroups.remove(cgroups.of(folder))
    os._exit(0)
