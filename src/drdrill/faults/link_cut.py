# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What faults that cut links share: pairs of hosts cut with a lease, proven cut by traffic of our own, and whole again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.errors import BadInput
from drdrill.faults.looks import with_traffic

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Lease, Links, Pair, Renewal, Traffic
    from drdrill.faults.fault import Reach, Undo


class LinkCut:
    """Half of a fault: everything that is the same whichever pairs are meant. They stand in `params` of the record."""

    needs: ClassVar[frozenset[str]] = frozenset({"links"})

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
