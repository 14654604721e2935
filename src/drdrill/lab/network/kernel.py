# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the network lab can run on this machine: said in one sentence, with what to do, before anything is touched.

What cannot be read off is tried out, in a process of its own that ends with everything that it made:
`python -m drdrill.lab.network.kernel ROOT|-`.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.errors import LabError
from drdrill.lab.network import cgroups, syscalls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TOOLS: Final = {"ip": "iproute2", "nsenter": "util-linux", "chroot": "coreutils"}
_INOTIFY: Final = 70
"""Instances of inotify that the systemds of all hosts take from root's: 51 to 68 were counted."""
_NFT: Final = """add table inet t
add set inet t s { type ipv4_addr; flags timeout; }
add element inet t s { 10.0.0.1 timeout 1s }
"""
_TRYING_S: Final = 20.0


def check(image: Path | None) -> None:
    """Look at the machine.

    Args:
        image: the root of the hosts, if it is built: its nft is used where the machine has none. Without either of them that part
            is not tried.

    Raises:
        LabError: something is missing here, and what to do about it.
    """
    if sys.platform != "linux":
        raise LabError(
            f"the network lab needs Linux (its hosts are namespaces of the kernel), and this is {platform.system()}: "
            "run it in a Linux virtual machine"
        )
    if os.geteuid() != 0:
        raise LabError(
            "the network lab needs root: its hosts are namespaces of the kernel; run it as root, or with sudo"
        )
    if not syscalls.known_machine():
        raise LabError(f"the network lab does not know the system calls of this machine ({platform.machine()})")
    if missing := [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]:
        raise LabError(
            f"the network lab needs {', '.join(missing)}: apt-get install -y --no-install-recommends {' '.join(missing)}, "
            "or ./scripts/install-network"
        )
    argv = [sys.executable, "-P", "-m", "drdrill.lab.network.kernel", str(image) if image else "-"]
    try:
        tried = subprocess.run(argv, capture_output=True, text=True, timeout=_TRYING_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"this machine did not show within {_TRYING_S:g} s whether the network lab can run") from error
    if tried.returncode:
        why = tried.stdout.strip() or (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LabError(f"the network lab cannot run here: {why}")


def _namespaces() -> None:
    syscalls.unshare(syscalls.NEWNS | syscalls.NEWNET | syscalls.NEWUTS | syscalls.NEWIPC | syscalls.NEWCGROUP)
    syscalls.mount("none", "/", None, syscalls.RECURSIVE | syscalls.PRIVATE)


def _overlay() -> None:
    base = tempfile.mkdtemp()
    try:
        syscalls.mount("tmpfs", base, "tmpfs", 0, "size=1m")
        for part in ("lower", "upper", "work", "root"):
            Path(base, part).mkdir()
        layers = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"
        syscalls.mount("overlay", f"{base}/root", "overlay", 0, layers)
        syscalls.detach(f"{base}/root")
        syscalls.detach(base)
    finally:
        Path(base).rmdir()


def _groups() -> None:
    group = cgroups.hierarchy() / f"drdrill-try-{os.getpid()}"
    group.mkdir()
    try:
        for file in ("cgroup.kill", "cgroup.freeze"):
            if not (group / file).exists():
                raise FileNotFoundError(f"its groups have no {file}; it came with Linux 5.14")
    finally:
        group.rmdir()


def _cables() -> None:
    # Names that ip(8) does not take for the beginning of one of its own words.
    lines = ["link add try-br type bridge mcast_snooping 0", "link add try-out type veth peer name try-in"]
    lines += ["link set try-out master try-br", "link set try-out type bridge_slave isolated on"]
    _run(["ip", "-batch", "-"], "".join(f"{line}\n" for line in lines))


def _nftables(image: str) -> None:
    if shutil.which("nft"):
        _run(["nft", "-f", "-"], _NFT)
    elif image != "-":
        _run(["chroot", image, "nft", "-f", "-"], _NFT)


def _inotify() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _INOTIFY + 50
    if most != resource.RLIM_INFINITY and most < wanted:
        raise OSError(f"only {most} files may be open (ulimit -n), and at least {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    libc, got = ctypes.CDLL(None, use_errno=True), 0
    while got < _INOTIFY and libc.inotify_init1(os.O_CLOEXEC) >= 0:
        got += 1
    if got < _INOTIFY:
        most = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
        raise OSError(
            f"its hosts take {_INOTIFY} inotify instances of root's, and {got} of {most} are free: "
            f"sysctl -w fs.inotify.max_user_instances={most + 128}"
        )


def _run(argv: Sequence[str], given: str) -> None:
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[0])


def main() -> None:
    """Try everything, say the first thing that is missing, and end with 1 then."""
    image = sys.argv[1]
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("", _inotify),
        ("cgroup v2 is needed (docker: --privileged --cgroupns=private)", _groups),
        ("the kernel gives no namespaces (docker: --privileged)", _namespaces),
        ("the kernel mounts no overlay", _overlay),
        ("the kernel makes no bridges and cables (modules bridge, veth)", _cables),
        (
            "the kernel has no nftables with timeouts (modules nf_tables, nft_set_hash; CONFIG_NF_TABLES_INET)",
            lambda: _nftables(image),
        ),
        # Last: the next child would be the first process of it, and after that one's end there can be no other.
        ("the kernel gives no pid namespaces (docker: --privileged)", lambda: syscalls.unshare(syscalls.NEWPID)),
    )
    for words, step in steps:
        try:
            step()
        except OSError as error:
            reason = error.strerror or str(error)
            print(f"{words}: {reason}" if words else reason)  # noqa: T201 - the caller reads it
            sys.exit(1)


if __name__ == "__main__":
    main()
