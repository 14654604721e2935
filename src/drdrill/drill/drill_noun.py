# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The noun `drill`: what sentences break, hold and heal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.drill import baseline, ending, probing
from drdrill.drill.hold import Hold
from drdrill.drill.plan import moved
from drdrill.drill.reach import reach_for
from drdrill.errors import NotHealed, Refused
from drdrill.estate.durations import Deadline
from drdrill.estate.model import Away
from drdrill.faults.entry_drained import EntryDrained

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Look
    from drdrill.drill.drill import Drill
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault


class DrillNoun:
    """Strikes, holds and heals, one drill long."""

    def __init__(self, drill: Drill) -> None:
        self._drill = drill

    def strike(self, fault: Fault, *, quorum_loss: bool = False) -> None:
        """Break something, and prove that it is broken.

        Args:
            fault: what.
            quorum_loss: whether the sentence expects that it takes the majority, or the last good copy.

        Raises:
            Refused: it may not be done, or the sentence is not so now. Nothing of it was done.
            WayInFailed, LeaseLost: it could not be done whole; what was done is healed at the end.
        """
        self._drill.feed()
        refusal = fault.refuses(self._drill.estate)
        if refusal:
            raise Refused(f"{fault.title}: {refusal}")
        self._drill.measure()
        targets = fault.choose(self._drill.estate, self._drill)
        if self._drill.permit is not None:
            self._drill.permit.use(fault, targets)
        hold_id = f"{self._drill.id}-{len(self._drill.holds.all) + 1}"
        reach = reach_for(self._drill.ways, fault, targets, drill=self._drill.id, hold=hold_id, lease_s=0.0)
        if self._drill.guardian is None and (alone := [w.name for w in reach.ways.values() if not w.leased]):
            raise Refused(
                f"{fault.title}: {', '.join(alone)} keeps no lease where the fault is, so a guardian has to heal it if this "
                "drill dies: --guardian local, or ssh://HOST of another site"
            )
        self._drill.before_change()
        self._drill.restraints.ask(fault, targets, hold_id, quorum_loss=quorum_loss)
        if words := self._drill.lock.forbids(fault, targets.hosts):
            raise Refused(f"{fault.title}: {words}")
        reach.hard_end_s = self._drill.restraints.hard_end_s()
        if self._drill.probes_only:
            probing.try_ways(self._drill, fault, reach, targets)
            return
        hold = Hold.plan(fault, reach, targets, self._drill.tools)
        self._drill.holds.add(hold)
        self._drill.moved()
        self._drill.say(f"STRIKE {hold.title}: {', '.join(targets.hosts)}")
        self._say_look(hold, hold.strike())

    def _say_look(self, hold: Hold, look: Look) -> None:
        word = {True: "in force", False: "DID NOT TAKE HOLD", None: "cannot tell whether it took hold"}[look.answer]
        self._drill.say(f"  {word}: {look.words}; lease {hold.lease_s:.0f} s, renewed while the drill lives")

    def heal(self, kind: type[Fault], site: str = "", *, campus: str = "") -> None:
        """End the one open fault of this kind, and prove that nothing is left of it.

        Args:
            kind: the class of the fault.
            site: where, when the sentence says it.
            campus: the same, for faults of a campus.

        Raises:
            Refused: none is open, or more than one, so that it is not clear which is meant.
            NotHealed: it is not proven whole again; the end of the drill tries once more.
        """
        wanted = self._drill.estate.site_named(site).name if site else ""
        meant = [
            h
            for h in self._drill.holds.open
            if isinstance(h.fault, kind)
            and (not wanted or wanted in h.undo.sites)
            and (not campus or getattr(h.fault, "campus", "") == campus)
        ]
        if len(meant) != 1:
            known = "; ".join(h.title for h in self._drill.holds.open) or "nothing"
            raise Refused(f"{len(meant)} faults are meant by this heal, so none is healed; open: {known}")
        self._end(meant[0])

    def _end(self, hold: Hold) -> None:
        self._drill.audit()
        self._drill.say(f"HEAL {hold.title}")
        if not hold.heal("sentence"):
            raise NotHealed(f"{hold.title}: not proven healed: {hold.words}. By hand: {hold.undo.command}")
        self._drill.restraints.healed()
        self._drill.say("  healed: nothing of it is left")

    def switch(self, fault: EntryDrained) -> None:
        """Put a planned move into force in place of an earlier one of the same service.

        The earlier one ends first: with both in force nobody would serve.

        Raises:
            Refused: it may not be done. What was in force stays so.
            NotHealed: the earlier one is not proven over.
            WayInFailed, LeaseLost: it could not be done whole; what was done is healed at the end.
        """
        for hold in self._drill.holds.open:
            if isinstance(hold.fault, EntryDrained) and hold.fault.service == fault.service:
                self._end(hold)
        self.strike(fault)

    def may_move(self, service: str, site: str) -> None:
        """Whether limits and plan allow that this service moves to this site now. Raises Refused when they do not."""
        if self._drill.permit is not None:
            self._drill.permit.use_move(moved(self._drill.estate, service, site))
        self._drill.restraints.move(service)

    def hold_for(self, seconds: float | Deadline) -> None:
        """Leave everything that is broken as it is for so long, looking at it all the while.

        Raises:
            Refused: nothing is broken, so nothing could be held.
        """
        wanted = seconds.seconds if isinstance(seconds, Deadline) else seconds
        if not self._drill.holds.open or wanted is None:
            raise Refused("no fault is open, so none can be held")
        self._drill.wait_until(lambda: None, wanted, "the fault to have been held long enough")

    def hold_past_fencing(self, database: str) -> None:
        """Leave what is broken as it is until writers that have to stop have stopped: twice the fencing time of a database."""
        self.hold_for(past_fencing_s(self._drill.estate, database))

    def abort_if_away(self, service: str, seconds: float, site: str = "") -> None:
        """From now on the drill stops and heals when clients are without this service for longer."""
        found = self._drill.estate.service_named(service).name
        at = self._drill.estate.site_named(site).name if site else None
        self._drill.restraints.abort_if(Away(found, seconds, at))

    def await_baseline(self, deadline: Deadline) -> None:
        """Assert that the estate is as it was before the first strike, within the time, or within its recovery time."""
        before = self._drill.before
        if before is None:
            raise Refused("nothing was struck or moved yet, so there is nothing to compare with")
        within = deadline.seconds if deadline.seconds is not None else ending.recovery_s(self._drill.estate)
        last: list[baseline.Difference] = []

        def same() -> bool | None:
            last[:] = baseline.differences(self._drill.estate, before, self._drill.picture())
            return None if last else True

        self._drill.wait_until(same, within, "the estate to be as it was before")
        self._drill.conclude(ending.as_before(last, within, before))


def past_fencing_s(estate: Estate, database: str) -> float:
    """After the fencing time an old writer must have stopped; for as long again it is seen that it has."""
    return 2 * estate.database_named(database).fencing_s
