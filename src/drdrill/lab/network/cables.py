# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Every network and every link between routers is a bridge in the supervisor's namespace; every card is a cable to one.

So a power cut, of a router too, touches nothing but that host. On the management bridge each cable is isolated from the others:
a host talks to the lab there and to no other host, and nothing goes around the links.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drdrill.lab.network.topology import HOSTS, MANAGEMENT, bridges, nics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drdrill.lab.network.topology import Nic

_LONGEST_S: Final = 5.0
_MANAGEMENT: Final = "mgmt"


class CableError(RuntimeError):
    """The kernel refused a change; the message has its words."""


def switches() -> None:
    """Make the bridges in this network namespace. Raises CableError, OSError."""
    for which in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1")
    lines = ["link set lo up"]
    for bridge in bridges():
        lines += [f"link add {bridge} type bridge forward_delay 0 mcast_snooping 0", f"link set {bridge} up"]
    batch([*lines, f"addr add {MANAGEMENT} dev {_MANAGEMENT}"])


def plug(hosts: Mapping[str, int]) -> None:
    """Lay the cables of these hosts, by the pid of their first process. Raises CableError."""
    # /sys would show the namespace that it was mounted in. A dead namespace can outlive its host, with the old cable in it.
    there = {line.split(":")[0].strip() for line in Path("/proc/self/net/dev").read_text().splitlines() if ":" in line}
    lines = []
    for host, pid in hosts.items():
        for nic in nics(host):
            if nic.outer in there:
                lines.append(f"link del {nic.outer}")
            lines.append(f"link add {nic.outer} type veth peer name {nic.name} address {nic.mac} netns {pid}")
            lines.append(f"link set {nic.outer} master {nic.bridge}")
            if nic.bridge == _MANAGEMENT:
                lines.append(f"link set {nic.outer} type bridge_slave isolated on")
            lines.append(f"link set {nic.outer} up")
    batch(lines)


def pull(hosts: Iterable[str]) -> None:
    """Take the outer ends of these hosts' cables down, all in one go. Raises CableError."""
    batch([f"link set {nic.outer} down" for host in hosts for nic in nics(host)])


def push(hosts: Iterable[str]) -> None:
    """Take them up again. Raises CableError."""
    batch([f"link set {nic.outer} up" for host in hosts for nic in nics(host)])


def batch(lines: Iterable[str], root: str | None = None) -> None:
    """Run commands of ip(8), in the root of a host where one is named. Raises CableError."""
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    argv = [*(["chroot", root] if root else []), "ip", "-batch", "-"]
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise CableError(f"ip did not end within {_LONGEST_S:g} s") from error
    if done.returncode:
        raise CableError(f"ip: {' | '.join(done.stderr.strip().splitlines()[-2:])}")


def around() -> tuple[int, list[dict[str, Any]]]:
    """Look for what joins namespaces and is no cable of the lab's: how many links were seen, and those that do not belong.

    Raises:
        CableError: it cannot be looked at.
    """
    argv = ["ip", "-json", "-details", "link", "show"]
    try:
        shown = subprocess.run(argv, capture_output=True, text=True, timeout=_LONGEST_S, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise CableError(f"the links of the lab cannot be listed: {error}") from error
    cables = {nic.outer: (host, nic) for host in HOSTS for nic in nics(host)}
    links = json.loads(shown.stdout)
    return len(links), [wrong for link in links if (wrong := _wrong(link, cables)) is not None]


def _wrong(link: dict[str, Any], cables: Mapping[str, tuple[str, Nic]]) -> dict[str, Any] | None:
    name = str(link["ifname"])
    if name == "lo" or name in bridges():
        return None
    if name not in cables:
        return {"from": "the lab's own namespace", "to": name, "port": link.get("master", "-")}
    host, nic = cables[name]
    isolated = link.get("linkinfo", {}).get("info_slave_data", {}).get("isolated", False)
    if link.get("master") == nic.bridge and (nic.bridge != _MANAGEMENT or isolated):
        return None
    return {"from": host, "to": link.get("master", "nowhere"), "port": name}
