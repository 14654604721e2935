# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Switches one host on: a cgroup and a set of namespaces, and in them systemd as PID 1. About 6 ms a host.

Called in the supervisor, which has one thread, so that a fork copies no lock that somebody else holds.

    supervisor -- fork --> joins the cgroup, unshares -- fork --> PID 1: mounts, waits for its cables, addresses, systemd
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from drdrill.lab.network import cgroups, mounts, syscalls, topology

if TYPE_CHECKING:
    from drdrill.lab.network.layout import Layout
    from drdrill.lab.network.topology import Host

_GO: Final = b"g"
_STEP_S: Final = 5.0
"""So long a host's first process may take to be there; it takes 6 ms. Who waits for it keeps everybody's leases."""
_NAMESPACES: Final = (
    syscalls.NEWNS | syscalls.NEWNET | syscalls.NEWUTS | syscalls.NEWIPC | syscalls.NEWCGROUP | syscalls.NEWPID
)
_ENVIRONMENT: Final = {
    "container": "drdrill",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
_SYSTEMD: Final = ("systemd", "--system", "--log-target=journal", "--log-level=notice", "--show-status=0")


@dataclass(frozen=True)
class Place:
    """Where the hosts of a lab are.

    Args:
        layout: of the lab.
        image: the shared root.
        folder: in the supervisor's mount namespace, where the disks are.
        cgroup: of the lab.
    """

    layout: Layout
    image: Path
    folder: Path
    cgroup: Path

    def cgroup_of(self, host: str) -> Path:
        """The cgroup of one host."""
        return self.cgroup / host


@dataclass(frozen=True)
class Started:
    """A host that waits for its cables. `pid` is its PID 1, as the supervisor numbers it; `gate` lets it go on."""

    pid: int
    gate: int

    def give_up(self) -> None:
        """There will be no cables: it ends."""
        os.close(self.gate)

    def go(self) -> None:
        """Its cables are plugged."""
        with contextlib.suppress(BrokenPipeError):  # It ended meanwhile; whoever waits for the dead will see that.
            os.write(self.gate, _GO)
        os.close(self.gate)


def start(place: Place, host: Host) -> Started:
    """Begin to switch a host on; it waits for its cables. Raises OSError with what went wrong in it."""
    cgroup = place.cgroup_of(host.name)
    cgroup.mkdir(exist_ok=True)
    said, say = os.pipe()
    wait, gate = os.pipe()
    between = os.fork()
    if between == 0:
        os.close(said)
        os.close(gate)
        _between(place, host, say, wait)
    os.close(say)
    os.close(wait)
    with os.fdopen(said, "rb", buffering=0) as words:
        ready, _, _ = select.select([words], [], [], _STEP_S)
        answer = words.read(1000).decode(errors="replace") if ready else f"it does not begin within {_STEP_S:g} s"
    if not answer.isdigit():
        os.close(gate)
        with contextlib.suppress(ProcessLookupError):
            os.kill(between, signal.SIGKILL)
        cgroups.kill(cgroup)
        raise OSError(f"{host.name} cannot be switched on: {answer or 'it said nothing'}")
    os.waitpid(between, 0)
    return Started(int(answer), gate)


def _between(place: Place, host: Host, say: int, wait: int) -> NoReturn:
    try:
        # Before its cgroup namespace is made: the cgroup that a process is in then is the root of what it sees.
        (place.cgroup_of(host.name) / "cgroup.procs").write_text("0")
        syscalls.unshare(_NAMESPACES)
        first = os.fork()
        if first == 0:
            os.close(say)
            _first(place, host, wait)
        os.write(say, str(first).encode())
    except BaseException as error:  # noqa: BLE001 - this process has nobody but the one that reads this pipe
        os.write(say, repr(error).encode())
    os._exit(0)


def _first(place: Place, host: Host, wait: int) -> NoReturn:
    """Become PID 1 of the host. What goes wrong stands in the host's log."""
    try:
        _own_log(place.layout.folder / f"{host.name}.log")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        root = mounts.make_root(place.folder, place.image, place.layout, host)
        socket.sethostname(host.name)
        if os.read(wait, 1) != _GO:
            os._exit(3)
        _network(root, host)
        _change_root(root)
        os.execve("/lib/systemd/systemd", _SYSTEMD, _ENVIRONMENT)  # noqa: S606 - no shell is wanted
    except BaseException:  # noqa: BLE001 - nothing above it may run on in a copy of the supervisor
        traceback.print_exc(file=sys.stderr)
        os._exit(9)


def _own_log(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open("/dev/null", os.O_RDONLY)
    for descriptor, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, number)
    os.setsid()


def _network(root: Path, host: Host) -> None:
    """Addresses and routes, with the root's own `ip`. /proc/sys/net follows the namespace of whoever writes."""
    for scope in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")
    lines = ["link set lo up"]
    for nic in topology.nics(host.name):
        lines += [f"addr add {nic.address} dev {nic.name}", f"link set {nic.name} up"]
    lines += [f"route add {to} via {hop}" for to, hop in topology.routes(host.name)]
    argv = ["chroot", str(root), "ip", "-batch", "-"]
    subprocess.run(argv, input="\n".join(lines) + "\n", text=True, check=True, timeout=10)
    if host.role == "router":
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _change_root(root: Path) -> None:
    os.chdir(root)
    Path("run/outside").mkdir()
    syscalls.pivot_root(".", "run/outside")
    os.chdir("/")
    syscalls.detach("/run/outside")
    Path("/run/outside").rmdir()
