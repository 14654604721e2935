# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The system calls of namespaces and mounts that Python 3.11 has no name for. Each raises OSError that says what was tried."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Final

NEWNS: Final = 0x00020000
NEWCGROUP: Final = 0x02000000
NEWUTS: Final = 0x04000000
NEWIPC: Final = 0x08000000
NEWPID: Final = 0x20000000
NEWNET: Final = 0x40000000
"""CLONE_* of <sched.h>."""
RDONLY: Final = 0x1
NOSUID: Final = 0x2
NODEV: Final = 0x4
NOEXEC: Final = 0x8
REMOUNT: Final = 0x20
BIND: Final = 0x1000
REC: Final = 0x4000
PRIVATE: Final = 0x40000
"""MS_* of <sys/mount.h>."""
_DETACH: Final = 2
_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
"""Its number (asm/unistd.h): glibc has no function for it."""
_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave these namespaces for new ones."""
    _check(_libc.unshare(flags), f"unshare({flags:#x})")


def enter(path: str, kind: int = 0) -> None:
    """Step into the namespace that a path of /proc names; of a network only the calling thread does."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(descriptor, kind), f"setns({path})")
    finally:
        os.close(descriptor)


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    """Mount a file system, or change how one is mounted."""
    words = [None if word is None else word.encode() for word in (source, target, kind, data)]
    result = _libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])
    _check(result, f"mount of {kind or source} on {target}")


def detach(target: str) -> None:
    """Take a file system out of the tree; it goes away once nobody uses it any more."""
    _check(_libc.umount2(target.encode(), _DETACH), f"umount of {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of this mount namespace, and the root until now `old`."""
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise OSError(f"pivot_root has no known number on {platform.machine()}")
    _check(_libc.syscall(number, new.encode(), old.encode()), f"pivot_root({new})")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
