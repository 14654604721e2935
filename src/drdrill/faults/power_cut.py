# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What faults that take power away share: hosts off with a lease, proven off, and on again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Lease, Power, Renewal, Traffic
    from drdrill.faults.fault import Reach, Undo


class PowerCut:
    """Half of a fault: everything that is the same whichever hosts are meant."""

    needs: ClassVar[frozenset[str]] = frozenset({"power"})

    def offer(self, reach: Reach, undo: Undo) -> Traffic | None:
        """None: whether a host is off is asked of whoever holds its power."""
        del reach, undo
        return None

    def inject(self, reach: Reach, undo: Undo) -> Lease:
        """Take the power of all hosts away at once."""
        return power(reach).off(undo.hold, undo.drill, undo.hosts, reach.lease_s, reach.hard_end_s)

    def took_hold(self, reach: Reach, undo: Undo) -> Look:
        """True when every host is off."""
        return power(reach).is_off(undo.hosts)

    def held(self, reach: Reach, undo: Undo) -> Look:
        """True when every host is still off."""
        return power(reach).is_off(undo.hosts)

    def renew(self, reach: Reach, undo: Undo, lease_s: float) -> Renewal:
        """Extend the lease."""
        return power(reach).renew(undo.hold, lease_s)

    def revert(self, reach: Reach, undo: Undo) -> Lease:
        """Give the power back."""
        return power(reach).on(undo.hold, undo.hosts)

    def healed(self, reach: Reach, undo: Undo) -> Look:
        """True when every host has power and the hold is gone. Whether its daemons work again is the baseline's question."""
        way = power(reach)
        off = way.is_off(undo.hosts)
        if undo.hold in way.holds(undo.drill):
            return Look(False, f"the hold {undo.hold} is still open; {off.words}", off.counts)
        return Look(None if off.answer is None else not off.answer, off.words, off.counts)


def power(reach: Reach) -> Power:
    """The way in that was chosen. Raises BadInput when the hold was built without one."""
    if reach.power is None:
        raise BadInput("this fault needs a way in to the power of its hosts, and none was chosen")
    return reach.power
