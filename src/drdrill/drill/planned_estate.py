# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What of an estate decides what is struck, as data for its plan. Pure, and never a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.drill.canonical import plain

if TYPE_CHECKING:
    from drdrill.estate.model import Database, Estate, Host, Service


def parts(estate: Estate) -> dict[str, Any]:
    """The parts by name. Objectives, probes and passwords are not among them."""
    return {
        "name": estate.name,
        "production": estate.production,
        "lab": estate.lab,
        "sites": {
            s.name: {"campus": s.campus, "votes_only": s.votes_only, "networks": list(s.networks)}
            for s in estate.sites.values()
        },
        "hosts": {host.name: _host(host) for host in estate.hosts.values()},
        "services": {service.name: _service(service) for service in estate.services.values()},
        "databases": {database.name: _database(database) for database in estate.databases.values()},
        "limits": plain(estate.limits),
    }


def _host(host: Host) -> dict[str, Any]:
    ways = {capability: [bare(way) for way in ways] for capability, ways in host.ways.items()}
    told = {"role": host.role, "site": host.site, "votes": host.votes, "addresses": list(host.addresses)}
    return {**told, "ways": ways}


def _service(service: Service) -> dict[str, Any]:
    return {
        "endpoints": {site: bare(url) for site, url in service.endpoints.items()},
        "hosts": {role: list(hosts) for role, hosts in service.hosts.items()},
        "database": service.database,
        "served_by": {"header": service.served_by_header, "writer": service.served_by_writer},
    }


def _database(database: Database) -> dict[str, Any]:
    return {"engine": database.engine, "nodes": sorted(database.nodes), "write": plain(database.write)}


def bare(way: str) -> str:
    """A way in or an endpoint without what may be a secret: its password, and what follows a question mark."""
    scheme, sep, rest = way.partition("://")
    if not sep:
        return way
    head = re.split("[/?#]", rest)[0]
    if "@" in head:
        user, _, host = head.rpartition("@")
        place = host + rest[len(head) :]
    elif "@" in rest and re.match(r"[^:\[]+:\D", head):
        # What stands where a port would is a password with a sign in it that belongs into no address.
        user, _, place = rest.rpartition("@")
    else:
        user, place = "", rest
    at = f"{re.split('[:/?#]', user)[0]}@" if user else ""
    return f"{scheme}://{at}{re.split('[?#]', place)[0]}"
