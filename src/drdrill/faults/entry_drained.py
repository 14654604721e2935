# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A service that every site serves is moved to one of them: the entries of the others give their own servers no new work.

It is the planned move of an active-active estate. Nothing is down while it is in force, but it must not outlive its drill: a
site that is drained is a site that does not help when the other one fails. So it has a lease and a way back like any fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.errors import BadInput
from drdrill.faults.fault import Fault, Reach, Targets, Undo
from drdrill.faults.limits import way_back

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Entry, Lease, Pair, Renewal, Traffic
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import WhoWrites


@dataclass(frozen=True)
class EntryDrained(Fault):
    """`service "S" is switched over to site "X"`, where each site serves by itself."""

    service: str
    site: str

    name: ClassVar[str] = "entry-drained"
    needs: ClassVar[frozenset[str]] = frozenset({"entry"})
    takes_down: ClassVar[bool] = False
    first_lease_s: ClassVar[float] = 15.0
    """It cuts no way back, and a busy machine may need seconds for a command on each entry host."""

    @property
    def title(self) -> str:
        """The sentence."""
        return f'service "{self.service}" is switched over to site "{self.site}"'

    @classmethod
    def from_undo(cls, undo: Undo) -> EntryDrained:
        """From the words of the sentence, kept in `params`."""
        ways(undo)
        return cls(str(undo.params["service"]), str(undo.params["site"]))

    def refuses(self, estate: Estate) -> str | None:
        """A site that cannot take over."""
        service, site = estate.service_named(self.service), estate.site_named(self.site).name
        if not any(estate.hosts[host].site == site for host in service.hosts.get("application", ())):
            return (
                f'service "{service.name}" has no application host at site "{site}", so site "{site}" cannot take over'
            )
        return None

    def candidates(self, estate: Estate) -> Targets:
        """The entry hosts of every other site."""
        found = tuple(dict.fromkeys(entry for entry, _ in self._ways(estate)))
        service, site = estate.service_named(self.service), estate.site_named(self.site)
        if not found:
            raise BadInput(
                f'no other site than "{site.name}" has both an entry host and an application host of service '
                f'"{service.name}", so nothing can be drained'
            )
        return Targets(found, (), f"the entry hosts of service {service.name} that are not at site {site.name}")

    def choose(self, estate: Estate, who: WhoWrites) -> Targets:
        """The same at every moment."""
        del who
        return self.candidates(estate)

    def _ways(self, estate: Estate) -> list[Pair]:
        """Each entry host of another site with each application host of its own site."""
        service, site = estate.service_named(self.service), estate.site_named(self.site).name
        at = {host: estate.hosts[host].site for hosts in service.hosts.values() for host in hosts}
        entries, servers = (service.hosts.get(role, ()) for role in ("entry", "application"))
        return [(entry, server) for entry in entries for server in servers if at[entry] == at[server] != site]

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """What to drain, written out: a later change of the estate file must not change what is healed."""
        ways = [list(way) for way in self._ways(reach.estate)]
        params = {"service": self.service, "site": self.site, "ways": ways}
        return way_back(reach, self, targets, {"entry": entry(reach).name}, params)

    def offer(self, reach: Reach, undo: Undo) -> Traffic | None:
        """None: clients that are served elsewhere are the proof, and those are measured."""
        del reach, undo
        return None

    def inject(self, reach: Reach, undo: Undo) -> Lease:
        """Drain."""
        return entry(reach).drain(undo.hold, undo.drill, ways(undo), reach.lease_s, reach.hard_end_s)

    def took_hold(self, reach: Reach, undo: Undo) -> Look:
        """True when each of these entries gives its own servers nothing new."""
        return entry(reach).is_drained(undo.hold, ways(undo))

    def held(self, reach: Reach, undo: Undo) -> Look:
        """The same question, asked again."""
        return self.took_hold(reach, undo)

    def renew(self, reach: Reach, undo: Undo, lease_s: float) -> Renewal:
        """Extend the lease."""
        return entry(reach).renew(undo.hold, lease_s)

    def revert(self, reach: Reach, undo: Undo) -> Lease:
        """Give them work again."""
        return entry(reach).restore(undo.hold)

    def healed(self, reach: Reach, undo: Undo) -> Look:
        """True when none of them is drained by us and the hold is gone."""
        way = entry(reach)
        drained = way.is_drained(undo.hold, ways(undo))
        if undo.hold in way.holds(undo.drill):
            return Look(False, f"the hold {undo.hold} is still open; {drained.words}", drained.counts)
        return Look(None if drained.answer is None else not drained.answer, drained.words, drained.counts)


def entry(reach: Reach) -> Entry:
    """The way in that was chosen. Raises BadInput when the hold was built without one."""
    if reach.entry is None:
        raise BadInput("a drain needs a way in to the entry hosts, and none was chosen")
    return reach.entry


def ways(undo: Undo) -> tuple[Pair, ...]:
    """The pairs of entry host and server that this record drains and restores."""
    return tuple((str(a), str(b)) for a, b in undo.params["ways"])
