# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The life of one fault as pairs of a word and what was seen: planned, struck, proven to be in force, healed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drdrill.journal import events
from drdrill.reports import figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.journal.journal import Event
    from drdrill.reports.account import Blow
    from drdrill.reports.drawing import Axis

Pair = tuple[str, str]

_ASKED: Final = {
    "sentence": "by its sentence",
    "end": "at the end of the drill",
    "abort": "because the drill stopped",
    "recover": "by `drdrill recover`",
}
_NAMES: Final = {True: "yes", False: "no", None: "unknown"}


def life(blow: Blow, axis: Axis) -> list[Pair]:
    """All of it, in the order in which it happens; what was not recorded is said."""
    pairs = [("targets", ", ".join(blow.targets)), ("chosen because", blow.why)]
    for e in blow.of(events.FAULT_ARMED):
        lease, end = e.data.get("lease_s"), e.data.get("hard_end_s")
        held = f"lease {figures.promise(lease)}" if lease is not None else "no lease: the fault is momentary"
        pairs.append(("armed", held + (f"; whatever happens it ends after {figures.promise(end)}" if end else "")))
    pairs += _in_force(blow, axis) if blow.of(events.FAULT_STRUCK) else [("struck", "no strike was recorded")]
    pairs += _after(blow, axis)
    return [(word, words) for word, words in pairs if words]


def _in_force(blow: Blow, axis: Axis) -> Iterator[Pair]:
    for e in blow.of(events.FAULT_STRUCK):
        yield "struck", f"{axis.stamp(e.data['first_ns'])}; {_took(e)}"
    for question, word in (("took_hold", "took hold"), ("held", "held")):
        looks = blow.looks(question)
        yield word, _seen(looks) if looks else "not looked at, so not proven"
    renewed = len(blow.of(events.FAULT_RENEWED))
    if renewed:
        yield "renewed", figures.plural(renewed, "time")


def _after(blow: Blow, axis: Axis) -> Iterator[Pair]:
    for e in blow.of(events.FAULT_LAPSED):
        when = axis.stamp(e.data["at_ns"]) if e.data.get("at_ns") else "at an instant that is not known"
        yield "lapsed", f"{when}: it ended before its heal was asked for"
    for e in blow.of(events.FAULT_HEALING):
        yield "heal asked for", f"{axis.stamp(e.t)}, {_ASKED.get(e.data['reason'], e.data['reason'])}"
    for e in blow.of(events.FAULT_HEALED):
        yield "healed", f"{axis.stamp(e.data['last_ns'])}; {_took(e)}"
    looks = blow.looks("healed")
    if looks:
        yield "seen healed", _seen(looks)
    for e in blow.of(events.FAULT_RESIDUAL):
        yield "not healed", str(e.data["words"])
    if not blow.of(events.FAULT_HEALED, events.FAULT_RESIDUAL, events.FAULT_LAPSED):
        yield "healed", "no heal was recorded" if blow.of(events.FAULT_STRUCK) else ""


def _took(command: Event) -> str:
    return f"its commands took {figures.span((command.data['last_ns'] - command.data['first_ns']) / 1e9)}"


def _seen(looks: Sequence[Mapping[str, Any]]) -> str:
    """`5 looks: 4 yes, 1 unknown`, and the words of the look that tells most: the first that was no yes, else the last."""
    counted = [(word, sum(look["answer"] is value for look in looks)) for value, word in _NAMES.items()]
    said = ", ".join(f"{n} {word}" for word, n in counted if n)
    chosen = next((look for look in looks if look["answer"] is not True), looks[-1])
    words = str(chosen.get("words") or "").rstrip(".")
    return f"{figures.plural(len(looks), 'look')}: {said}" + (f". {figures.sentence(words)}." if words else "")
