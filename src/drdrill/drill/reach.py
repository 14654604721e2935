# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From a fault and its targets to the ways in that will strike and heal them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.drill.lacking import struck_by
from drdrill.faults.fault import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.registry import Ways
    from drdrill.drill.call import Call
    from drdrill.faults.fault import Fault, Targets, Undo


def reach_for(ways: Ways, fault: Fault, targets: Targets, *, drill: str, hold: str, lease_s: float) -> Reach:
    """Choose the ways in. Raises Unreachable when there is none for a capability that the fault needs."""
    return Reach(
        drill=drill,
        hold=hold,
        estate=ways.estate,
        lease_s=lease_s,
        hard_end_s=ways.estate.limits.longest_fault_s,
        links=ways.links(targets.hosts) if "links" in fault.needs else None,
        power=ways.power(targets.hosts) if "power" in fault.needs else None,
        freeze=ways.freeze(targets.hosts) if "freeze" in fault.needs else None,
        entry=ways.entry(targets.hosts) if "entry" in fault.needs else None,
    )


def ways_back(ways: Ways, calls: Sequence[Call]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Every way by which the strikes of these calls would be healed: capability, its name, all hosts that it may be needed for.

    Raises what the faults raise for names that the estate does not have.
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    for call in calls:
        fault = struck_by(ways.estate, call)
        if fault is not None:
            targets = fault.candidates(ways.estate)
            reach = reach_for(ways, fault, targets, drill="probe", hold="probe", lease_s=0.0)
            for capability, way in reach.ways.items():
                found.setdefault((capability, way.name), {}).update(dict.fromkeys(targets.hosts))
    return [(capability, name, tuple(hosts)) for (capability, name), hosts in found.items()]


def reach_of(ways: Ways, undo: Undo) -> Reach:
    """The ways in that an undo record names. Raises BadInput when one of them is not installed any more."""
    return Reach(
        drill=undo.drill,
        hold=undo.hold,
        estate=ways.estate,
        lease_s=0.0,
        hard_end_s=0.0,
        links=ways.named("links", undo.way_in["links"]) if "links" in undo.way_in else None,
        power=ways.named("power", undo.way_in["power"]) if "power" in undo.way_in else None,
        freeze=ways.named("freeze", undo.way_in["freeze"]) if "freeze" in undo.way_in else None,
        entry=ways.named("entry", undo.way_in["entry"]) if "entry" in undo.way_in else None,
    )
