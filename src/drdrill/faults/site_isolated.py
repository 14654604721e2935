# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A site loses its links to every other place, or to one other site. Its hosts go on running and do not know why it is silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.errors import BadInput
from drdrill.estate.select import linked_at, pairs_across
from drdrill.faults.fault import Fault, Reach, Targets, Undo
from drdrill.faults.limits import site_may_go, way_back
from drdrill.faults.looks import with_traffic

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Lease, Links, Pair, Renewal, Traffic
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import WhoWrites


@dataclass(frozen=True)
class SiteIsolated(Fault):
    """`site "X" is isolated`, or with a peer: `site "X" is isolated from site "Y"`.

    The client network is outside; the management path is not cut. Both directions are cut: with one direction left, TCP
    retransmits still get through, which no real cut of a cable lets happen.
    """

    site: str
    peer: str = ""

    name: ClassVar[str] = "site-isolated"
    needs: ClassVar[frozenset[str]] = frozenset({"links"})

    @property
    def title(self) -> str:
        """The sentence."""
        return f'site "{self.site}" is isolated' + (f' from site "{self.peer}"' if self.peer else "")

    @classmethod
    def from_undo(cls, undo: Undo) -> SiteIsolated:
        """From `sites` alone; the pairs that were cut stand in `params`."""
        pairs(undo)
        return cls(undo.sites[0], peer=str(undo.params.get("peer", "")))

    def refuses(self, estate: Estate) -> str | None:
        """Limits, and a site that is cut from itself."""
        site = estate.site_named(self.site)
        if self.peer and estate.site_named(self.peer) == site:
            return f'site "{site.name}" cannot be isolated from itself'
        return site_may_go(estate, site.name)

    def candidates(self, estate: Estate) -> Targets:
        """All hosts of the site, but for its routers."""
        site = estate.site_named(self.site).name
        hosts = linked_at(estate, site)
        peer = estate.site_named(self.peer).name if self.peer else None
        if not hosts or not pairs_across(estate, site, peer):
            raise BadInput(
                f'site "{site}" has no host with a link to {peer or "any other place"}, so nothing can be cut'
            )
        return Targets(
            hosts, (site,), f"every host of site {site}, against {f'site {peer}' if peer else 'every other place'}"
        )

    def choose(self, estate: Estate, who: WhoWrites) -> Targets:
        """The same at every moment."""
        del who
        return self.candidates(estate)

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """The pairs to cut, written out: a later change of the estate file must not change what is healed."""
        peer = reach.estate.site_named(self.peer).name if self.peer else None
        cut = pairs_across(reach.estate, targets.sites[0], peer)
        params = {"pairs": [list(pair) for pair in cut], "peer": peer or ""}
        return way_back(reach, self, targets, {"links": links(reach).name}, params)

    def offer(self, reach: Reach, undo: Undo) -> Traffic | None:
        """Connections over every pair, opened while the links are still whole."""
        return links(reach).traffic(pairs(undo))

    def inject(self, reach: Reach, undo: Undo) -> Lease:
        """Cut."""
        return links(reach).cut(undo.hold, undo.drill, pairs(undo), reach.lease_s, reach.hard_end_s)

    def took_hold(self, reach: Reach, undo: Undo) -> Look:
        """True only when the way in says that every pair is cut *and* none of our own traffic got through."""
        return with_traffic(links(reach).is_cut(undo.hold, pairs(undo)), reach.traffic)

    def held(self, reach: Reach, undo: Undo) -> Look:
        """The same question, asked again."""
        return self.took_hold(reach, undo)

    def renew(self, reach: Reach, undo: Undo, lease_s: float) -> Renewal:
        """Extend the lease."""
        return links(reach).renew(undo.hold, lease_s)

    def revert(self, reach: Reach, undo: Undo) -> Lease:
        """End our hold; other holds on the same links stay."""
        return links(reach).restore(undo.hold)

    def healed(self, reach: Reach, undo: Undo) -> Look:
        """True when nothing of our cut is left and its hold is gone."""
        way = links(reach)
        cut = way.is_cut(undo.hold, pairs(undo))
        if undo.hold in way.holds(undo.drill):
            return Look(False, f"the hold {undo.hold} is still open; {cut.words}", cut.counts)
        return Look(True if cut.answer is False else False if cut.answer else None, cut.words, cut.counts)


def links(reach: Reach) -> Links:
    """The way in that was chosen. Raises BadInput when the hold was built without one."""
    if reach.links is None:
        raise BadInput("a cut needs a way in to the links of its hosts, and none was chosen")
    return reach.links


def pairs(undo: Undo) -> tuple[Pair, ...]:
    """The ordered pairs that this record cuts and heals."""
    return tuple((str(a), str(b)) for a, b in undo.params["pairs"])
