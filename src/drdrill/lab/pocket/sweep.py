# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Ends every process of a lab, or of one of its hosts. They are found by their cwd, so a killed run's leftovers are too."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Final

from drdrill.lab.pocket.owner import processes

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

_LOOK_S: Final = 0.02
_SURE: Final = 2
"""So many looks in a row must find nothing: a process that forks while it is killed leaves a child behind."""


def kill_once(folder: Path, hosts: Container[str] | None = None, spare: Container[int] = ()) -> int:
    """SIGKILL to every process of these hosts (None: of the whole lab). How many there were."""
    found = 0
    for process in processes(folder):
        if process.pid in spare or not (hosts is None or process.host in hosts):
            continue
        found += 1
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)
    return found


def sweep(folder: Path, spare: Container[int] = (), within_s: float = 10.0) -> int:
    """Kill the whole lab until none is left. How many were found at the first look.

    Raises:
        TimeoutError: some did not go.
    """
    first = kill_once(folder, spare=spare)
    deadline = time.monotonic() + within_s
    clean = 0 if first else _SURE
    while clean < _SURE:
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes in {folder} do not end")
        time.sleep(_LOOK_S)  # The kernel takes a moment to end a process, and tells nobody but its parent.
        clean = 0 if kill_once(folder, spare=spare) else clean + 1
    return first
