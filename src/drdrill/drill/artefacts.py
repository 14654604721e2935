# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Everything on an estate that carries our tag, in force or in an undo log: whose it is, and how orphans are healed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.capabilities import STRIKING
from drdrill.drill import state
from drdrill.drill.bounded import bounded
from drdrill.drill.forged import forged
from drdrill.drill.hold import REVERT_WITHIN_S
from drdrill.drill.lock import EstateLock
from drdrill.drill.recover import heal
from drdrill.drill.shared_lock import SharedLock
from drdrill.drill.undo_log import UndoLog
from drdrill.drill.undo_logs import UndoLogs
from drdrill.errors import DrdrillError
from drdrill.estate.select import lock_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.connect.registry import Ways
    from drdrill.faults.fault import Undo

_END: Final[Mapping[str, Callable[[Any, str], object]]] = {
    "links": lambda way, hold: way.restore(hold),
    "entry": lambda way, hold: way.restore(hold),
    "power": lambda way, hold: way.on(hold, ()),
    "freeze": lambda way, hold: way.thaw(hold, ()),
}
"""How a hold is ended by its tag alone. Who keeps the lease of a hold knows its hosts."""


@dataclass(frozen=True)
class Artefact:
    """One hold of which something is left.

    Args:
        hold: its tag.
        drill: whose it is, as its tag says.
        ways: capability and name of each way in that finds it in force.
        undo: its record, where there is one that can be believed.
        since_s: when it was written down, or else when its drill began, by wall clock.
        alive: whether its drill, or the guardian of that one, lives; None: that cannot be told.
    """

    hold: str
    drill: str
    ways: tuple[tuple[str, str], ...]
    undo: Undo | None
    since_s: float | None
    alive: bool | None

    def __str__(self) -> str:
        age = f"{_length(time.time() - self.since_s)} old" if self.since_s is not None else "of unknown age"
        drill = {True: "which lives", False: "which is dead: an orphan", None: "of which nobody knows whether it lives"}
        where = [f"{capability} through {name}" for capability, name in self.ways] or ["nothing is in force"]
        where += ["in the undo log"] if self.undo is not None else ["in no undo log here"]
        title = f"{self.undo.title}; " if self.undo is not None else ""
        return f"{self.hold}: {title}of drill {self.drill}, {drill[self.alive]}; {age}; {', '.join(where)}"


class Artefacts:
    """All of one estate.

    Args:
        ways: the ways in to it, which are asked for what they hold.
    """

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        estate = ways.estate
        self._folder = state.folder(estate.name)
        self._logs = UndoLogs(self._folder)
        self._lock = EstateLock(self._folder, estate.name)
        host = lock_host(estate)
        self._shared = SharedLock(ways, host) if host is not None else None

    def find(self) -> tuple[list[Artefact], list[str]]:
        """Everything that is found, the last strike first, and why what could not be asked or read."""
        written, notes = self._logs.read()
        genuine: dict[str, tuple[Undo, float]] = {}
        for record in written:
            if words := forged(record.undo, self._ways.estate):
                notes.append(f"the record {record.undo.hold!r} in {record.logs[0].folder} is left alone: {words}")
            else:
                genuine[record.undo.hold] = (record.undo, record.since_s)
        found: dict[str, list[tuple[str, str]]] = {hold: [] for hold in genuine}
        for capability in STRIKING:
            for way in self._ways.every(capability):
                try:
                    for hold in way.holds():
                        found.setdefault(hold, []).append((capability, way.name))
                except (DrdrillError, OSError) as error:
                    notes.append(f"{capability} through {way.name} could not be asked what it holds: {error}")
        drills = {hold: genuine[hold][0].drill if hold in genuine else hold.rpartition("-")[0] for hold in found}
        alive = self._living(set(drills.values()), notes) if found else {}
        return [
            Artefact(
                hold,
                drills[hold],
                tuple(ways),
                genuine[hold][0] if hold in genuine else None,
                genuine[hold][1] if hold in genuine else _begun(drills[hold]),
                alive[drills[hold]],
            )
            for hold, ways in found.items()
        ], notes

    def heal(self, artefact: Artefact) -> str | None:
        """End one hold, by its record where there is one, else by its tag. What is wrong, or None when nothing of it is left."""
        ways = list(artefact.ways)
        try:
            for capability, name in ways:
                # A drill that lives unseen must not go on renewing what is ended here; it sees that, and stops.
                way = self._ways.named(capability, name)
                bounded(lambda w=way: w.revoke(artefact.drill), REVERT_WITHIN_S, "revoking")  # type: ignore[misc]
            if artefact.undo is not None and (wrong := heal(self._ways, artefact.undo)):
                return f"{wrong}. By hand: {artefact.undo.command}"
            for capability, name in ways:
                way = self._ways.named(capability, name)
                if artefact.hold in way.holds():
                    bounded(lambda c=capability, w=way: _END[c](w, artefact.hold), REVERT_WITHIN_S, "healing")  # type: ignore[misc]
                if artefact.hold in way.holds():
                    return f"{capability} through {name} still holds it"
        except (DrdrillError, OSError) as error:
            return str(error)
        self._logs.done(artefact.hold)
        return None

    def _living(self, drills: set[str], notes: list[str]) -> dict[str, bool | None]:
        """For each drill whether it, or its guardian, lives."""
        running = {str(self._lock.owner().get("drill"))} if self._lock.held() else set()
        otherwise: bool | None = False
        if self._shared is not None:
            try:
                lock = self._shared.look()
                running |= {str(lock["drill"])} if lock is not None and lock["left_s"] > 0 else set()
            except DrdrillError as error:
                notes.append(f"whether a drill runs on another machine cannot be told: {error}")
                otherwise = None
        return {
            drill: True if drill in running or self._logs.guarded(drill) else self._of_here(drill, otherwise)
            for drill in drills
        }

    def _of_here(self, drill: str, otherwise: bool | None) -> bool | None:
        """A drill whose own records are here ran here, so that it is dead when its lock is free."""
        here = UndoLog(self._folder).read().entries
        return False if any(entry.undo.drill == drill for entry in here) else otherwise


def _begun(drill: str) -> float | None:
    """When a drill began, as its id says."""
    try:
        return datetime.strptime(drill[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _length(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
