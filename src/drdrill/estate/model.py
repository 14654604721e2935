# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The estate: campuses, sites, hosts, services, databases, and the objectives promised for them.

Plain immutable records without any reading or checking: `load` makes them from a file, everything else only reads them.
Names are the canonical ones of the estate file; `aka` names are resolved by `Estate.site_named` and its siblings.
All durations are seconds, as floats, with `_s` at the end of their names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Role = Literal["database", "application", "entry", "arbitrator", "client", "probe", "router"]


@dataclass(frozen=True)
class Site:
    """A data center. A `votes_only` site holds a vote and nothing that a client uses. `networks` are its address ranges."""

    name: str
    campus: str
    votes_only: bool = False
    aka: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vantage:
    """A place where probes and writers run. `site` is None for the client network."""

    name: str
    at: str
    site: str | None = None
    host: str | None = None


@dataclass(frozen=True)
class Host:
    """A machine.

    `ways` holds, for each capability, the ways in in the order in which they are tried: names, or URLs whose scheme is the
    name. `addresses` are those of its own traffic, not the one by which it is managed.
    """

    name: str
    role: Role
    site: str | None = None
    ways: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    votes: bool = False
    addresses: tuple[str, ...] = ()

    def ways_in(self, capability: str) -> tuple[str, ...]:
        """The names of the ways in to this capability, in order."""
        return tuple(way.partition("://")[0] for way in self.ways.get(capability, ()))

    def url_of(self, capability: str, name: str) -> str | None:
        """What the estate file says of the way in of that name: its URL; None where it is a bare name."""
        return next((way for way in self.ways.get(capability, ()) if way.startswith(f"{name}://")), None)


@dataclass(frozen=True)
class HttpProbe:
    """One timed attempt of a client, and what a good answer is. `expect_json` must be contained in the answer."""

    method: str = "GET"
    path: str = "/"
    expect_status: int = 200
    expect_json: Mapping[str, Any] | None = None
    rate_hz: float = 20.0


@dataclass(frozen=True)
class HttpWrite:
    """How one numbered write goes through a service. `{key}` in path and body is the write's key."""

    path: str
    body: str
    method: str = "POST"
    ok: int = 201
    content_type: str = "application/json"


@dataclass(frozen=True)
class Service:
    """What a client uses. `endpoints` maps a site to the one URL that the estate knows for it."""

    name: str
    endpoints: Mapping[str, str]
    probe: HttpProbe
    rto_s: float
    latency_s: float
    stable_s: float
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    database: str | None = None
    served_by_header: str | None = None
    served_by_writer: str | None = None
    write: HttpWrite | None = None
    aka: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table whose rows prove that a write survived. `key` is the column of the client-assigned key."""

    name: str
    key: str


@dataclass(frozen=True)
class Database:
    """A replicated database. `nodes` maps a host to what its engine needs to reach it (dsn, patroni, ...).

    `write` is "writer" (whoever may write now) or a mapping from site to the host that its clients write to. `latency_s` is
    how long a client of the database itself waits for an answer.
    """

    name: str
    engine: str
    nodes: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, Table]
    rpo_s: float
    fencing_s: float
    recovery_s: float
    write: Literal["writer"] | Mapping[str, str] = "writer"
    aka: tuple[str, ...] = ()
    latency_s: float = 1.0

    @property
    def addresses(self) -> Mapping[str, str]:
        """The URL at which clients reach each member, for the members that have one in the estate file."""
        return {host: node["address"] for host, node in self.nodes.items() if "address" in node}


@dataclass(frozen=True)
class Limits:
    """What a drill may do to this estate at most."""

    sites_down: int = 1
    hosts_down: int = 1
    longest_fault_s: float = 600.0


@dataclass(frozen=True)
class Ssh:
    """How hosts are reached by SSH: a file as for `ssh -F`, and whether root's right is got by sudo."""

    config: str | None = None
    sudo: bool = False


@dataclass(frozen=True)
class Estate:
    """All of it. `lab` names the embedded lab that this estate is, or None. `path` is the file that it came from.

    `lock` is the host that the file names for the lock; `select.lock_host` says which host keeps it.
    """

    name: str
    sites: Mapping[str, Site]
    hosts: Mapping[str, Host]
    services: Mapping[str, Service]
    databases: Mapping[str, Database]
    vantage: Mapping[str, Vantage]
    limits: Limits
    path: Path
    lab: str | None = None
    enter: str | None = None
    production: bool = False
    ssh: Ssh = Ssh()
    lock: str | None = None

    def site_named(self, name: str) -> Site:
        """The site of that name or aka.

        Raises:
            BadInput: nothing has this name; the message lists what has.
        """
        return _named("site", name, self.sites.values())

    def service_named(self, name: str) -> Service:
        """The service of that name or aka. Raises BadInput like `site_named`."""
        return _named("service", name, self.services.values())

    def database_named(self, name: str) -> Database:
        """The database of that name or aka. Raises BadInput like `site_named`."""
        return _named("database", name, self.databases.values())

    def host_named(self, name: str) -> Host:
        """The host of that name. Raises BadInput like `site_named`."""
        return _named("host", name, self.hosts.values())


_T = TypeVar("_T", Site, Service, Database, Host)


def _named(kind: str, name: str, things: Iterable[_T]) -> _T:
    things = list(things)
    for thing in things:
        if name == thing.name or name in getattr(thing, "aka", ()):
            return thing
    known = ", ".join(f'"{t.name}"' for t in things) or "none"
    raise BadInput(f'no {kind} is called "{name}" in this estate; it has {known}')
