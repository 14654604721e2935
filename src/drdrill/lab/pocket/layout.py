# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the pocket lab is made of: sites, hosts, services, and the port that each of them has.

Everything is on 127.0.0.1 by port. A service listens on a *private* port, which only its own host and the management path
use. Others meet it through a port of the supervisor: the *advertised* one, that third-party software is told and where the
supervisor finds out who calls, or the *link port* of one caller, that software of ours is told and where nothing has to be asked.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from drdrill.errors import LabError
from drdrill.estate import state
from drdrill.lab.folder import write_private

ESTATE: Final = "pocket"
DATABASE: Final = "clinical"
_LOWEST: Final = 10240
"""Below it are the ports of well-known servers."""


@dataclass(frozen=True)
class Host:
    """A host of the lab. `site` is None for the client network outside."""

    name: str
    site: str | None
    role: str
    services: tuple[str, ...]


def _site(name: str) -> tuple[Host, ...]:
    return (
        Host(f"{name}-db1", name, "database", ("pg", "rest", "raft", "echo")),
        Host(f"{name}-app1", name, "application", ("http", "echo")),
        Host(f"{name}-entry1", name, "entry", ("http", "echo")),
    )


HOSTS: Final = {
    host.name: host
    for host in (
        Host("witness-arb1", "witness", "arbitrator", ("raft", "echo")),
        *_site("east"),
        *_site("south"),
        Host("client", None, "client", ("echo",)),
    )
}
SITES: Final = ("east", "south", "witness")
VANTAGES: Final = {"client": None, "east": "east", "south": "south"}
"""Where clients stand, and at which site. A client at a site is an end of links of its own, named like its site."""
FOUNDER: Final = "east-db1"
"""The one host that may found the database cluster: two founders would race, and the loser would start over."""


def ends() -> tuple[str, ...]:
    """Everything that a link can join: the hosts, and the clients at the sites."""
    return (*HOSTS, *(name for name in VANTAGES if name not in HOSTS))


def reaches(source: str, target: Host, service: str) -> bool:
    """Whether the lab gives this source a link port to that service of that host.

    A client at a site has its own site's hosts, and the databases of the others: who writes into a database with one writer
    follows that writer. No cut of the site can be walked around through it: see `follow`.
    """
    if source in HOSTS:
        return source != target.name
    return target.site == VANTAGES[source] or service == "pg"


def follow(frozen: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What the clients at the sites lose when these pairs are frozen.

    A client at a site shares the way out of the site: it has lost a host elsewhere once every host of its site has.
    """
    lost = set()
    for source, site in VANTAGES.items():
        if source in HOSTS:
            continue
        beside = [host.name for host in HOSTS.values() if host.site == site]
        for far in (host.name for host in HOSTS.values() if host.site != site):
            if all((near, far) in frozen for near in beside):
                lost.add((source, far))
            if all((far, near) in frozen for near in beside):
                lost.add((far, source))
    return lost


def _port_names() -> list[str]:
    private = [f"{host.name}:{service}" for host in HOSTS.values() for service in (*host.services, "ssh")]
    # pysyncobj compares addresses as text, and the larger one calls the smaller one. The advertised ports stand in the order
    # of HOSTS, so the witness is called by both databases, and south calls east: see node.py on the order of a start.
    advertised = [
        f">{host.name}:{service}"
        for host in HOSTS.values()
        for service in host.services
        if service in ("pg", "rest", "raft")
    ]
    linked = [
        f"{source}>{host.name}:{service}"
        for source in ends()
        for host in HOSTS.values()
        for service in host.services
        if service != "raft" and reaches(source, host, service)
    ]
    return private + advertised + linked


@dataclass(frozen=True)
class Layout:
    """One lab on one machine: its folder, ports, passwords, timers and flaws."""

    folder: Path
    ports: dict[str, int]
    passwords: dict[str, str]
    ttl: int
    flaws: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def private(self, host: str, service: str) -> int:
        """Where the service itself listens."""
        return self.ports[f"{host}:{service}"]

    def advertised(self, host: str, service: str) -> int:
        """What third-party software is told; the supervisor asks who calls."""
        return self.ports[f">{host}:{service}"]

    def link(self, source: str, host: str, service: str) -> int:
        """What software at `source` is told. Raises KeyError where there is no such link."""
        return self.ports[f"{source}>{host}:{service}"]

    def home(self, host: str) -> Path:
        """The host's folder: every one of its processes has its cwd there."""
        return self.folder / host

    def save(self) -> None:
        """Write `layout.json` (the lab's own) and `lab.json` (what an estate file may name), both for the owner only."""
        write_private(self.folder / "layout.json", json.dumps(asdict(self) | {"folder": str(self.folder)}, indent=1))
        named: dict[str, Any] = {_flat(name): port for name, port in self.ports.items()}
        named |= {f"{name}_password": password for name, password in self.passwords.items()}
        named["ssh_config"] = str(self.folder / "ssh_config")
        write_private(self.folder / "lab.json", json.dumps(named, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Layout:
        """Read what `save` wrote. Raises OSError, ValueError."""
        data = json.loads((folder / "layout.json").read_text())
        return cls(
            folder=folder,
            ports=data["ports"],
            passwords=data["passwords"],
            ttl=data["ttl"],
            flaws=tuple(data["flaws"]),
            notes=tuple(data["notes"]),
        )


def _flat(name: str) -> str:
    """`east-db1:pg` is `east_db1_pg`, `>east-db1:pg` is `to_east_db1_pg`, `client>east-db1:pg` is `client_to_east_db1_pg`."""
    return name.replace(">", "-to-").strip("-").replace("-", "_").replace(":", "_")


def new_passwords() -> dict[str, str]:
    """Fresh passwords: for each account of the database, for the votes between its members, for Patroni's interface."""
    return {
        name: secrets.token_urlsafe(18)
        for name in ("postgres", "replicator", "registration", "drdrill", "raft", "patroni")
    }


def free_ports(folder: Path) -> dict[str, int]:
    """A block of ports, proven free, below the range from which the kernel takes ports for outgoing connections.

    A leftover on one of these ports would silently answer for this lab. The search starts at a place that depends on the
    folder, so that two labs that start at the same time do not look at the same block first.

    Raises:
        LabError: there is no such block.
    """
    names = _port_names()
    if not _loopback_carries():
        raise LabError("127.0.0.1 carries nothing here, and the lab lives on it: ip link set lo up")
    size = -(-len(names) // 64) * 64
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ceiling = first if first - _LOWEST >= 2 * size else 65536 - size
    blocks = (ceiling - _LOWEST) // size
    start = zlib.crc32(os.fsencode(folder)) % blocks
    for step in range(blocks):
        base = _LOWEST + (start + step) % blocks * size
        if all(_is_free(port) for port in range(base, base + len(names))):
            return {name: base + number for number, name in enumerate(names)}
    raise LabError(
        f"no {len(names)} free ports in a row between {_LOWEST} and {ceiling} on 127.0.0.1; stop what listens there"
    )


def _loopback_carries() -> bool:
    """Whether a connection on 127.0.0.1 comes about; in a fresh network namespace one can listen there, and no more."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 2.0):
            return True
    except OSError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def lab_folder() -> Path:
    """`${DRDRILL_STATE:-$XDG_STATE_HOME/drdrill}/pocket/lab`, resolved, whether it exists or not."""
    return (state.folder(ESTATE) / "lab").resolve()
