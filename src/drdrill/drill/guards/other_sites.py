# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The other sites are well: a service of which something is struck answers where nothing of it is struck."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.drill.estate_noun import answer
from drdrill.drill.guards.guard import Guard, listed
from drdrill.errors import DrdrillError
from drdrill.estate.select import vantage_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.drill.guards.guard import Case
    from drdrill.estate.model import Service


class OtherSites(Guard):
    """Asked as a client asks. While something is held services may be away, which is what is measured; their hosts may not."""

    name: ClassVar[str] = "other-sites"

    def before(self, case: Case) -> Look:
        """True when each service that is touched gives a good answer at one other site."""
        if case.quorum_lost:
            return Look(True, "quorum is lost on purpose already, so no service has to answer")
        looks = [
            _answers(case, s, sites) for s in case.estate.services.values() if (sites := _others(case, s)) is not None
        ]
        wrong = [look for look in looks if look.answer is not True]
        return wrong[0] if wrong else Look(True, "; ".join(look.words for look in looks) or "no service is touched")

    def held(self, case: Case) -> Look | None:
        """Whether, of services that are touched, each other site has an application host and an entry host up."""
        hosts: dict[str, list[str]] = {}
        for service in case.estate.services.values():
            for site in _others(case, service) or ():
                for role in ("application", "entry"):
                    these = [h for h in service.hosts.get(role, ()) if case.estate.hosts[h].site == site]
                    if these:
                        hosts[f"{role} host of service {service.name} at site {site}"] = these
        if not hosts:
            return None
        for what, these in hosts.items():
            seen = case.up(these)
            if not any(look.answer is True for look in seen.values()):
                return Look(False, f"no {what} is up: {listed(seen)}")
        return Look(True, f"up: {', '.join(h for these in hosts.values() for h in these)}")


def _others(case: Case, service: Service) -> Sequence[str] | None:
    """The sites at which nothing of it is struck, or, where something is struck everywhere, those that are not struck whole.

    None when nothing of it is struck at all.
    """
    hosts = {host for hosts in service.hosts.values() for host in hosts}
    hosts |= set(case.estate.databases[service.database].nodes) if service.database else set()
    struck = {str(case.estate.hosts[host].site) for host in hosts & case.gone} | (set(service.endpoints) & case.sites)
    if not struck:
        return None
    whole = [site for site in service.endpoints if site not in struck]
    return whole or [site for site in service.endpoints if site not in case.sites]


def _answers(case: Case, service: Service, sites: Sequence[str]) -> Look:
    if not sites:
        return Look(False, f"service {service.name} has no endpoint at a site that would not be struck")
    said = {site: _wrong(case, service, site) for site in sites}
    good = [site for site, wrong in said.items() if wrong is None]
    if good:
        return Look(True, f"service {service.name} answers at {', '.join(good)}")
    return Look(False, f"service {service.name} answers at no other site: {'; '.join(str(w) for w in said.values())}")


def _wrong(case: Case, service: Service, site: str) -> str | None:
    vantage = vantage_at(case.estate, None) or vantage_at(case.estate, site)
    if vantage is None:
        return f"no vantage point can ask it at site {site}"
    try:
        return answer(case.asks.vantages(), service, site, vantage)
    except DrdrillError as error:
        return str(error)
