# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of a fault: one way to break something, one file, one screen.

A fault is a recipe. It keeps no state: `plan` says as data what to do and how to undo it, and every other call works from
that record alone, in this process or in another. Order, journal, lease and undo log belong to the hold (`drill/hold.py`).

    plan -> (undo on disk) -> inject -> took_hold? -> held? ... held? -> revert -> healed?
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.connect.capabilities import Entry, Freeze, Lease, Links, Look, Power, Renewal, Traffic
    from drdrill.estate.model import Estate


class WhoWrites(Protocol):
    """What a fault may ask about the moment of its strike."""

    def holder(self, service: str, site: str) -> str | None:
        """The entry host that answers for the service's address at a site now; None where it is not one. Raises Unreachable."""

    def writer(self, database: str) -> str | None:
        """The host that the engine says is the writer now."""


@dataclass(frozen=True)
class Targets:
    """The hosts that a fault strikes, and why these: words for the journal."""

    hosts: tuple[str, ...]
    sites: tuple[str, ...]
    why: str
    campuses: tuple[str, ...] = ()
    """Those that are struck as a whole; their sites stand in `sites` as well."""


@dataclass
class Reach:
    """The chosen ways in for the targets of one fault, and the drill that it belongs to."""

    drill: str
    hold: str
    estate: Estate
    lease_s: float
    hard_end_s: float
    links: Links | None = None
    power: Power | None = None
    freeze: Freeze | None = None
    entry: Entry | None = None
    traffic: Traffic | None = None

    @property
    def ways(self) -> Mapping[str, Links | Power | Freeze | Entry]:
        """The ways in that were chosen, by their capability."""
        chosen = {"links": self.links, "power": self.power, "freeze": self.freeze, "entry": self.entry}
        return {capability: way for capability, way in chosen.items() if way is not None}


@dataclass(frozen=True)
class Undo:
    """How to heal, as data. Written to disk before the harm; readable by another process and another version.

    `params` are JSON values that the fault's `revert` needs; `command` is what a person can type if all else fails.
    """

    fault: str
    hold: str
    drill: str
    estate: str
    title: str
    hosts: tuple[str, ...]
    sites: tuple[str, ...]
    why: str
    way_in: Mapping[str, str]
    command: str
    params: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1


class Fault(Protocol):
    """One way to break something. Implementations are frozen dataclasses whose fields are the words of their sentence."""

    name: ClassVar[str]
    """As in the undo log and the registry: `site-isolated`."""
    needs: ClassVar[frozenset[str]]
    """The capabilities that it needs: {"links"}, {"power"}, {"freeze"}, {"entry"}."""
    takes_down: ClassVar[bool] = True
    """Whether its targets are down while it is in force, and count against the limits of the estate."""
    most: ClassVar[int | None] = None
    """How many of its candidates it strikes at most; None: all of them."""
    first_lease_s: ClassVar[float] = 3.0
    """The lease until it is proven that it can be renewed: short, for a fault that may also have taken our own way back."""

    @property
    def title(self) -> str:
        """The sentence, for people: `site "east" is isolated`."""

    @classmethod
    def from_undo(cls, undo: Undo) -> Fault:
        """The fault that this record belongs to. Raises BadInput when the record is not one of this fault."""

    def refuses(self, estate: Estate) -> str | None:
        """Why it cannot be done to this estate, or None."""

    def candidates(self, estate: Estate) -> Targets:
        """Every host that could be struck. Raises BadInput for names that the estate does not have."""

    def choose(self, estate: Estate, who: WhoWrites) -> Targets:
        """The hosts that are meant at this moment. Raises Refused when the sentence is not so now."""

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """Touches nothing; says how to undo."""

    def offer(self, reach: Reach, undo: Undo) -> Traffic | None:
        """Open the hold's own traffic before the strike; None when looking needs none."""

    def inject(self, reach: Reach, undo: Undo) -> Lease:
        """Do the harm, with the lease in reach armed first. Raises WayInFailed."""

    def took_hold(self, reach: Reach, undo: Undo) -> Look:
        """Only looks: is it in force, as seen by traffic and by the way in?"""

    def held(self, reach: Reach, undo: Undo) -> Look:
        """Only looks: is it still in force?"""

    def renew(self, reach: Reach, undo: Undo, lease_s: float) -> Renewal:
        """Extend the lease; never strike again."""

    def revert(self, reach: Reach, undo: Undo) -> Lease:
        """Undo. May run twice, from another process, or after half an inject."""

    def healed(self, reach: Reach, undo: Undo) -> Look:
        """Only looks: is nothing of it left?"""
