# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PTH115, PTH208 - hundreds of reads for one question: plain os calls, no Path for each
"""Who is calling? On Linux the caller's port leads to a socket's inode, the inode to a process, the process to its cwd.

Every process of a host has its cwd under the host's folder, and keeps it by nature: Patroni, postgres, its walreceiver,
pg_basebackup and pg_rewind all do. A parent chain or an environment variable would not serve: postgres leaves its session and
overwrites its environment.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from drdrill.lab.pocket import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator


class Process(NamedTuple):
    """A process of the lab. `host` is the first part of its cwd under the lab's folder, or "" for the folder itself."""

    pid: int
    host: str


def processes(folder: Path) -> Iterator[Process]:
    """Every process whose cwd lies in the lab's folder.

    A process with a terminal is left out: it is the shell of somebody who looks at the lab's files, not a part of the lab.
    Everything that the lab starts has left its terminal.
    """
    root = os.fsencode(folder)
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            cwd = os.readlink(f"/proc/{name}/cwd".encode())
            cwd = cwd.removesuffix(b" (deleted)")
            if (cwd == root or cwd.startswith(root + b"/")) and not _has_terminal(name):
                yield Process(int(name), cwd[len(root) + 1 :].split(b"/")[0].decode(errors="replace"))
        except OSError:
            continue  # Gone meanwhile, or another user's: not ours.


def _has_terminal(pid: str) -> bool:
    # The command's name stands in brackets and may hold anything, so the fields are counted from the last bracket.
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[4]) != 0


def sockets(pid: int) -> list[int]:
    """The inodes of a process's sockets. Raises OSError when they may not be read or it is gone."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if target.startswith("socket:["):
                found.append(int(target[8:-1]))
    return found


def listening() -> set[int]:
    """The ports on which somebody listens."""
    return {found.local for found in kernel.sockets(kernel.LISTEN)}


def host_of(local: int, remote: int, folder: Path) -> str | None:
    """The host whose process has the connection from port `local` to port `remote`; None when nobody of the lab has."""
    inode = kernel.inode(local, remote)
    if inode is None:
        return None
    for process in sorted(processes(folder), key=lambda p: -p.pid):
        with contextlib.suppress(OSError):
            if process.host and inode in sockets(process.pid):
                return process.host
    return None
