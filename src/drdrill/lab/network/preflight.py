# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the network lab can run on this machine: said in one sentence, with what to do, before anything is touched.

What the kernel can do is tried out, by a child in namespaces that end with it: versions and settings say less.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.errors import LabError, MissingExtra
from drdrill.lab.network import cgroups, syscalls

if TYPE_CHECKING:
    from collections.abc import Callable

_INSTALL: Final = "./scripts/install-network, or apt-get install -y --no-install-recommends"
_PROGRAMS: Final = {"ip": "iproute2", "nsenter": "util-linux", "mmdebstrap": "mmdebstrap", "ssh": "openssh-client"}
_INOTIFY: Final = 80
"""Instances of inotify that the hosts' systemd and dbus take of root's: 51 to 68 were counted, and a few for a power cycle."""
_TABLE: Final = (
    "add table inet drdrill-try; "
    "add set inet drdrill-try peers { type ipv4_addr; flags timeout; }; "
    "add chain inet drdrill-try input { type filter hook input priority -300; policy accept; }; "
    "add rule inet drdrill-try input ip saddr @peers counter drop"
)
"""What a cut is made of."""


def check() -> None:
    """Look at the machine.

    Raises:
        LabError: something is missing here, and what to do about it.
        MissingExtra: the extra `lab` is not installed.
    """
    if sys.platform != "linux":
        raise LabError(
            f"the network lab needs Linux, and this is {platform.system()}: run it in a Linux virtual machine"
        )
    if os.geteuid() != 0:
        raise LabError(
            "the network lab needs root, for namespaces, mounts and cables: sudo drdrill lab up network; "
            "the pocket lab needs none: drdrill lab up pocket"
        )
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        raise LabError(
            f"the network lab needs {', '.join(missing)}, not installed here: {_INSTALL} {' '.join(missing)}"
        )
    try:
        import cryptography  # noqa: F401, PLC0415 - only looked for
    except ImportError:
        raise MissingExtra("cryptography", "lab", "the network lab") from None
    cgroup = cgroups.mounted()
    if cgroup is None or not (cgroup / "cgroup.procs").exists():
        raise LabError(
            "the network lab needs cgroup v2, and none is mounted here: mount -t cgroup2 none /sys/fs/cgroup"
        )


def check_kernel() -> None:
    """Try what the hosts need of the kernel. Raises LabError."""
    cgroup = cgroups.of(Path("/")).parent
    _try("namespaces", _namespaces, "run it on the machine itself, or in a container with --privileged")
    _try("cgroups of its own", lambda: _cgroup(cgroup), "run it where root may write below " + str(cgroup))
    _try(
        f"{_INOTIFY} more instances of inotify",
        _inotify,
        "sysctl fs.inotify.max_user_instances=1024, or end another lab of this user",
    )


def check_root(root: Path) -> None:
    """Try what needs the hosts' own root: overlay mounts, and nftables. Raises LabError."""
    _try("overlay mounts", lambda: _overlay(root), "load the kernel module: modprobe overlay")
    _try(
        "nftables with timeouts in the kernel",
        lambda: _nftables(root),
        "load the kernel module: modprobe nf_tables, or use a kernel that has it",
    )


def _try(what: str, attempt: Callable[[], None], advice: str) -> None:
    """Try something out in a child, of which nothing is left. Raises LabError."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            attempt()
        except BaseException as error:  # noqa: BLE001 - told to the parent, whatever it is
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            os.write(tell, (said or type(error).__name__).encode()[:1000])
        finally:
            os._exit(0)
    os.close(tell)
    with os.fdopen(told) as words:
        why = " ".join(words.read().split())
    os.waitpid(child, 0)
    if why:
        raise LabError(f"the network lab needs {what}, which this machine does not give it ({why}): {advice}")


def _namespaces() -> None:
    syscalls.unshare(
        syscalls.NEWNS | syscalls.NEWNET | syscalls.NEWUTS | syscalls.NEWIPC | syscalls.NEWCGROUP | syscalls.NEWPID
    )


def _cgroup(root: Path) -> None:
    tried = root / f"drdrill-try-{os.getpid()}"
    tried.mkdir()
    try:
        if not (tried / "cgroup.kill").exists() or not (tried / "cgroup.freeze").exists():
            raise OSError("the kernel is older than 5.14: it has no cgroup.kill")
    finally:
        tried.rmdir()


def _inotify() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for count in range(_INOTIFY):
        if libc.inotify_init() < 0:
            raise OSError(f"there are {count} left: {os.strerror(ctypes.get_errno())}")


def _overlay(root: Path) -> None:
    syscalls.unshare(syscalls.NEWNS)
    syscalls.mount("none", "/", None, syscalls.REC | syscalls.PRIVATE)
    syscalls.mount("tmpfs", "/mnt", "tmpfs")
    for name in ("upper", "work", "root"):
        os.mkdir(f"/mnt/{name}")  # noqa: PTH102 - a path of this child's own mounts
    syscalls.mount("overlay", "/mnt/root", "overlay", 0, f"lowerdir={root},upperdir=/mnt/upper,workdir=/mnt/work")


def _nftables(root: Path) -> None:
    syscalls.unshare(syscalls.NEWNET)
    argv = ["chroot", str(root), "nft", _TABLE]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        raise OSError(done.stderr or f"nft ended with {done.returncode}")
