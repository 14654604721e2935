# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""References between the parts of an estate file: what each name must point at. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drdrill.estate.schema import DatabasePart, EstatePart, ServicePart

_Finding = tuple[tuple[str | int, ...], str]


def dangling(part: EstatePart) -> Iterator[_Finding]:
    """Every name that points at nothing, and every name that means two things: the place and the words."""
    for name, host in part.hosts.items():
        if host.site is not None and host.site not in part.sites:
            yield ("hosts", name, "site"), _no("site", host.site, part.sites)
        elif host.site is None and host.role != "client":
            yield ("hosts", name), 'has no "site"; only a host of role client stands outside of all sites'
    for name, vantage in part.vantage.items():
        if vantage.site is not None and vantage.site not in part.sites:
            yield ("vantage", name, "site"), _no("site", vantage.site, part.sites)
        if vantage.host is not None and vantage.host not in part.hosts:
            yield ("vantage", name, "host"), _no("host", vantage.host, part.hosts)
    if all(v.site is not None for v in part.vantage.values()):
        yield (
            ("vantage",),
            "has no place on the client network (one without a site); the client's strip is what is judged",
        )
    for name, service in part.services.items():
        yield from _service(part, name, service)
    for name, database in part.databases.items():
        yield from _database(part, name, database)
    yield from _twice("sites", part.sites.items())
    yield from _twice("services", part.services.items())
    yield from _twice("databases", part.databases.items())


def _service(part: EstatePart, name: str, service: ServicePart) -> Iterator[_Finding]:
    at = ("services", name)
    for site in service.endpoints:
        if site not in part.sites:
            yield (*at, "endpoints", site), _no("site", site, part.sites)
        elif part.sites[site].votes_only:
            yield (*at, "endpoints", site), f'site "{site}" only votes; it can serve nothing'
    yield from _service_hosts(part, at, service)
    if service.database is not None and service.database not in part.databases:
        yield (*at, "database"), _no("database", service.database, part.databases)
    by = service.served_by
    if (by.header is None) == (by.writer is None):
        yield (*at, "served_by"), "needs exactly one of `header` and `writer`"
    elif by.writer is not None and by.writer not in part.databases:
        yield (*at, "served_by", "writer"), _no("database", by.writer, part.databases)
    if service.latency >= service.rto:
        yield (*at, "latency"), "must be shorter than the RTO: a late answer is what an outage is made of"


def _service_hosts(part: EstatePart, at: tuple[str, ...], service: ServicePart) -> Iterator[_Finding]:
    for role, hosts in service.hosts.items():
        for index, host in enumerate(hosts):
            if host not in part.hosts:
                yield (*at, "hosts", role, index), _no("host", host, part.hosts)
            elif part.hosts[host].role != role:
                yield (*at, "hosts", role, index), f'host "{host}" has role {part.hosts[host].role}, not {role}'


def _database(part: EstatePart, name: str, database: DatabasePart) -> Iterator[_Finding]:
    at = ("databases", name)
    for host in database.nodes:
        if host not in part.hosts:
            yield (*at, "nodes", host), _no("host", host, part.hosts)
        elif part.hosts[host].role != "database":
            yield (*at, "nodes", host), f'host "{host}" has role {part.hosts[host].role}, not database'
    if isinstance(database.write, dict):
        for site, host in database.write.items():
            if site not in part.sites:
                yield (*at, "write", site), _no("site", site, part.sites)
            if host not in database.nodes:
                yield (*at, "write", site), _no("node of this database", host, database.nodes)


def _twice(kind: str, named: Iterable[tuple[str, object]]) -> Iterator[_Finding]:
    seen: dict[str, str] = {}
    for name, thing in named:
        for word in (name, *getattr(thing, "aka", ())):
            if word in seen:
                yield (kind, name), f'"{word}" already means {seen[word]}; one word has one meaning'
            seen[word] = name


def _no(kind: str, name: str, known: Iterable[str]) -> str:
    return f'there is no {kind} "{name}"; the file has {", ".join(known) or "none"}'
