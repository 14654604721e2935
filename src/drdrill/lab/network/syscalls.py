# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The system calls that Python 3.11 has no name for."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Final

# Numbers of <sched.h> and <sys/mount.h>.
NEWNS: Final = 0x20000
NEWCGROUP: Final = 0x2000000
NEWUTS: Final = 0x4000000
NEWIPC: Final = 0x8000000
NEWPID: Final = 0x20000000
NEWNET: Final = 0x40000000
RDONLY: Final = 0x1
NOSUID: Final = 0x2
NODEV: Final = 0x4
NOEXEC: Final = 0x8
REMOUNT: Final = 0x20
BIND: Final = 0x1000
RECURSIVE: Final = 0x4000
PRIVATE: Final = 0x40000
_DETACH: Final = 2
_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
"""Its number, by machine: the C library has no name for it either."""

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Part with these namespaces of the caller. Raises OSError."""
    _check(_libc.unshare(flags), "unshare")


def enter_network(path: str) -> None:
    """Move the calling thread into the network namespace of this path, as /proc/PID/ns/net. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(descriptor, NEWNET), f"setns to {path}")
    finally:
        os.close(descriptor)


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    """Mount, or change a mount. Raises OSError, which says what was to be mounted where."""
    encoded = [os.fsencode(part) if part is not None else None for part in (source, target, kind, data)]
    done = _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _check(done, f"mount of {kind or source} on {target}")


def detach(path: str) -> None:
    """Unmount lazily. Raises OSError."""
    _check(_libc.umount2(os.fsencode(path), _DETACH), f"umount of {path}")


def pivot_root(new: str, old: str) -> None:
    """Make another mount the root. Raises OSError."""
    _check(_libc.syscall(_PIVOT_ROOT[platform.machine()], os.fsencode(new), os.fsencode(old)), "pivot_root")


def known_machine() -> bool:
    """Whether the numbers here are those of this machine."""
    return platform.machine() in _PIVOT_ROOT


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
