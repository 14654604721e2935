# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One host from nothing to its systemd: namespaces, a root of its own over the shared one, its cards, and then exec.

Called in the supervisor, which has one thread, so that fork is safe. The host's disk is a tmpfs that the supervisor mounted: it
outlives a power cut.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.lab.network import cables, cgroups, host_files, syscalls
from drdrill.lab.network.syscalls import NODEV, NOEXEC, NOSUID, mount
from drdrill.lab.network.topology import HOSTS, nics, routes

if TYPE_CHECKING:
    from drdrill.lab.network.layout import Layout

STEP_S: Final = 5.0
"""So long each step of a start may take; on a quiet machine all of them take 50 ms."""
_SYSTEMD: Final = (
    *("/lib/systemd/systemd", "--system", "--log-target=journal"),
    *("--log-level=notice", "--show-status=0"),
)
_ENVIRONMENT: Final = {
    "container": "drdrill",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
_DEV_LINKS: Final = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}


class HostError(RuntimeError):
    """A host cannot be started; the message names it and says why."""


@dataclass
class Starting:
    """A host whose first process waits for its cables.

    Args:
        pid: of that process, in the supervisor's pid namespace.
        gate: written to once the cables are there.
        words: closed by the kernel when systemd begins; says before what went wrong.
    """

    name: str
    pid: int
    gate: int
    words: int

    def go(self) -> None:
        """The cables are there."""
        os.write(self.gate, b"g")
        os.close(self.gate)

    def wait(self) -> None:
        """Wait until its systemd has begun. Raises HostError."""
        try:
            if said := _read(self.name, self.words):
                raise HostError(f"{self.name} does not start: {said}")
        finally:
            os.close(self.words)


def start(name: str, group: Path, image: Path, disk: Path, layout: Layout) -> Starting:
    """Make the host's namespaces and its first process, which waits for the cables. Raises HostError, OSError."""
    said, words_in = os.pipe()
    gate_out, gate_in = os.pipe()
    pid_out, pid_in = os.pipe()
    middle = os.fork()
    if middle == 0:
        # Between the supervisor and the first process, since a pid namespace begins with the next child.
        try:
            cgroups.join(group)  # Before NEWCGROUP: this is the root of what the host sees.
            syscalls.unshare(
                syscalls.NEWNS
                | syscalls.NEWNET
                | syscalls.NEWUTS
                | syscalls.NEWIPC
                | syscalls.NEWCGROUP
                | syscalls.NEWPID
            )
            first = os.fork()
            if first:
                os.write(pid_in, str(first).encode())
                os._exit(0)
            os.close(gate_in)
            _become(name, image, disk, layout, gate_out)
        except BaseException as error:  # noqa: BLE001 - this process must never return into the supervisor's code
            traceback.print_exc()
            os.write(words_in, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(1)
    for descriptor in (words_in, gate_out, pid_in):
        os.close(descriptor)
    try:
        number = _read(name, pid_out)
        if not number:
            raise HostError(f"{name} does not start: {_read(name, said) or 'no reason given'}")  # noqa: TRY301
    except BaseException:
        os.close(said)
        os.close(gate_in)
        raise
    finally:
        os.close(pid_out)
    return Starting(name, int(number), gate_in, said)


def _read(name: str, descriptor: int) -> str:
    """What comes until the other end is closed, or the first of it. Raises HostError when nothing comes in time."""
    ready, _, _ = select.select([descriptor], [], [], STEP_S)
    if not ready:
        raise HostError(f"{name} does not start within {STEP_S:g} s")
    return os.read(descriptor, 2000).decode(errors="replace")


def _become(name: str, image: Path, disk: Path, layout: Layout, gate: int) -> None:
    """Turn the calling process into the host's systemd. Returns only by an exception."""
    log = os.open(layout.folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open("/dev/null", os.O_RDONLY)
    for descriptor, number in ((null, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, number)
    os.setsid()
    signal.set_wakeup_fd(-1)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(signum, signal.SIG_DFL)
    root = _root(name, image, disk, layout)
    socket.sethostname(name)
    if os.read(gate, 1) != b"g":
        raise HostError("the supervisor gave it up")
    _network(name, root)
    os.chdir(root)
    Path("run/old").mkdir()
    syscalls.pivot_root(".", "run/old")
    os.chdir("/")
    syscalls.detach("/run/old")
    Path("/run/old").rmdir()
    os.execve(_SYSTEMD[0], _SYSTEMD, _ENVIRONMENT)  # noqa: S606 - it becomes the host's first process


def _root(name: str, image: Path, disk: Path, layout: Layout) -> str:
    """Mount the host's root. Its own files are written before the first boot only."""
    mount("none", "/", None, syscalls.RECURSIVE | syscalls.PRIVATE)
    for part in ("upper", "work", "root"):
        (disk / part).mkdir(exist_ok=True)
    root = str(disk / "root")
    layers = f"lowerdir={_escaped(image)},upperdir={_escaped(disk / 'upper')},workdir={_escaped(disk / 'work')}"
    mount("overlay", root, "overlay", 0, layers)
    if not (disk / "written").exists():
        host_files.write(Path(root), host_files.files(layout, HOSTS[name]))
        (disk / "written").touch()
    kernel = NOSUID | NODEV | NOEXEC
    mount("proc", f"{root}/proc", "proc", kernel)
    mount(f"{root}/proc/sys", f"{root}/proc/sys", None, syscalls.BIND)
    mount("none", f"{root}/proc/sys", None, syscalls.REMOUNT | syscalls.BIND | syscalls.RDONLY | kernel)
    mount("sysfs", f"{root}/sys", "sysfs", syscalls.RDONLY | kernel)
    mount("cgroup2", f"{root}/sys/fs/cgroup", "cgroup2", kernel)
    _devices(root)
    mount("tmpfs", f"{root}/run", "tmpfs", NOSUID | NODEV, "mode=755,size=64m")
    mount("tmpfs", f"{root}/tmp", "tmpfs", NOSUID | NODEV, "mode=1777,size=64m")  # noqa: S108
    return root


def _devices(root: str) -> None:
    mount("tmpfs", f"{root}/dev", "tmpfs", NOSUID, "mode=755,size=64k")
    for device in _DEVICES:
        Path(root, "dev", device).touch()
        mount(f"/dev/{device}", f"{root}/dev/{device}", None, syscalls.BIND)
    for folder in ("pts", "shm"):
        Path(root, "dev", folder).mkdir()
    mount("devpts", f"{root}/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5")
    mount("tmpfs", f"{root}/dev/shm", "tmpfs", NOSUID | NODEV, "mode=1777")  # noqa: S108
    for link, target in _DEV_LINKS.items():
        Path(root, "dev", link).symlink_to(target)


def _network(name: str, root: str) -> None:
    """Give the cards their addresses. /proc is still the supervisor's, but /proc/sys/net follows whoever reads it."""
    for which in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1")
    lines = ["link set lo up"]
    for nic in nics(name):
        lines += [f"addr add {nic.address} dev {nic.name}", f"link set {nic.name} up"]
    cables.batch([*lines, *(f"route add {to} via {hop}" for to, hop in routes(name))], root)
    if HOSTS[name].role == "router":
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _escaped(path: Path) -> str:
    """A path as a value of overlay's options, in which colons and commas part."""
    return str(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
