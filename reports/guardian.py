# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the guardian did, from its own journal beside the drill's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput
from drdrill.journal import events
from drdrill.journal.journal import GUARDIANS, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.journal.recording import Recording


@dataclass(frozen=True)
class Told:
    """`words` for a reader in a hurry, `rows` of a time of day and what was done then."""

    words: str
    rows: list[tuple[str, str]] = field(default_factory=list)


def told(recording: Recording) -> Told:
    """What is known of the guardian of a drill."""
    begun = recording.journal.last(events.GUARDIAN_BEGUN)
    try:
        reading = read(recording.folder, GUARDIANS)
    except BadInput:
        if begun is None:
            return Told("This drill had none: what it struck heals at the target by itself, or nothing was struck.")
        return Told(
            "It stood beside this drill, and its journal is not here. What it did is not known from this report."
        )
    titles = {e.data["hold"]: e.data["title"] for e in reading.of(events.GUARDIAN_GUARDS)}
    rows = [(e.wall[11:23], _ROWS[e.kind](e.data, titles)) for e in reading.events if e.kind in _ROWS]
    healed = reading.last(events.GUARDIAN_HEALING)
    if reading.broken is not None:
        words = f"Its journal is not what was written: {reading.broken}."
    elif healed is not None:
        words = f"It healed in place of the drill: {healed.data['why']}."
    else:
        words = "It stood beside this drill and had nothing to do: the drill healed by itself."
    return Told(words, rows)


def _prepared(data: Mapping[str, Any], _titles: Mapping[str, str]) -> str:
    wrong = "; ".join(data["wrong"])
    return f"does not reach every way back: {wrong}" if wrong else f"tried {len(data['ways'])} ways back without harm"


_ROWS: Final[dict[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]]] = {
    events.GUARDIAN_BEGUN: lambda data, _: f"stands on {data['machine']} (process {data['pid']})",
    events.GUARDIAN_PREPARED: _prepared,
    events.GUARDIAN_GUARDS: lambda data, _: f"has the undo on its own disk: {data['title']}",
    events.GUARDIAN_HEALING: lambda data, _: f"heals: {data['why']}",
    events.FAULT_HEALED: lambda data, titles: f"healed: {titles.get(data['hold'], data['hold'])}",
    events.FAULT_RESIDUAL: lambda data, titles: (
        f"NOT HEALED: {titles.get(data['hold'], data['hold'])}. Type: `{data['command']}`"
    ),
    events.NOTE: lambda data, _: str(data["words"]),
    events.GUARDIAN_ENDED: lambda data, _: f"ended: {data['words']}",
}
