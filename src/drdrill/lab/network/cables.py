# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Networks and cables, in the supervisor's network namespace: every network is a bridge, every card of a host a veth.

A host that is switched off or hangs has its cables pulled, so a cut of power touches that host and no other, routers too.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drdrill.lab.network import topology

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BATCH_S: Final = 5.0
_MANAGEMENT: Final = "mgmt"


def lay() -> None:
    """Make the bridges of this network namespace, with the supervisor's own address on the management network."""
    for scope in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")
    lines = ["link set lo up"]
    for bridge in topology.bridges():
        # No waiting for spanning trees, and multicast (VRRP) flooded: a bridge that snoops drops it until it has learned.
        lines += [f"link add {bridge} type bridge forward_delay 0 mcast_snooping 0", f"link set {bridge} up"]
    _ip([*lines, f"addr add {topology.MANAGEMENT} dev {_MANAGEMENT}"])


def plug(hosts: Mapping[str, int]) -> None:
    """New cables for these hosts, whose PID 1 is given. Raises OSError."""
    # /sys/class/net would show the namespace that it was mounted in.
    have = {line.split(":")[0].strip() for line in Path("/proc/self/net/dev").read_text().splitlines() if ":" in line}
    nics = [(nic, pid) for host, pid in hosts.items() for nic in topology.nics(host)]
    # The namespace of a dead host may outlive it, with the old cable in it, and may end while we look.
    _ip([f"link del {nic.outer}" for nic, _ in nics if nic.outer in have], forgiving=True)
    lines = []
    for nic, pid in nics:
        lines += [
            f"link add {nic.outer} type veth peer name {nic.name} address {nic.mac} netns {pid}",
            f"link set {nic.outer} master {nic.bridge} up",
        ]
        if nic.bridge == _MANAGEMENT:
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


def around() -> tuple[int, list[dict[str, Any]]]:
    """Look for what joins networks and is no cable of the lab's: how many links there are, and those that do not belong.

    A cable that is plugged in elsewhere does not, and neither does one in the management network that is not isolated.

    Raises:
        OSError: it cannot be looked at.
    """
    argv = ["ip", "-json", "-details", "link", "show"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_BATCH_S, check=False)
    if done.returncode:
        raise OSError(f"ip: {' '.join(done.stderr.split())[-400:]}")
    cables = {nic.outer: (host, nic) for host in topology.HOSTS for nic in topology.nics(host)}
    links = json.loads(done.stdout)
    return len(links), [wrong for link in links if (wrong := _wrong(link, cables)) is not None]


def _wrong(link: Mapping[str, Any], cables: Mapping[str, tuple[str, topology.Nic]]) -> dict[str, Any] | None:
    name, plugged = str(link["ifname"]), link.get("master", "nothing")
    if name not in cables:
        own = plugged == "nothing" and name in {"lo", *topology.bridges()}
        return None if own else {"from": name, "to": plugged, "port": name}
    host, nic = cables[name]
    isolated = link.get("linkinfo", {}).get("info_slave_data", {}).get("isolated", False)
    if plugged == nic.bridge and (nic.bridge != _MANAGEMENT or isolated):
        return None
    return {"from": host, "to": plugged, "port": name}


def _ip(lines: list[str], *, forgiving: bool = False) -> None:
    """One call for all of them: the first and the last cable of a host are milliseconds apart."""
    if not lines:
        return
    argv = ["ip", *(["-force"] if forgiving else []), "-batch", "-"]
    text = "\n".join(lines) + "\n"
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_BATCH_S, check=False)
    if done.returncode and not forgiving:
        raise OSError(f"ip: {' '.join(done.stderr.split())[-400:]}")
