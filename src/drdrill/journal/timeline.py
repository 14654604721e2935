# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What was done to the estate, derived from a journal: strikes, operations, pauses. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from drdrill.journal import events

if TYPE_CHECKING:
    from drdrill.journal.journal import Event, Reading


@dataclass(frozen=True)
class Strike:
    """One fault, from its first command to its heal. Times are CLOCK_MONOTONIC ns; None: not yet, or never."""

    hold: str
    fault: str
    title: str
    hosts: tuple[str, ...]
    sites: tuple[str, ...]
    first_ns: int
    last_ns: int
    needs: tuple[str, ...] = ()
    """The capabilities by which it broke something: links, power, freeze."""
    healing_ns: int | None = None
    healed_ns: int | None = None
    lapsed_ns: int | None = None
    took_hold: bool | None = None
    held: bool | None = None
    """The worst answer of all looks while it was in force: False if any was, else None if any was or there was none."""
    looks: int = 0
    """How many times it was looked at whether it is held."""
    quorum_loss: bool = False
    """Whether its sentence expected the loss of quorum: nothing is promised of services then until it is healed."""


@dataclass(frozen=True)
class Operation:
    """One planned move, such as a switchover."""

    id: str
    operation: str
    title: str
    first_ns: int
    last_ns: int | None
    error: str | None = None


@dataclass(frozen=True)
class Pause:
    """An interval in which writers were paused on purpose; it is part of no outage."""

    streams: tuple[str, ...]
    from_ns: int
    to_ns: int | None


@dataclass(frozen=True)
class Timeline:
    """What was done to the estate, derived from the journal."""

    strikes: tuple[Strike, ...] = ()
    operations: tuple[Operation, ...] = ()
    pauses: tuple[Pause, ...] = ()
    quiet_from_ns: int | None = None


def timeline(journal: Reading) -> Timeline:
    """Read strikes, operations and pauses out of a journal, in the order in which they began.

    A fault that was planned but whose strike was never recorded is no strike: it may have done half of its harm, which the
    recovery of its hold looks after, but nothing can be measured from it.
    """
    return Timeline(
        strikes=_strikes(journal),
        operations=_operations(journal),
        pauses=_pauses(journal),
        quiet_from_ns=next((e.data["from_ns"] for e in journal.of(events.DRILL_QUIET)), None),
    )


def _strikes(journal: Reading) -> tuple[Strike, ...]:
    planned: dict[str, Event] = {}
    struck: dict[str, Strike] = {}
    expecting = {e.data["hold"] for e in journal.of(events.GUARDED) if e.data["quorum_loss"]}
    for event in journal.events:
        hold = event.data.get("hold")
        if event.kind == events.FAULT_PLANNED:
            planned[str(hold)] = event
        elif event.kind == events.FAULT_STRUCK and hold in planned:
            plan = planned[hold].data
            struck[hold] = Strike(
                hold, plan["fault"], plan["title"], tuple(plan["targets"]), tuple(plan["sites"]),
                event.data["first_ns"], event.data["last_ns"], tuple(plan.get("undo", {}).get("way_in", ())),
                quorum_loss=hold in expecting,
            )  # fmt: skip
        elif hold in struck:
            struck[hold] = _told(struck[hold], event)
    return tuple(sorted(struck.values(), key=lambda s: s.first_ns))


def _told(strike: Strike, event: Event) -> Strike:
    """The strike with what one more event says of it."""
    data = event.data
    match event.kind:
        case events.FAULT_LOOKED if data["question"] == "took_hold":
            return replace(strike, took_hold=data["answer"])
        case events.FAULT_LOOKED if data["question"] == "held" and strike.healed_ns is None:
            return _looked(strike, data["answer"])
        case events.FAULT_LAPSED:
            return replace(strike, lapsed_ns=data.get("at_ns") or event.t)
        case events.FAULT_HEALING:
            return replace(strike, healing_ns=event.t)
        case events.FAULT_HEALED:
            return replace(strike, healing_ns=strike.healing_ns or data["first_ns"], healed_ns=data["last_ns"])
        case _:
            return strike


def _looked(strike: Strike, answer: bool | None) -> Strike:
    looks = strike.looks + 1
    if strike.looks == 0:
        return replace(strike, held=answer, looks=looks)
    worst = False if answer is False or strike.held is False else None if None in (answer, strike.held) else True
    return replace(strike, held=worst, looks=looks)


def _operations(journal: Reading) -> tuple[Operation, ...]:
    found: dict[str, Operation] = {}
    for event in journal.of(events.OPERATION_BEGUN, events.OPERATION_ENDED):
        data = event.data
        if event.kind == events.OPERATION_BEGUN:
            found[data["id"]] = Operation(data["id"], data["operation"], data["title"], data["first_ns"], None)
        elif data["id"] in found:
            found[data["id"]] = replace(found[data["id"]], last_ns=data["last_ns"], error=data.get("error"))
    return tuple(sorted(found.values(), key=lambda o: o.first_ns))


def _pauses(journal: Reading) -> tuple[Pause, ...]:
    """A pause is written when it begins and again, with the same `from_ns`, when the writers were resumed."""
    found: dict[int, Pause] = {}
    for event in journal.of(events.WRITES_PAUSED):
        begun = event.data["from_ns"]
        found[begun] = Pause(tuple(event.data["streams"]), begun, event.data["to_ns"])
    return tuple(found[begun] for begun in sorted(found))
