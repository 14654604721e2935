# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A way in for clients: of each service that is touched, an entry host is left, up and outside of all that is struck."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.drill.guards.guard import Guard, listed

if TYPE_CHECKING:
    from drdrill.drill.guards.guard import Case
    from drdrill.estate.model import Service


class Entries(Guard):
    """Of a service whose entry hosts the estate file does not name, an endpoint at a site that is not struck has to do."""

    name: ClassVar[str] = "entries"

    def before(self, case: Case) -> Look:
        """True when clients of each service that is touched have an entry left."""
        touched = [s for s in case.estate.services.values() if _touched(case, s)]
        looks = [_left(case, service) for service in touched]
        wrong = [look for look in looks if look.answer is not True]
        if wrong:
            return wrong[0]
        return Look(True, "; ".join(look.words for look in looks) or "no entry of a service is struck")

    def held(self, case: Case) -> Look | None:
        """The same, while an entry is struck."""
        return self.before(case) if any(_touched(case, s) for s in case.estate.services.values()) else None


def _touched(case: Case, service: Service) -> bool:
    return bool(set(service.hosts.get("entry", ())) & case.gone or set(service.endpoints) & case.sites)


def _left(case: Case, service: Service) -> Look:
    entries = service.hosts.get("entry", ())
    if not entries:
        sites = [site for site in service.endpoints if site not in case.sites]
        words = f"service {service.name} has its endpoint at {', '.join(sites) or 'no site'} left"
        return Look(bool(sites), words)
    seen = case.up(host for host in entries if host not in case.gone)
    good = [host for host, look in seen.items() if look.answer is True]
    if good:
        return Look(True, f"service {service.name} has {', '.join(good)} as entry left")
    why = f"; not there: {listed(seen)}" if seen else ""
    return Look(False, f"no entry of service {service.name} would be left{why}")
