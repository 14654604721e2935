# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Networks and cables, in the supervisor's network namespace: every network is a bridge, every card of a host a veth.

A host that is switched off or hangs has its cables pulled, so a cut of power touches that host and no other, routers too.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.lab.network import topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BATCH_S: Final = 10.0


def lay() -> None:
    """Make the bridges of this network namespace, with the supervisor's own address on the management network."""
    for scope in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")
    lines = ["link set lo up"]
    for bridge in topology.bridges():
        # No waiting for spanning trees, and multicast (VRRP) flooded: a bridge that snoops drops it until it has learned.
        lines += [f"link add {bridge} type bridge forward_delay 0 mcast_snooping 0", f"link set {bridge} up"]
    _ip([*lines, f"addr add {topology.MANAGEMENT} dev mgmt"])


def plug(hosts: Mapping[str, int]) -> None:
    """New cables for these hosts, whose PID 1 is given. Raises OSError."""
    # /sys/class/net would show the namespace that it was mounted in.
    have = {line.split(":")[0].strip() for line in Path("/proc/self/net/dev").read_text().splitlines() if ":" in line}
    lines = []
    for host, pid in hosts.items():
        for nic in topology.nics(host):
            if nic.outer in have:  # The namespace of a dead host may outlive it, with the old cable in it.
                lines.append(f"link del {nic.outer}")
            lines += [
                f"link add {nic.outer} type veth peer name {nic.name} address {nic.mac} netns {pid}",
                f"link set {nic.outer} master {nic.bridge} up",
            ]
            if nic.bridge == "mgmt":
                # A port that is isolated reaches the bridge's own address and no other isolated port: management is no way
                # around a cut.
                lines.append(f"link set {nic.outer} type bridge_slave isolated on")
    _ip(lines)


def pull(hosts: Iterable[str]) -> None:
    """Nothing goes out of these hosts any more, and nothing in: no goodbye, and no answer to anything."""
    _ip([f"link set {nic.outer} down" for host in hosts for nic in topology.nics(host)], forgiving=True)


def put_back(hosts: Iterable[str]) -> None:
    """The opposite of `pull`."""
    _ip([f"link set {nic.outer} up" for host in hosts for nic in topology.nics(host)])


def strangers() -> list[str]:
    """What is in this network namespace besides the lab's own bridges and cables: a way around them."""
    own = {"lo", *topology.bridges(), *(nic.outer for host in topology.HOSTS for nic in topology.nics(host))}
    lines = Path("/proc/self/net/dev").read_text().splitlines()
    return sorted({line.split(":")[0].strip() for line in lines if ":" in line} - own)


def _ip(lines: list[str], *, forgiving: bool = False) -> None:
    """One call for all of them: the first and the last cable of a host are milliseconds apart."""
    if not lines:
        return
    argv = ["ip", *(["-force"] if forgiving else []), "-batch", "-"]
    text = "\n".join(lines) + "\n"
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_BATCH_S, check=False)
    if done.returncode and not forgiving:
        raise OSError(f"ip: {' '.join(done.stderr.split())[-400:]}")
