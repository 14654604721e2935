# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a host sees as its file system: the shared root, with a layer of its own on its own disk, and what systemd expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.lab.network import host_files
from drdrill.lab.network import syscalls as sys

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.lab.network.layout import Layout
    from drdrill.lab.network.topology import Host

_DISK: Final = "mode=755,size=512m"
_KERNEL: Final = sys.NOSUID | sys.NODEV | sys.NOEXEC
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")


def disks(place: Path) -> Path:
    """Where the hosts' disks are, in the supervisor's mount namespace."""
    return place / "disks"


def insert_disk(place: Path, host: str) -> None:
    """Give a host its disk: a tmpfs that lives as long as the supervisor, whatever happens to the host's power."""
    disk = disks(place) / host
    disk.mkdir(parents=True)
    sys.mount("tmpfs", str(disk), "tmpfs", 0, _DISK)


def make_root(place: Path, image: Path, layout: Layout, host: Host) -> Path:
    """Mount all that the host sees, in a mount namespace of its own. Its root, which is not yet the root of the caller.

    Raises OSError. What is only this host's is written at its first boot: a power cycle keeps the disk.
    """
    sys.mount("none", "/", None, sys.REC | sys.PRIVATE)
    disk = disks(place) / host.name
    root = disk / "root"
    for folder in ("upper", "work", "root"):
        (disk / folder).mkdir(exist_ok=True)
    layers = f"lowerdir={escaped(image)},upperdir={escaped(disk / 'upper')},workdir={escaped(disk / 'work')}"
    sys.mount("overlay", str(root), "overlay", 0, layers)
    written = disk / "written"
    if not written.exists():
        host_files.write(root, host_files.files(layout, host))
        written.touch()
    _mount_kernel(root)
    _mount_devices(root / "dev")
    sys.mount("tmpfs", str(root / "run"), "tmpfs", sys.NOSUID | sys.NODEV, "mode=755,size=64m")
    sys.mount("tmpfs", str(root / "tmp"), "tmpfs", sys.NOSUID | sys.NODEV, "mode=1777,size=64m")
    return root


def escaped(path: Path) -> str:
    """A path as a value of overlay's options, in which colons and commas part."""
    return str(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def _mount_kernel(root: Path) -> None:
    proc, settings = str(root / "proc"), str(root / "proc/sys")
    sys.mount("proc", proc, "proc", _KERNEL)
    # Settings of the whole machine are among these: no host may write them.
    sys.mount(settings, settings, None, sys.BIND)
    sys.mount("none", settings, None, sys.REMOUNT | sys.BIND | sys.RDONLY | _KERNEL)
    sys.mount("sysfs", str(root / "sys"), "sysfs", sys.RDONLY | _KERNEL)
    sys.mount("cgroup2", str(root / "sys/fs/cgroup"), "cgroup2", _KERNEL)


def _mount_devices(dev: Path) -> None:
    sys.mount("tmpfs", str(dev), "tmpfs", sys.NOSUID, "mode=755,size=64k")
    for name in _DEVICES:  # Bound, not made: a container may not make device nodes.
        (dev / name).touch()
        sys.mount(f"/dev/{name}", str(dev / name), None, sys.BIND)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    terminals = "newinstance,ptmxmode=0666,mode=620,gid=5"
    sys.mount("devpts", str(dev / "pts"), "devpts", sys.NOSUID | sys.NOEXEC, terminals)
    sys.mount("tmpfs", str(dev / "shm"), "tmpfs", sys.NOSUID | sys.NODEV, "mode=1777")
    links = {
        "ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
        "stderr": "/proc/self/fd/2",
    }  # fmt: skip
    for name, to in links.items():
        (dev / name).symlink_to(to)
