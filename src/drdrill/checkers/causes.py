# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""To what an outage belongs, and how it is counted against the recovery time objective. Pure.

An outage that is in progress at the last command of a strike, or begins within twice the latency bound after it, is counted
from that command (its upper bound from the first command). Every other outage counts by its own length and belongs to the
last strike, heal or operation before it. An outage that was in progress already when something new was struck stays with
what began it: that count is the longer one.

Where a sentence expected the loss of quorum, nothing is promised until the majority is back: its outage is counted from its heal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from drdrill.checkers.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.journal.outage import Outage
    from drdrill.journal.recording import Timeline


@dataclass(frozen=True)
class Cause:
    """Something that was done to the estate, from its first to its last command."""

    id: str
    title: str
    kind: Literal["strike", "heal", "operation"]
    first_ns: int
    last_ns: int
    quorum_loss: bool = False


@dataclass(frozen=True)
class Counted:
    """How long an outage counts. `upper_s` is None when it did not end."""

    cause: Cause | None
    way: Literal["rto", "own length", "from its heal"]
    lower_s: float
    upper_s: float | None

    def against(self, objective_s: float) -> Verdict:
        """Inside with its upper bound: pass. Outside with its lower bound: fail. Else nobody can tell."""
        if self.lower_s > objective_s:
            return Verdict.FAIL
        return Verdict.PASS if self.upper_s is not None and self.upper_s <= objective_s else Verdict.UNKNOWN


def causes(timeline: Timeline) -> tuple[Cause, ...]:
    """Every strike, heal and operation, in the order of their first commands."""
    found = [Cause(s.hold, s.title, "strike", s.first_ns, s.last_ns, s.quorum_loss) for s in timeline.strikes]
    for s in timeline.strikes:
        begun = s.healing_ns or s.lapsed_ns
        if begun is not None:
            found.append(Cause(s.hold, f"the end of: {s.title}", "heal", begun, max(begun, s.healed_ns or begun)))
    found += [Cause(o.id, o.title, "operation", o.first_ns, o.last_ns or o.first_ns) for o in timeline.operations]
    return tuple(sorted(found, key=lambda c: c.first_ns))


def counted(outage: Outage, known: Sequence[Cause], latency_ns: int) -> Counted:
    """Attribute one outage.

    A request that was on its way when its service was struck was sent up to a latency bound before the first command, so an
    outage may begin that much before what caused it.
    """
    cause = next((c for c in reversed(known) if c.first_ns <= outage.first_ns + latency_ns), None)
    lower, upper = outage.lower_ns, outage.upper_ns
    if cause is not None and cause.quorum_loss:
        return _from_heal(outage, cause, known)
    if cause is None or cause.kind != "strike" or outage.first_ns > cause.last_ns + 2 * latency_ns:
        return Counted(cause, "own length", lower / 1e9, None if upper is None else upper / 1e9)
    least = lower if outage.until_ns is None else max(outage.until_ns - cause.last_ns, outage.least_ns)
    most = None if outage.end_by_ns is None else outage.end_by_ns - cause.first_ns
    return Counted(cause, "rto", max(0, least) / 1e9, None if most is None else most / 1e9)


def _from_heal(outage: Outage, cause: Cause, known: Sequence[Cause]) -> Counted:
    """Counted from the heal of a strike that took the quorum on purpose; without that heal nobody can count."""
    heal = next((c for c in known if c.kind == "heal" and c.id == cause.id), None)
    if heal is None:
        return Counted(cause, "from its heal", 0.0, None)
    # Its own parts may all lie before the heal, so that only what was seen after it says how long it lasted.
    least = 0 if outage.until_ns is None else max(0, outage.until_ns - heal.last_ns)
    most = None if outage.end_by_ns is None else max(0, outage.end_by_ns - heal.first_ns)
    return Counted(cause, "from its heal", least / 1e9, None if most is None else most / 1e9)
