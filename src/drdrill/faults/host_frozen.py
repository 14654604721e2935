# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One host hangs: everything that runs on it stands still, and goes on later as if no time had passed.

It is the failure that clusters find hardest. A dead host claims nothing; a frozen one wakes up believing what it believed
before, and a database that was the writer claims to be it still, beside the one that was promoted meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.errors import BadInput
from drdrill.faults.fault import Fault, Reach, Targets, Undo
from drdrill.faults.limits import way_back
from drdrill.faults.looks import with_traffic
from drdrill.faults.one_host import OneHost

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Freeze, Lease, Renewal, Traffic


@dataclass(frozen=True)
class HostFrozen(OneHost, Fault):
    """`the R host of service "S" at site "X" freezes`; R is database, application or entry."""

    name: ClassVar[str] = "host-frozen"
    needs: ClassVar[frozenset[str]] = frozenset({"freeze"})

    @property
    def title(self) -> str:
        """The sentence."""
        return f'the {self.role} host of service "{self.service}" at site "{self.site}" freezes'

    @classmethod
    def from_undo(cls, undo: Undo) -> HostFrozen:
        """From the words of the sentence, kept in `params`."""
        return cls(str(undo.params["role"]), str(undo.params["service"]), str(undo.params["site"]))

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """Which host to thaw."""
        return way_back(reach, self, targets, {"freeze": freeze(reach).name}, self.words)

    def offer(self, reach: Reach, undo: Undo) -> Traffic | None:
        """Questions to what runs on the host, on connections that were opened while it still answered."""
        return freeze(reach).traffic(undo.hosts)

    def inject(self, reach: Reach, undo: Undo) -> Lease:
        """Stop everything on it."""
        return freeze(reach).freeze(undo.hold, undo.drill, undo.hosts, reach.lease_s, reach.hard_end_s)

    def took_hold(self, reach: Reach, undo: Undo) -> Look:
        """True only when every process stands still *and* neither an old connection nor a new one is answered."""
        return with_traffic(freeze(reach).is_frozen(undo.hosts), reach.traffic)

    def held(self, reach: Reach, undo: Undo) -> Look:
        """The same question, asked again. A host that was switched off meanwhile is not frozen any more."""
        return self.took_hold(reach, undo)

    def renew(self, reach: Reach, undo: Undo, lease_s: float) -> Renewal:
        """Extend the lease."""
        return freeze(reach).renew(undo.hold, lease_s)

    def revert(self, reach: Reach, undo: Undo) -> Lease:
        """Let it go on."""
        return freeze(reach).thaw(undo.hold, undo.hosts)

    def healed(self, reach: Reach, undo: Undo) -> Look:
        """True when nothing on the host stands still and the hold is gone. Whether its daemons work is the baseline's question."""
        way = freeze(reach)
        still = way.is_frozen(undo.hosts)
        if undo.hold in way.holds(undo.drill):
            return Look(False, f"the hold {undo.hold} is still open; {still.words}", still.counts)
        return Look(still.answer is False, still.words, still.counts)


def freeze(reach: Reach) -> Freeze:
    """The way in that was chosen. Raises BadInput when the hold was built without one."""
    if reach.freeze is None:
        raise BadInput("this fault needs a way in that can freeze its host, and none was chosen")
    return reach.freeze
