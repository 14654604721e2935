# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A campus loses its links to every other place. Its sites still reach each other: they are one side of the cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drdrill.errors import BadInput
from drdrill.estate.select import linked_at
from drdrill.faults.fault import Fault, Reach, Targets, Undo
from drdrill.faults.limits import campus_may_go, way_back
from drdrill.faults.link_cut import LinkCut, links

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Pair
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import WhoWrites


@dataclass(frozen=True)
class CampusIsolated(LinkCut, Fault):
    """`campus "C" is isolated`. Counts against limits.campuses_down, and not against limits.sites_down.

    The client network is outside, whoever lives there. A campus that holds most of the votes goes on by itself behind the cut.
    """

    campus: str

    name: ClassVar[str] = "campus-isolated"

    @property
    def title(self) -> str:
        """The sentence."""
        return f'campus "{self.campus}" is isolated'

    @classmethod
    def from_undo(cls, undo: Undo) -> CampusIsolated:
        """From the word of the sentence, kept in `params`."""
        return cls(str(undo.params["campus"]))

    def refuses(self, estate: Estate) -> str | None:
        """Limits."""
        return campus_may_go(estate, self.campus)

    def candidates(self, estate: Estate) -> Targets:
        """All hosts of its sites, but for their routers."""
        sites = estate.sites_of(self.campus)
        hosts = tuple(host for site in sites for host in linked_at(estate, site))
        if not hosts or not _across(estate, sites):
            raise BadInput(f'campus "{self.campus}" has no host with a link to any other place, so nothing can be cut')
        why = f"every host of campus {self.campus}, against every other place"
        return Targets(hosts, sites, why, (self.campus,))

    def choose(self, estate: Estate, who: WhoWrites) -> Targets:
        """The same at every moment."""
        del who
        return self.candidates(estate)

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """The pairs to cut, written out: a later change of the estate file must not change what is healed."""
        cut = _across(reach.estate, targets.sites)
        params = {"pairs": [list(pair) for pair in cut], "campus": self.campus}
        return way_back(reach, self, targets, {"links": links(reach).name}, params)


def _across(estate: Estate, sites: tuple[str, ...]) -> tuple[Pair, ...]:
    """Every ordered pair of a host at one of these sites and a host at none of them."""
    inside = [host for site in sites for host in linked_at(estate, site)]
    outside = [host for place in (*estate.sites, None) if place not in sites for host in linked_at(estate, place)]
    return tuple(pair for a in inside for b in outside for pair in ((a, b), (b, a)))
