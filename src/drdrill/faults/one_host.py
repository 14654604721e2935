# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What faults of one host share: which host is meant, by its role, decided at the moment of the strike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drdrill.errors import Refused
from drdrill.estate.select import candidates
from drdrill.faults.fault import Targets

if TYPE_CHECKING:
    from drdrill.estate.model import Estate, Service
    from drdrill.faults.fault import WhoWrites


@dataclass(frozen=True)
class OneHost:
    """Half of a fault: `the R host of service "S" at site "X"`; R is database, application or entry."""

    role: str
    service: str
    site: str

    most: ClassVar[int | None] = 1

    @property
    def words(self) -> dict[str, str]:
        """The words of the sentence, as they are kept in the undo record."""
        return {"role": self.role, "service": self.service, "site": self.site}

    def refuses(self, estate: Estate) -> str | None:
        """Limits."""
        if estate.limits.hosts_down < 1:
            return f"{estate.path}: limits.hosts_down is {estate.limits.hosts_down}, so no host may be lost"
        return None

    def candidates(self, estate: Estate) -> Targets:
        """Every host of that role, service and site. It strikes no site: its endpoint stays judged, that is the promise."""
        service, site = estate.service_named(self.service), estate.site_named(self.site).name
        hosts = candidates(estate, self.role, service, site)
        return Targets(hosts, (), f"the {self.role} hosts of service {service.name} at site {site}")

    def choose(self, estate: Estate, who: WhoWrites) -> Targets:
        """The one host that is meant now.

        Raises:
            Refused: the writer is elsewhere, or it cannot be told which host is meant.
        """
        hosts = self.candidates(estate).hosts
        service, site = estate.service_named(self.service), estate.site_named(self.site).name
        if self.role == "database":
            host = _written_to(estate, service, site, who)
            return Targets((host,), (), f"{host} is what service {service.name} writes to at site {site}")
        if self.role == "entry" and len(hosts) > 1:
            holder = who.holder(service.name, site)
            if holder is None:
                raise Refused(
                    f"not exactly one of the entry hosts {', '.join(hosts)} answers for the address of service {service.name} "
                    f"at site {site} now, so no host is meant"
                )
            return Targets((holder,), (), f"{holder} answers for the address of service {service.name} at site {site}")
        return Targets(
            hosts[:1], (), f"{hosts[0]} is the first {self.role} host of service {service.name} at site {site}"
        )


def _written_to(estate: Estate, service: Service, site: str, who: WhoWrites) -> str:
    """The database host that the service writes to at a site. Raises Refused when there is none."""
    database = estate.databases[str(service.database)]
    if database.write == "writer":
        writer = who.writer(database.name)
        if writer is None:
            raise Refused(f"database {database.name} has no single writer now, so no host of it is meant")
        at = estate.hosts[writer].site
        if at != site:
            raise Refused(
                f"the writer of database {database.name} is {writer} at site {at}, not at site {site}; "
                f'begin with service "{service.name}" is served by site "{site}", or strike at site "{at}"'
            )
        return writer
    host = database.write.get(site)
    if host is None:
        raise Refused(f"service {service.name} writes to no database host at site {site}")
    return host
