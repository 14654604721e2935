# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Stop the drill of an estate, from any machine that reaches its lock, and say what comes of it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.baseline import open_holds
from drdrill.drill.halted import Halts
from drdrill.drill.hold import LEASE_S
from drdrill.drill.lock import EstateLock
from drdrill.drill.shared_lock import SharedLock, me, told
from drdrill.errors import DrdrillError
from drdrill.estate.select import lock_host
from drdrill.faults.limits import recover_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.estate.model import Estate

REACTS_S: Final = 10.0
"""A drill looks twice a second, between its sentences and while it waits; one command of a sentence may take so long."""
ENDS_S: Final = 180.0
_NAP_S: Final = 0.05


class Halt:
    """One halt of the drill of an estate.

    Args:
        estate: whose drill is meant.
        say: one line for the person who watches.
        ways: over whose shells the lock is reached.
        reacts_s: how long the drill may take to begin its heal.
        ends_s: how long it is watched after that.
    """

    def __init__(
        self,
        estate: Estate,
        say: Callable[[str], None],
        ways: Ways | None = None,
        *,
        reacts_s: float = REACTS_S,
        ends_s: float = ENDS_S,
    ) -> None:
        self._estate, self._say = estate, say
        self._reacts_s, self._ends_s = reacts_s, ends_s
        self._ways = ways or Ways(estate)
        self._folder = state.folder(estate.name)
        self._local = EstateLock(self._folder, estate.name)
        host = lock_host(estate)
        self._shared = SharedLock(self._ways, host) if host is not None else None
        self._unseen = "no other machine can be looked at: this estate has no host for its lock" if host is None else ""

    def run(self) -> bool:
        """Tell it, and watch. Whether nothing runs any more, or it ends by now; False: a person has to look."""
        here = self._local.owner() if self._local.held() else {}
        by, begun = me(), time.monotonic()
        if here:
            Halts(self._folder).keep(str(here.get("run", "")), str(here["drill"]), by)
        there = self._tell(by)
        drill = str(here.get("drill") or (there or {}).get("drill") or "")
        if not drill:
            self._say(
                f"no drill runs on the estate {self._estate.name}" + (f"; {self._unseen}" if self._unseen else "")
            )
            return self._shared is None or not self._unseen
        self._say(f"told {told(there) if there and not here else f'drill {drill}'} to stop")
        word = self._await(drill, begun + self._reacts_s, bool(here), "healing")
        if not word:
            return self._silent(drill, there)
        if word == "healing":
            self._say(f"drill {drill} heals, {time.monotonic() - begun:.1f} s after it was told")
            word = self._await(drill, begun + self._ends_s, bool(here), "ended")
        if word != "ended":
            self._say(f"drill {drill} has not ended yet: it waits until the estate is as it was, and judges then")
            return True
        self._say(f"drill {drill} has ended")
        return self._left()

    def _tell(self, by: str) -> dict[str, Any] | None:
        """The lock of a drill that was told by it; None: none is seen there."""
        if self._shared is None:
            return None
        try:
            lock = self._shared.tell_halt(by)
        except DrdrillError as error:
            self._unseen = f"the lock on {self._shared.host} cannot be asked: {error}"
            return None
        if lock is not None and lock["left_s"] <= 0:
            self._say(
                f"note: {told(lock)} is dead: its lock on {self._shared.host} ran out {-lock['left_s']:.0f} s ago"
            )
            return None
        return lock

    def _await(self, drill: str, end_s: float, here: bool, wanted: str) -> str:
        """Until the drill is seen so: `healing`, or `ended`, which is later; empty when it was not in time."""
        while time.monotonic() < end_s:
            seen = self._here(drill) if here else self._there(drill)
            if seen in {wanted, "ended"}:
                return seen
            time.sleep(_NAP_S if here else 4 * _NAP_S)  # It is another process; it can only be looked at.
        return ""

    def _here(self, drill: str) -> str:
        if not self._local.held():
            return "ended"
        owner = self._local.owner()
        if owner and owner.get("drill") != drill:
            return "ended"
        return "healing" if owner.get("healing") else "running"

    def _there(self, drill: str) -> str:
        if self._shared is None:
            return "running"
        try:
            lock = self._shared.look()
        except DrdrillError:
            return "running"
        if lock is None or lock["drill"] != drill:
            return "ended"
        return "healing" if lock["healing"] else "running"

    def _silent(self, drill: str, there: dict[str, Any] | None) -> bool:
        left_s = max(LEASE_S, there["left_s"] if there else 0.0)
        until = datetime.now().astimezone() + timedelta(seconds=left_s)
        self._say(
            f"drill {drill} does not react within {self._reacts_s:g} s. If it is dead or hangs, its leases last until "
            f"{until:%H:%M:%S} at the latest; to heal now: {recover_command(self._estate)}"
        )
        return False

    def _left(self) -> bool:
        """Whether nothing is struck any more; what is, said."""
        whole = True
        for hold, look in open_holds(self._ways).items():
            whole = whole and look.answer is not False
            self._say(f"{'STILL STRUCK' if look.answer is False else 'not known'}: {hold}: {look.words}")
        self._say("nothing is struck" if whole else f"to heal it: {recover_command(self._estate)}")
        return whole
