# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Who exists in the network lab and who is wired to what. Pure data: nothing here touches the machine.

A data network for each site and for the clients, 10.7N.0.0/24, each behind a router of its own; the routers are joined pairwise
by WAN links, 10.70.XY.0/30. Every host also has a leg in the management network 10.79.0.0/16, where it can talk to the lab's
supervisor and to no other host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NUMBER: Final = {"east": 1, "south": 2, "witness": 3, "client": 4}
"""The number of each data network, as it stands in addresses."""
SITES: Final = ("east", "south", "witness")
SERVING: Final = ("east", "south")
"""The sites with a database, an application and entries."""
WAN: Final = (
    ("east", "south"),
    ("east", "witness"),
    ("south", "witness"),
    ("east", "client"),
    ("south", "client"),
    ("witness", "client"),
)
"""The links between the routers."""
MANAGEMENT: Final = "10.79.0.1/16"
"""The supervisor's own address in the management network."""
ENTRY_ADDRESS: Final = {site: f"10.7{NUMBER[site]}.0.100" for site in SERVING}
"""The virtual address of each site's entries."""


@dataclass(frozen=True)
class Host:
    """A host. `site` is None for the client network outside; `network` is the data network that it is in.

    Args:
        services: what listens on it, by the name that `port` knows.
        octet: the last number of its addresses.
    """

    name: str
    site: str | None
    network: str
    role: str
    services: tuple[str, ...]
    octet: int

    @property
    def data(self) -> str:
        """Its address in the data network."""
        return f"10.7{NUMBER[self.network]}.0.{self.octet}"

    @property
    def management(self) -> str:
        """Its address in the management network."""
        return f"10.79.{NUMBER[self.network]}.{self.octet}"

    def port(self, service: str) -> int:
        """Where a service listens. Raises KeyError when this host has no such service."""
        if service not in self.services:
            raise KeyError(service)
        return 8080 if (self.role, service) == ("application", "http") else _PORTS[service]


@dataclass(frozen=True)
class Nic:
    """A network card of a host.

    Args:
        name: inside the host.
        outer: the name of the cable's other end, in the supervisor's namespace.
        bridge: what that end is plugged into.
        mac: fixed, so that the neighbours' ARP entries outlive a power cycle.
        address: with the length of its prefix.
    """

    name: str
    outer: str
    bridge: str
    mac: str
    address: str


_PORTS: Final = {"ssh": 22, "http": 80, "mariadb": 3306, "galera": 4567}


def _site(name: str) -> tuple[Host, ...]:
    return (
        Host(f"{name}-router", name, name, "router", ("ssh",), 1),
        Host(f"{name}-db1", name, name, "database", ("mariadb", "galera", "ssh"), 11),
        Host(f"{name}-app1", name, name, "application", ("http", "ssh"), 21),
        Host(f"{name}-lb1", name, name, "entry", ("http", "ssh"), 31),
        Host(f"{name}-lb2", name, name, "entry", ("http", "ssh"), 32),
        Host(f"{name}-probe", name, name, "probe", ("ssh",), 41),
    )


HOSTS: Final = {
    host.name: host
    for host in (
        *_site("east"),
        *_site("south"),
        Host("witness-router", "witness", "witness", "router", ("ssh",), 1),
        Host("witness-arb1", "witness", "witness", "arbitrator", ("galera", "ssh"), 11),
        Host("witness-probe", "witness", "witness", "probe", ("ssh",), 41),
        Host("client-router", None, "client", "router", ("ssh",), 1),
        Host("client", None, "client", "client", ("ssh",), 100),
    )
}
FOUNDER: Final = "east-db1"
"""The one host that founds the cluster, at its first boot only."""
VANTAGES: Final = {"client": "client", "east": "east-probe", "south": "south-probe"}
"""Where clients stand, and the host of that place."""


def with_role(role: str) -> tuple[Host, ...]:
    """All hosts of a role."""
    return tuple(host for host in HOSTS.values() if host.role == role)


def network(name: str) -> str:
    """A data network in prefix notation."""
    return f"10.7{NUMBER[name]}.0.0/24"


def wan_address(here: str, there: str) -> str:
    """The address of one network's router on its link to another's."""
    low, high = sorted((NUMBER[here], NUMBER[there]))
    return f"10.70.{low}{high}.{1 if NUMBER[here] == low else 2}"


def bridges() -> tuple[str, ...]:
    """Every network and every WAN link is a bridge."""
    return ("mgmt", *(f"sw-{name}" for name in NUMBER), *(_wan_bridge(*link) for link in WAN))


def nics(host: str) -> tuple[Nic, ...]:
    """The network cards of a host: management, data, and a router's WAN links."""
    found, number = HOSTS[host], list(HOSTS).index(host)
    legs = [("mgmt0", "mgmt", f"{found.management}/16"), ("data0", f"sw-{found.network}", f"{found.data}/24")]
    if found.role == "router":
        for there in _joined_to(found.network):
            address = f"{wan_address(found.network, there)}/30"
            legs.append((f"wan-{there}", _wan_bridge(found.network, there), address))
    return tuple(
        Nic(name, f"v{number}.{leg}", bridge, f"02:79:00:00:{number:02x}:{leg:02x}", address)
        for leg, (name, bridge, address) in enumerate(legs)
    )


def routes(host: str) -> tuple[tuple[str, str], ...]:
    """The routes of a host: destination and next hop."""
    found = HOSTS[host]
    if found.role != "router":
        return (("default", f"10.7{NUMBER[found.network]}.0.1"),)
    return tuple((network(there), wan_address(there, found.network)) for there in _joined_to(found.network))


def _joined_to(name: str) -> tuple[str, ...]:
    return tuple(b if name == a else a for a, b in WAN if name in (a, b))


def _wan_bridge(a: str, b: str) -> str:
    low, high = sorted((NUMBER[a], NUMBER[b]))
    return f"wan-{low}{high}"
