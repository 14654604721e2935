# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The cgroups of a lab: one for each host, below one for the lab, whose name comes from the lab's folder.

They are what makes "every process of this host" a thing that the kernel itself can count, stop and end. A machine without
cgroup v2 as its only layout has it beside the old one (hybrid); no controller is needed. A container may share the hierarchy
of its machine, so a fixed name would end somebody else's lab.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK_S: Final = 0.005
_EMPTY_S: Final = 10.0


def mounted() -> Path | None:
    """Where cgroup v2 is mounted, or None."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    return None


def of(folder: Path) -> Path:
    """The cgroup of the lab in this folder. Raises LabError where there is no cgroup v2."""
    root = mounted()
    if root is None:
        raise LabError(
            "the network lab needs cgroup v2, and none is mounted here: mount -t cgroup2 none /sys/fs/cgroup"
        )
    return root / f"drdrill-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def pids(cgroup: Path) -> list[int]:
    """Every process below a cgroup, as this pid namespace numbers them; none where it is gone."""
    found: list[int] = []
    for procs in _files(cgroup, "cgroup.procs"):
        with contextlib.suppress(OSError):
            found += map(int, procs.read_text().split())
    return found


def kill(cgroup: Path) -> None:
    """SIGKILL to every process below, those that are being forked included; fine when it is gone."""
    with contextlib.suppress(FileNotFoundError):
        (cgroup / "cgroup.kill").write_text("1")


def freeze(cgroup: Path, *, still: bool) -> None:
    """Stop every process below where it stands, or let all go on; `is_frozen` says when it is done."""
    (cgroup / "cgroup.freeze").write_text("1" if still else "0")


def is_populated(cgroup: Path) -> bool:
    """Whether any process lives below."""
    return _event(cgroup, "populated")


def is_frozen(cgroup: Path) -> bool:
    """Whether every process below stands still."""
    return _event(cgroup, "frozen")


def remove(cgroup: Path) -> bool:
    """End what lives below, and remove it. Whether any process did. Raises LabError when some do not end."""
    if not cgroup.is_dir():
        return False
    lived = is_populated(cgroup)
    deadline = time.monotonic() + _EMPTY_S
    while cgroup.is_dir():
        if is_populated(cgroup):
            kill(cgroup)
            with contextlib.suppress(OSError):
                for frozen in _files(cgroup, "cgroup.freeze"):
                    frozen.write_text("0")
        for events in sorted(_files(cgroup, "cgroup.events"), key=lambda path: -len(path.parts)):
            with contextlib.suppress(OSError):
                events.parent.rmdir()
        if time.monotonic() > deadline:
            raise LabError(f"{cgroup}: some of its processes do not end: {pids(cgroup)}")
        if cgroup.is_dir():
            time.sleep(_LOOK_S)  # The kernel takes a moment to end a process, and tells nobody but its parent.
    return lived


def _files(cgroup: Path, name: str) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from cgroup.rglob(name)
    if (cgroup / name).is_file():
        yield cgroup / name


def _event(cgroup: Path, key: str) -> bool:
    with contextlib.suppress(OSError):
        return f"{key} 1" in (cgroup / "cgroup.events").read_text().splitlines()
    return False
