# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is left carries the load, by what the estate file says that each site carries of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from drdrill.connect.capabilities import Look
from drdrill.drill.guards.guard import Guard

if TYPE_CHECKING:
    from drdrill.drill.guards.guard import Case
    from drdrill.estate.model import Service

ALL: Final = 100.0
"""Percent."""


class Capacity(Guard):
    """`carries` of a service: percent of its whole load that a site carries alone. Where nobody says it, nothing is refused."""

    name: ClassVar[str] = "capacity"

    def before(self, case: Case) -> Look:
        """True when the sites that are left carry everything, by the estate file."""
        touched = [s for s in case.estate.services.values() if _struck(case, s)]
        looks = [_carried(case, service) for service in touched]
        wrong = [look for look in looks if look.answer is not True]
        if wrong:
            return wrong[0]
        return Look(True, "; ".join(look.words for look in looks) or "nothing that serves is struck")

    def held(self, case: Case) -> None:
        """Nothing: what the file says does not change meanwhile, and hosts that fail are read by others."""
        del case


def _struck(case: Case, service: Service) -> bool:
    hosts = {host for hosts in service.hosts.values() for host in hosts}
    return bool(hosts & case.gone or set(service.endpoints) & case.sites)


def _carried(case: Case, service: Service) -> Look:
    if not service.carries:
        return Look(True, f"the estate file does not say what the sites carry of service {service.name} (`carries:`)")
    left = {site: percent * _share(case, service, site) for site, percent in service.carries.items()}
    total = sum(left.values())
    said = ", ".join(f"{site} {percent:g} %" for site, percent in left.items())
    words = f"what is left carries {total:g} % of the load of service {service.name} ({said})"
    return Look(total >= ALL, words, {"carried": total})


def _share(case: Case, service: Service, site: str) -> float:
    """How much of a site's part is left: nothing without an entry; of its application hosts those that are not struck."""
    if site in case.sites:
        return 0.0
    at = {
        r: [h for h in service.hosts.get(r, ()) if case.estate.hosts[h].site == site] for r in ("entry", "application")
    }
    if at["entry"] and set(at["entry"]) <= case.gone:
        return 0.0
    serving = at["application"]
    return 1.0 if not serving else sum(host not in case.gone for host in serving) / len(serving)
