# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Who answers for the address of a service: exactly one host should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers.one_holder import Heard
from drdrill.connect.capabilities import Look
from drdrill.errors import DrdrillError
from drdrill.estate.select import address_at, candidates

if TYPE_CHECKING:
    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate, Service


def shares_an_address(estate: Estate, service: Service, site: str) -> tuple[str, ...]:
    """The entry hosts of a site that take turns with the address of a service; none where they cannot be asked."""
    hosts = tuple(h for h in service.hosts.get("entry", ()) if estate.hosts[h].site == site)
    return hosts if len(hosts) > 1 and all(estate.hosts[h].ways.get("entry") for h in hosts) else ()


def heard(ways: Ways, service: Service, site: str) -> Heard:
    """The entry hosts that answer for the service's address at a site now, as their neighbours hear it; never raises for that."""
    address = address_at(service, site)
    if address is None:
        return Heard(words=f'service "{service.name}" has no endpoint at site "{site}"')
    try:
        hosts = candidates(ways.estate, "entry", service, site)
        return Heard(tuple(ways.entry(hosts).holders(address, hosts)))
    except (DrdrillError, OSError) as error:
        return Heard(words=str(error))


def held_once(estate: Estate, ways: Ways) -> dict[str, Look]:
    """For each address that entry hosts take turns with whether exactly one of them answers for it now."""
    found: dict[str, Look] = {}
    for service in estate.services.values():
        for site in service.endpoints:
            if shares_an_address(estate, service, site):
                look = heard(ways, service, site)
                answer = None if look.words else len(look.hosts) == 1
                found[f"{service.name} at {site}"] = Look(answer, f"{look} for {address_at(service, site)}")
    return found
