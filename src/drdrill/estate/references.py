# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""References between the parts of an estate file: what each name must point at. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drdrill.estate.schema import DatabasePart, EstatePart, ServicePart

_Finding = tuple[tuple[str | int, ...], str]


_KEY: Final = "<key>"
_NAMES: Final = (
    (("hosts", "*", "site"), "sites"),
    (("vantage", "*", "site"), "sites"),
    (("vantage", "*", "host"), "hosts"),
    (("lock",), "hosts"),
    (("services", "*", "endpoints", _KEY), "sites"),
    (("services", "*", "hosts", "*", "*"), "hosts"),
    (("services", "*", "database"), "databases"),
    (("services", "*", "served_by", "writer"), "databases"),
    (("databases", "*", "nodes", _KEY), "hosts"),
    (("databases", "*", "write", _KEY), "sites"),
)
"""Where names stand in the file, and what they name. `*` is every entry, `<key>` the keys themselves."""


def dangling(tree: Any) -> Iterator[_Finding]:
    """Every name that points at nothing: the place and the words. Needs no valid file, only what can be found in it."""
    for pattern, kind in _NAMES:
        known = tree.get(kind) or {}
        if not isinstance(known, dict):
            continue  # That it is no mapping is told already.
        for place, name in _found(tree, pattern, ()):
            if isinstance(name, str) and name not in known:
                yield place, _no(kind.removesuffix("s"), name, known)


def _found(
    node: Any, pattern: tuple[str, ...], place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if not pattern:
        yield place, node
        return
    step, *rest = pattern
    if step == _KEY:
        yield from (((*place, key), key) for key in node) if isinstance(node, dict) else ()
    elif step == "*" and isinstance(node, str) and not rest:
        yield place, node  # One name may stand where a list is meant.
    elif step == "*":
        entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, entry in entries:
            yield from _found(entry, tuple(rest), (*place, key))
    elif isinstance(node, dict) and step in node:
        yield from _found(node[step], tuple(rest), (*place, step))


def senseless(part: EstatePart) -> Iterator[_Finding]:
    """Every part of a valid file that makes no sense beside the others, and every name that means two things."""
    if part.lock in part.hosts and not part.hosts[part.lock].shell:
        yield ("lock",), f'host "{part.lock}" has no `shell`, so no lock can be kept there'
    for name, host in part.hosts.items():
        if host.site is None and host.role != "client":
            yield ("hosts", name), 'has no "site"; only a host of role client stands outside of all sites'
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
        if site in part.sites and part.sites[site].votes_only:
            yield (*at, "endpoints", site), f'site "{site}" only votes; it can serve nothing'
    yield from _service_hosts(part, at, service)
    by = service.served_by
    if (by.header is None) == (by.writer is None):
        yield (*at, "served_by"), "needs exactly one of `header` and `writer`"
    if service.latency >= service.rto:
        yield (*at, "latency"), "must be shorter than the RTO: a late answer is what an outage is made of"


def _service_hosts(part: EstatePart, at: tuple[str, ...], service: ServicePart) -> Iterator[_Finding]:
    for role, hosts in service.hosts.items():
        for index, host in enumerate(hosts):
            if host in part.hosts and part.hosts[host].role != role:
                yield (*at, "hosts", role, index), f'host "{host}" has role {part.hosts[host].role}, not {role}'


def _database(part: EstatePart, name: str, database: DatabasePart) -> Iterator[_Finding]:
    at = ("databases", name)
    for host in database.nodes:
        if host in part.hosts and part.hosts[host].role != "database":
            yield (*at, "nodes", host), f'host "{host}" has role {part.hosts[host].role}, not database'
    if isinstance(database.write, dict):
        for site, host in database.write.items():
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
