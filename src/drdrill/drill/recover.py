# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Heal by hand what a drill left: from the undo log alone, beside a dead drill or a live one."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drdrill.connect.capabilities import STRIKING
from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.baseline import open_holds
from drdrill.drill.bounded import bounded
from drdrill.drill.common_lock import CommonLock
from drdrill.drill.halt import HaltFile
from drdrill.drill.hold import HEALED_WITHIN_S, REVERT_WITHIN_S
from drdrill.drill.lock import EstateLock
from drdrill.drill.reach import reach_of
from drdrill.drill.signals import uninterrupted
from drdrill.drill.undo_log import UndoLog
from drdrill.drill.undo_record import against, tagged
from drdrill.errors import BadInput, DrdrillError
from drdrill.estate.select import lock_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.connect.capabilities import Look
    from drdrill.drill.undo_log import Entry
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Reach, Undo


_WHY: Final = "somebody recovers the estate with `drdrill recover`"


@dataclass
class Recovered:
    """What was found and done, in words: one line for each hold."""

    healed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is open, or everything that was is proven healed."""
        return not self.left


def recover(estate: Estate, say: Callable[[str], None], ways: Ways | None = None) -> Recovered:
    """Heal every open hold of this estate, the last one first. Takes no lock and refuses nothing.

    First every drill that has something open loses the right to renew it: otherwise a live one would go on renewing what is
    healed here, and a drill that hangs would keep its fault for ever. A live drill sees that and aborts. Several may recover at
    once: those of one machine take turns for each record, and to heal twice is to heal once.
    """
    ways = ways or Ways(estate)
    folder = state.folder(estate.name)
    log = UndoLog(folder)
    reading = log.read()
    done = Recovered(left=list(reading.findings))
    known = {entry.undo.hold for entry in reading.entries}
    # A terminal that goes away, or an impatient Ctrl-C, would leave half of it. Every heal is bounded.
    with uninterrupted(lambda: "; ".join(e.undo.title for e in log.read().entries) or "nothing", say):
        _stop_live(ways, folder, say)
        heal_entries(ways, log, reading.entries, done, say)
    for hold, look in open_holds(ways).items():
        if hold in known:
            continue
        if look.answer is False:
            done.left.append(
                f"{hold}: {look.words}; this undo log does not know it: another drill, on another machine or with another "
                "DRDRILL_STATE. `drdrill faults` says whose it is, `drdrill faults --heal` removes it when that drill is dead"
            )
        else:
            say(f"{hold}: it could not be asked whether anything else is struck: {look.words}")
    return done


def heal_entries(
    ways: Ways, log: UndoLog, entries: Sequence[Entry], done: Recovered, say: Callable[[str], None]
) -> None:
    """Heal these records, the last one first, once their drills have lost the right to renew."""
    believed = _believed(ways.estate, entries, done)
    revoke(ways, [entry.undo for entry in believed], say)
    for entry in reversed(believed):
        _heal(ways, entry, log, done, say)


def _believed(estate: Estate, entries: Sequence[Entry], done: Recovered) -> list[Entry]:
    """Those that name nothing but what the estate and the faults have. With the others nothing is done."""
    found = []
    for entry in entries:
        try:
            against(estate, entry.undo)
        except BadInput as error:
            done.left.append(f"{entry.path}: {error}; it is left alone. Look with `drdrill faults` what is in force")
        else:
            found.append(entry)
    return found


def _heal(ways: Ways, entry: Entry, log: UndoLog, done: Recovered, say: Callable[[str], None]) -> None:
    undo = entry.undo
    say(f"healing: {undo.title} ({', '.join(undo.hosts)})")
    with log.claimed(entry, REVERT_WITHIN_S + HEALED_WITHIN_S) as ours:
        if not ours:
            say("  healed meanwhile by somebody else")
            return
        wrong = heal(ways, undo)
        if wrong is None:
            log.done(undo.hold)
            done.healed.append(undo.title)
            say("  healed: nothing of it is left")
        else:
            done.left.append(f"{undo.title}: {wrong}. By hand: {undo.command}")
            say(f"  NOT HEALED: {wrong}")


def _stop_live(ways: Ways, folder: Path, say: Callable[[str], None]) -> None:
    """A drill that runs, here or elsewhere, may renew nothing any more, and is told to stop. Nothing here may hinder a heal."""
    estate = ways.estate
    lock = EstateLock(folder, estate.name)
    drills: dict[str, str] = {}
    owner = lock.owner()
    here = str(owner.get("drill", ""))
    if tagged(here) and lock.held():
        drills[here] = f"drill {here} (process {owner.get('pid')})"
        with contextlib.suppress(OSError):
            HaltFile(folder, here).write(_WHY)
    host = lock_host(estate)
    if host is not None:
        with CommonLock(estate, host, ways) as common:
            try:
                held = bounded(lambda: common.halt(_WHY), REVERT_WITHIN_S, f"asking {host}")
            except (DrdrillError, OSError) as error:
                say(f"note: {host}, which keeps the lock of this estate, could not be asked: {error}")
                held = None
        if held is not None and tagged(held.drill) and held.free_s > 0:
            drills.setdefault(held.drill, held.words)
    for drill, words in drills.items():
        say(f"{words} is running; it loses its faults and will abort")
        _revoke(ways, {(c, way.name, drill) for c in STRIKING for way in ways.every(c)}, say)


def revoke(ways: Ways, undos: list[Undo], say: Callable[[str], None]) -> None:
    """Take the right to renew away from the drills of these records, through each way that they name."""
    _revoke(ways, {(c, n, u.drill) for u in undos for c, n in u.way_in.items()}, say)


def _revoke(ways: Ways, through: set[tuple[str, str, str]], say: Callable[[str], None]) -> None:
    for capability, name, drill in sorted(through):
        try:
            bounded(lambda c=capability, n=name, d=drill: ways.named(c, n).revoke(d), REVERT_WITHIN_S, "revoking")  # type: ignore[misc]
        except (DrdrillError, OSError) as error:
            say(f"drill {drill} could not be told to stop renewing through {name}: {error}")


def heal(ways: Ways, undo: Undo) -> str | None:
    """Heal one hold from its record alone. What is still wrong, or None when it is proven healed."""
    try:
        fault, reach = against(ways.estate, undo), reach_of(ways, undo)
        words = ""
        try:
            bounded(lambda: fault.revert(reach, undo), REVERT_WITHIN_S, f"healing {undo.title}")
        except (DrdrillError, OSError) as error:
            words = f"the command to heal failed: {error}; "
        look = _healed(fault, reach, undo)
    except (DrdrillError, OSError) as error:
        return str(error)
    except (LookupError, TypeError, ValueError) as error:
        return f"the record is not what this fault needs: {error!r}"
    return None if look.answer is True else words + look.words


def _healed(fault: Fault, reach: Reach, undo: Undo) -> Look:
    end = time.monotonic() + HEALED_WITHIN_S
    while (look := fault.healed(reach, undo)).answer is not True and time.monotonic() < end:
        time.sleep(0.1)
    return look
