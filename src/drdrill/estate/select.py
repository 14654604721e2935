# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which hosts a sentence means. Pure: an estate and what was seen of it in, names out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drdrill.errors import BadInput

if TYPE_CHECKING:
    from drdrill.estate.model import Estate, Host, Service

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def hosts_at(estate: Estate, site: str) -> tuple[str, ...]:
    """All hosts of a site, in the order of the estate file."""
    return tuple(h.name for h in estate.hosts.values() if h.site == site)


def powered_at(estate: Estate, site: str) -> tuple[str, ...]:
    """The hosts that are lost with the power of a site. Its probe hosts are not: they are ours, and they measure."""
    return tuple(name for name in hosts_at(estate, site) if estate.hosts[name].role != "probe")


def linked_at(estate: Estate, site: str | None) -> tuple[str, ...]:
    """The hosts of a site that links can be cut of, or for None those outside. Routers are what links are made of."""
    return tuple(h.name for h in estate.hosts.values() if h.site == site and h.role != "router")


def pairs_across(estate: Estate, site: str, peer: str | None = None) -> tuple[tuple[str, str], ...]:
    """Every ordered pair of hosts that a cut of `site` breaks.

    With `peer` only the pairs between the two sites; without it the site is cut from every other place, the client
    network (hosts without a site) included.
    """
    inside = linked_at(estate, site)
    places = [p for p in ([peer] if peer is not None else [*estate.sites, None]) if p != site]
    outside = [host for place in places for host in linked_at(estate, place)]
    return tuple(pair for a in inside for b in outside for pair in ((a, b), (b, a)))


def candidates(estate: Estate, role: str, service: Service, site: str) -> tuple[str, ...]:
    """Every host that `the R host of service "S" at site "X"` could mean.

    Raises:
        BadInput: there is none, so the sentence can never be meant.
    """
    if role == "database":
        if service.database is None:
            raise BadInput(f'service "{service.name}" names no database, so it has no database host')
        names: tuple[str, ...] = tuple(estate.databases[service.database].nodes)
    else:
        names = service.hosts.get(role, ())
    found = tuple(n for n in names if estate.hosts[n].site == site)
    if not found:
        raise BadInput(f'service "{service.name}" has no {role} host at site "{site}"')
    return found


def vantage_at(estate: Estate, site: str | None) -> str | None:
    """The vantage point of a site, or of the client network for None; None when there is none."""
    return next((v.name for v in estate.vantage.values() if v.site == site), None)


def serving_sites(estate: Estate) -> tuple[str, ...]:
    """The sites that are not `votes_only`."""
    return tuple(s.name for s in estate.sites.values() if not s.votes_only)


def address_at(service: Service, site: str) -> str | None:
    """The address that clients use for a service at a site: what its endpoint names. None where it has none."""
    return urlsplit(service.endpoints[site]).hostname if site in service.endpoints else None


def lock_host(estate: Estate) -> str | None:
    """Where the lock of the estate is kept: the host that the file names, else the first with a shell at a site that only votes.

    None where there is no such host: then only the drills of one machine and one state folder see each other.
    """
    if estate.lock is not None:
        return estate.lock
    return next(
        (h.name for h in estate.hosts.values() if h.ways.get("shell") and h.site and estate.sites[h.site].votes_only),
        None,
    )


def own_shell(host: Host) -> bool:
    """Whether this host has a shell, and a system of its own behind it.

    One at a loopback address is a part of this machine, as every host of the pocket lab is: its files, services and clock are
    those of the machine.
    """
    urls = host.ways.get("shell", ())
    return bool(urls) and not any(urlsplit(url).hostname in _LOOPBACK for url in urls)
