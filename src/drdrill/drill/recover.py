# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Heal by hand what a drill left: from its undo log and its guardian's alone, beside a dead drill or a live one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.baseline import open_holds
from drdrill.drill.bounded import bounded
from drdrill.drill.forged import forged, require_genuine
from drdrill.drill.hold import HEALED_WITHIN_S, REVERT_WITHIN_S
from drdrill.drill.lock import EstateLock
from drdrill.drill.reach import reach_of
from drdrill.drill.signals import uninterrupted
from drdrill.drill.undo_logs import UndoLogs
from drdrill.errors import DrdrillError
from drdrill.faults.limits import recover_command
from drdrill.faults.registry import of_undo

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.connect.capabilities import Look
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Reach, Undo


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
    """Heal every open hold of this estate, the last one first. Takes no lock and refuses nothing; two at once heal the same.

    First every drill that has something open loses the right to renew it: otherwise a live one would go on renewing what is
    healed here, and a drill that hangs would keep its fault for ever. A live drill sees that and aborts.
    """
    ways = ways or Ways(estate)
    folder = state.folder(estate.name)
    logs = UndoLogs(folder)
    written, findings = logs.read()
    done = Recovered(left=list(findings))
    _say_owner(EstateLock(folder, estate.name), say)
    undos = []
    for record in written:
        if words := forged(record.undo, estate):
            done.left.append(f"the record {record.undo.hold!r} in {record.logs[0].folder} is left alone: {words}")
        else:
            undos.append(record.undo)
    known = {record.undo.hold for record in written}
    # A terminal that goes away, or an impatient Ctrl-C, would leave half of it. Every heal is bounded.
    with uninterrupted(lambda: "; ".join(w.undo.title for w in logs.read()[0]) or "nothing", say):
        revoke(ways, undos, say)
        for undo in undos:
            _heal(ways, undo, logs, done, say)
    for hold, look in open_holds(ways).items():
        if hold in known:
            continue
        if look.answer is False:
            done.left.append(
                f"{hold}: {look.words}; no undo log here knows it: another drill, with another DRDRILL_STATE. Is that one dead, "
                f"then by its tag: {recover_command(estate).replace('drdrill recover', 'drdrill faults --heal')}"
            )
        else:
            say(f"{hold}: it could not be asked whether anything else is struck: {look.words}")
    return done


def _heal(ways: Ways, undo: Undo, logs: UndoLogs, done: Recovered, say: Callable[[str], None]) -> None:
    say(f"healing: {undo.title} ({', '.join(undo.hosts)})")
    wrong = heal(ways, undo)
    if wrong is None:
        logs.done(undo.hold)
        done.healed.append(undo.title)
        say("  healed: nothing of it is left")
    else:
        done.left.append(f"{undo.title}: {wrong}. By hand: {undo.command}")
        say(f"  NOT HEALED: {wrong}")


def _say_owner(lock: EstateLock, say: Callable[[str], None]) -> None:
    owner = lock.owner()
    if owner and lock.held():
        say(f"drill {owner.get('drill')} (process {owner.get('pid')}) is running; it loses its faults and will abort")


def revoke(ways: Ways, undos: list[Undo], say: Callable[[str], None]) -> None:
    """Take the right to renew away from the drills of these records, through each way that they name; not of forged ones."""
    undos = [undo for undo in undos if forged(undo, ways.estate) is None]
    for capability, name, drill in sorted({(c, n, u.drill) for u in undos for c, n in u.way_in.items()}):
        try:
            bounded(lambda c=capability, n=name, d=drill: ways.named(c, n).revoke(d), REVERT_WITHIN_S, "revoking")  # type: ignore[misc]
        except (DrdrillError, OSError) as error:
            say(f"drill {drill} could not be told to stop renewing through {name}: {error}")


def heal(ways: Ways, undo: Undo) -> str | None:
    """Heal one hold from its record alone. What is still wrong, or None when it is proven healed."""
    try:
        require_genuine(undo, ways.estate)
        fault, reach = of_undo(undo), reach_of(ways, undo)
        words = ""
        try:
            bounded(lambda: fault.revert(reach, undo), REVERT_WITHIN_S, f"healing {undo.title}")
        except (DrdrillError, OSError) as error:
            words = f"the command to heal failed: {error}; "
        look = _healed(fault, reach, undo)
    except (DrdrillError, OSError) as error:
        return str(error)
    return None if look.answer is True else words + look.words


def _healed(fault: Fault, reach: Reach, undo: Undo) -> Look:
    end = time.monotonic() + HEALED_WITHIN_S
    while (look := fault.healed(reach, undo)).answer is not True and time.monotonic() < end:
        time.sleep(0.1)
    return look
