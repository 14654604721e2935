# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that carries a tag of ours on the whole estate: found, told whose it is, and removed where its drill is dead."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.connect.artefacts import Artefact, Sight
from drdrill.connect.capabilities import STRIKING
from drdrill.drill import state
from drdrill.drill.bounded import bounded
from drdrill.drill.hold import REVERT_WITHIN_S
from drdrill.drill.locks import alive
from drdrill.drill.recover import Recovered, heal_entries
from drdrill.drill.signals import uninterrupted
from drdrill.drill.undo_log import UndoLog
from drdrill.drill.undo_record import tagged
from drdrill.errors import DrdrillError
from drdrill.estate.select import lock_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.connect.registry import Ways

_FOUND_WITHIN_S = 30.0


@dataclass
class Found:
    """What there is, each with the way in that sees it (None: it lies on this machine), and what could not be looked at."""

    artefacts: list[tuple[Artefact, Any]] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def find(ways: Ways) -> Found:
    """Look everywhere, without touching anything. Raises nothing for what the estate answers."""
    found = Found()
    for capability in STRIKING:
        for way in ways.every(capability):
            try:
                seen = bounded(lambda w=way: _seen_by(w), _FOUND_WITHIN_S, f"looking through {way.name}")  # type: ignore[misc]
            except (DrdrillError, OSError) as error:
                found.unseen.append(f"{capability} through {way.name}: {error}")
            else:
                found.artefacts += [(artefact, way) for artefact in seen.artefacts]
                found.unseen += seen.unseen
    folder = state.folder(ways.estate.name)
    reading = UndoLog(folder).read()
    found.unseen += reading.findings
    for entry in reading.entries:
        age_s = _age(entry.path)
        found.artefacts.append(
            (Artefact("record", entry.undo.hold, entry.undo.drill, "this machine", age_s, in_force=False), None)
        )
    return found


def _seen_by(way: Any) -> Sight:
    """What a way in sees. A team's own that cannot look deeper tells its open holds."""
    if hasattr(way, "found"):
        sight: Sight = way.found()
        return sight
    return Sight([Artefact("hold", tag, "", way.name, None, in_force=True) for tag in way.holds()])


def _age(path: Path) -> float | None:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return None


def orphans(found: Found, alive: frozenset[str]) -> list[tuple[Artefact, Any]]:
    """What belongs to no drill that is alive. While any is, what nobody wrote a drill down for may be its own. Pure."""
    return [
        (artefact, way)
        for artefact, way in found.artefacts
        if artefact.drill not in alive and (artefact.drill or not alive)
    ]


def remove(orphaned: Sequence[tuple[Artefact, Any]], say: Callable[[str], None]) -> list[str]:
    """Take these away, each tag once by each way in; what stays, in a sentence each. Undo records are `recover`'s."""
    left = []
    for tag, way in {
        (artefact.tag, id(way)): (artefact.tag, way) for artefact, way in orphaned if way is not None
    }.values():
        if not tagged(tag):
            left.append(f"{tag!r} is no tag of ours, so it is left alone")
            continue
        take = getattr(way, "remove", None)
        if take is None:
            left.append(f"{tag}: {way.name} cannot remove by a tag; heal it with the tools of that way in")
            continue
        try:
            bounded(lambda t=tag, r=take: r(t), REVERT_WITHIN_S, f"removing {tag}")  # type: ignore[misc]
        except (DrdrillError, OSError) as error:
            left.append(f"{tag}: {error}")
        else:
            say(f"removed: {tag}, through {way.name}")
    return left


def line(artefact: Artefact, *, alive: bool | None) -> str:
    """One line for a person. Pure."""
    age = "of unknown age" if artefact.age_s is None else f"{artefact.age_s:.0f} s old"
    whose = f"drill {artefact.drill}" if artefact.drill else "of an unknown drill"
    lives = {True: "alive", False: "not alive", None: "nobody knows whether it is alive"}[alive]
    force = "IN FORCE" if artefact.in_force else "left over"
    return f"{force}: {artefact.what} {artefact.tag} on {artefact.where}, {age}, {whose} ({lives})"


def run(ways: Ways, say: Callable[[str], None], *, heal: bool) -> list[str]:
    """Tell everything; with `heal` heal and remove what is orphaned. What is left of it, in a sentence each."""
    estate = ways.estate
    living, unknown = alive(estate, state.folder(estate.name))
    for words in unknown:
        say(f"note: {words}; so nobody knows which drills are alive")
    if lock_host(estate) is None:
        say("note: no host keeps the lock of this estate, so drills of other machines are not seen and count as dead")
    found = find(ways)
    orphaned = [] if unknown else orphans(found, living)
    for artefact, _ in found.artefacts:
        lives = None if unknown and artefact.drill not in living else artefact.drill in living
        say(line(artefact, alive=lives if artefact.drill else None))
    if not found.artefacts and not found.unseen:
        say("nothing carries a tag of ours")
    unseen = [f"not looked at: {words}" for words in found.unseen]
    if not heal or not orphaned:
        hint = f"heal with: drdrill faults --heal --estate {shlex.quote(str(estate.path.absolute()))}"
        return unseen + [f"{a.tag}: {a.what} on {a.where} is orphaned; {hint}" for a, _ in orphaned]
    # By their records first: the faults know more of their own way back than any tag.
    log, done = UndoLog(state.folder(estate.name)), Recovered()
    entries = [entry for entry in log.read().entries if entry.undo.drill not in living]
    with uninterrupted(lambda: "; ".join(a.tag for a, _ in orphaned), say):
        heal_entries(ways, log, entries, done, say)
        left = [*done.left, *remove(orphaned, say)]
    again = find(ways)
    left += [f"{a.tag}: {a.what} on {a.where} is still there" for a, _ in orphans(again, living)]
    return list(dict.fromkeys([*left, *(f"not looked at: {words}" for words in again.unseen)]))
