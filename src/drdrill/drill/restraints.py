# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a drill may do: limits and guards before each strike; guards, abort conditions and time all the while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drdrill.connect.registry import Ways
from drdrill.drill import ending, guarding, limits
from drdrill.drill.asks import Asks
from drdrill.drill.guards.guard import Case
from drdrill.drill.guards.registry import guards
from drdrill.drill.hold import HEALED_WITHIN_S, REVERT_WITHIN_S
from drdrill.drill.time_limits import Clock, DrillTime, WindowTime
from drdrill.errors import Refused
from drdrill.faults.fault import Targets
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.drill.drill import Drill
    from drdrill.drill.guarding import Said
    from drdrill.drill.guards.guard import Guard
    from drdrill.drill.hold import Hold
    from drdrill.estate.model import Away, Estate
    from drdrill.faults.fault import Fault

SAY: Final = "with expected loss of quorum"


class Restraints:
    """Asked by the drill before each strike. What it watches is looked at by the drill's main loop.

    Args:
        drill: that is asked about.
        clock: since the drill began.
    """

    def __init__(self, drill: Drill, clock: Clock | None = None) -> None:
        self._drill = drill
        self._clock = clock or Clock()
        self._guards: Mapping[str, Guard] | None = None
        self._apart: Asks | None = None
        self._expecting: set[str] = set()
        self._conditions = list(drill.estate.abort)
        self._watching = False
        self._healed_ns: int | None = None
        drill.watches.add(DrillTime(drill.estate, self._clock))
        drill.watches.add(WindowTime(drill.estate, self._clock, needed_s(drill.estate), lambda: bool(drill.holds.open)))

    # --- before a strike ----------------------------------------------------------------------------------------------

    def ask(self, fault: Fault, targets: Targets, hold: str, *, quorum_loss: bool = False) -> None:
        """Whether this may be struck now: time, limits, then every guard. Touches nothing.

        Raises:
            Refused: it may not be; every reason that guards have.
            BadInput: a guard that is installed cannot be loaded.
        """
        estate, open_ = self._drill.estate, self._drill.holds.open
        broken = [targets_of(h) for h in open_ if h.fault.takes_down]
        refusal = limits.outside(estate, self._clock.now(), needed_s(estate)) or limits.against(
            estate, fault, targets, broken, quorum_loss=quorum_loss
        )
        if refusal:
            raise Refused(f"{fault.title}: {refusal}")
        case = self._case(self._drill, [*(targets_of(h) for h in open_), targets], new=targets.hosts)
        said = guarding.before(self._all(), case, quorum_loss=quorum_loss, between=self._drill.feed)
        told = {"hold": hold, "title": fault.title, "quorum_loss": quorum_loss}
        self._drill.journal.write(events.GUARDED, **told, said=[one.as_json() for one in said])
        if reasons := [one for one in said if one.refuses]:
            raise Refused(f"{fault.title}: {_words(self._all(), reasons)}")
        for one in said:
            if one.lifted:
                self._drill.say(f"  as the sentence expects: {one.look.words}")
        if quorum_loss:
            self._expecting.add(hold)
        self._watch_guards()

    def move(self, service: str) -> None:
        """Whether this service may be moved now, which breaks nothing. Raises Refused."""
        estate = self._drill.estate
        refusal = limits.outside(estate, self._clock.now(), needed_s(estate)) or limits.untouchable(estate, service)
        if refusal:
            raise Refused(refusal)

    def hard_end_s(self) -> float:
        """How long the next strike may last at most, whoever lives: its target ends it then, inside the window."""
        estate = self._drill.estate
        left = limits.left_s(estate, self._clock.now(), needed_s(estate))
        longest = estate.limits.longest_fault_s
        return longest if left is None else min(longest, max(0.0, left))

    def _all(self) -> Mapping[str, Guard]:
        if self._guards is None:
            self._guards = guards()
        return self._guards

    def _case(self, asks: Asks, struck: Sequence[Targets], *, new: Sequence[str] = ()) -> Case:
        return Case(
            asks=asks,
            gone=frozenset(host for targets in struck for host in targets.hosts),
            sites=frozenset(site for targets in struck for site in targets.sites),
            new=tuple(new),
            standpoints=self._drill.standpoints,
            quorum_lost=any(h.undo.hold in self._expecting for h in self._drill.holds.open),
        )

    # --- all the while ------------------------------------------------------------------------------------------------

    def _watch_guards(self) -> None:
        if self._apart is None:
            self._apart = Asks(self._drill.estate, Ways(self._drill.estate))
            self._drill.watches.add(guarding.GuardWatch(self._all(), self._held, self._patience_s, self._tell))

    def _held(self) -> Case | None:
        open_ = [hold for hold in self._drill.holds.open if hold.in_force]
        return self._case(self._apart, [targets_of(h) for h in open_]) if open_ and self._apart else None

    def _patience_s(self) -> float:
        """What was healed a moment ago still recovers, and is no reason to stop before its time for that is over."""
        if self._healed_ns is None:
            return guarding.PATIENCE_S
        passed_s = (time.monotonic_ns() - self._healed_ns) / 1e9
        return max(guarding.PATIENCE_S, ending.recovery_s(self._drill.estate) - passed_s)

    def healed(self) -> None:
        """A sentence healed something just now."""
        self._healed_ns = time.monotonic_ns()

    def _tell(self, said: Said) -> None:
        self._drill.journal.write(
            events.GUARDED, hold=None, title="while it is held", quorum_loss=False, said=[said.as_json()]
        )

    def watch(self) -> None:
        """To be called once clients measure: from now on every abort condition is watched."""
        if not self._watching:
            self._watching = True
            for condition in self._conditions:
                self._watch(condition)

    def abort_if(self, condition: Away) -> None:
        """One more abort condition, from now on, or once clients measure."""
        self._conditions.append(condition)
        if self._watching:
            self._watch(condition)

    def _watch(self, condition: Away) -> None:
        from drdrill.drill.conditions import AwayWatch  # noqa: PLC0415 - numpy is behind it

        latency_s = self._drill.estate.services[condition.service].latency_s
        self._drill.watches.add(AwayWatch(condition, latency_s, self._drill.recording))

    def close(self) -> None:
        """Let go of what was kept to read guards again."""
        if self._apart is not None:
            self._apart.ask_no_more()


def needed_s(estate: Estate) -> float:
    """What a drill needs after its last moment of harm: to heal, to prove it, and to recover."""
    return REVERT_WITHIN_S + HEALED_WITHIN_S + ending.recovery_s(estate)


def targets_of(hold: Hold) -> Targets:
    """What an open hold struck."""
    campus = getattr(hold.fault, "campus", "")
    return Targets(hold.undo.hosts, hold.undo.sites, hold.undo.why, (campus,) if campus else ())


def _words(known: Mapping[str, Guard], reasons: Sequence[Said]) -> str:
    words = "; ".join(f"guard {one.guard}: {one.look.words}" for one in reasons)
    if any(known[one.guard].lifted and one.look.answer is False for one in reasons):
        words += f"; if that is what this drill is about, its sentence ends in `{SAY}`, and limits.quorum_loss is true"
    return words
