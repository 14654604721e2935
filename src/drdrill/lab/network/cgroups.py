# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The control groups of a lab: one for each host, below one for the lab, which is named after the lab's folder.

A container can share the machine's hierarchy, so the name has to differ from lab to lab: what kills the one must not kill the
other. Nothing here needs a controller; freezing and killing are in the core of cgroup v2.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK_S: Final = 0.002
_DYING_S: Final = 10.0
SUPERVISOR: Final = "supervisor"
"""The group of the supervisor itself, so that no group of whoever started it takes it along."""


def hierarchy() -> Path:
    """Where the unified hierarchy is mounted, alone or beside the old ones. Raises FileNotFoundError."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return Path(fields[1])
    raise FileNotFoundError("no cgroup2 is mounted")


def of_lab(folder: Path) -> Path:
    """The group of the lab of this folder, whether it is there or not. Raises FileNotFoundError."""
    return hierarchy() / f"drdrill-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"


def join(group: Path) -> None:
    """Move the calling process into a group, which is made if need be. Raises OSError."""
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.procs").write_text("0")


def processes(group: Path) -> list[int]:
    """The processes in a group and below; 0 for one of another pid namespace."""
    return [int(pid) for inner in _within(group) for pid in _read(inner / "cgroup.procs").split()]


def kill(group: Path) -> None:
    """SIGKILL to everything in a group and below, at once. Raises OSError."""
    (group / "cgroup.kill").write_text("1")


def freeze(group: Path, *, frozen: bool) -> None:
    """Ask that everything in a group stands still, or goes on. Raises OSError."""
    (group / "cgroup.freeze").write_text("1" if frozen else "0")


def says(group: Path, event: str) -> bool:
    """Whether cgroup.events has this line: "populated 0", "frozen 1"."""
    return event in _read(group / "cgroup.events")


async def until(group: Path, event: str, within_s: float) -> None:
    """Wait for a line of cgroup.events. Raises TimeoutError, which names the group."""
    deadline = time.monotonic() + within_s
    while not says(group, event):
        if time.monotonic() > deadline:
            raise TimeoutError(f'{group.name} does not become "{event}" within {within_s:g} s')
        await asyncio.sleep(_LOOK_S)  # A change is told by inotify, of which the hosts need every instance.


def remove(group: Path) -> bool:
    """Remove a group and all below, once nothing is in them. Whether it is gone."""
    for inner in sorted(_within(group), key=lambda path: -len(path.parts)):
        with contextlib.suppress(OSError):
            inner.rmdir()
    return not group.exists()


def sweep(folder: Path) -> int:
    """Kill and remove whatever is left of a lab. How many processes there were.

    Raises:
        TimeoutError: something does not end.
    """
    try:
        group = of_lab(folder)
    except FileNotFoundError:
        return 0
    if not group.exists():
        return 0
    found = len(processes(group))
    deadline = time.monotonic() + _DYING_S
    with contextlib.suppress(OSError):
        kill(group)
    while not remove(group):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes of the network lab do not end ({group})")
        with contextlib.suppress(OSError):
            kill(group)
        time.sleep(_LOOK_S)  # The kernel takes a moment to end a process, and tells nobody but its parent.
    return found


def _within(group: Path) -> Iterator[Path]:
    for inner, _, _ in os.walk(group):
        yield Path(inner)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # Gone meanwhile.
        return ""
