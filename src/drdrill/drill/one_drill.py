# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One drill per estate: the lock of this machine, the one that every runner sees, and the word by which both are told to stop."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, Self

from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.halted import Halts
from drdrill.drill.lock import EstateLock
from drdrill.drill.shared_lock import RUN, SharedLock, told
from drdrill.errors import DrdrillError, EstateBusy, Refused
from drdrill.estate.select import lock_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.drill.holds import Holds
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault

LOCK: Final = "the lock of the estate"
HALT: Final = "told to stop"


class OneDrill:
    """The estate, for one drill; a watch of it as well.

    Args:
        estate: whose lock it is.
        say: one line for the person who watches.
    """

    every_s = 0.1
    """A small file, and what came in: the host of the lock is asked less often, but its answer is heard at once."""

    def __init__(self, estate: Estate, say: Callable[[str], None]) -> None:
        self.name = LOCK
        self._estate = estate
        self._tell = say
        self._local = EstateLock(state.folder(estate.name), estate.name)
        self._halts = Halts(state.folder(estate.name))
        self._ways = Ways(estate)
        self._shared: SharedLock | None = None
        self._needed = estate.lab is None or estate.lock is not None
        """A lab is of this machine, and so are its drills: there the other lock may be away, unless somebody asked for it."""
        self._drill = ""
        self._holds: Holds | None = None

    def _say(self, words: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # A terminal that went away stops no drill.
            self._tell(words)

    @property
    def where(self) -> str:
        """Where it is kept, in words."""
        return f"this machine and {self._shared.host}" if self._shared is not None else "this machine"

    def take(self, drill: str) -> Self:
        """Take the estate for a drill, at once.

        Raises:
            EstateBusy: another drill has it; the message names it.
            Refused: this run was halted, or the host that keeps the lock cannot be asked.
        """
        self._local.take(drill, RUN)
        try:
            self._drill = drill
            self._take_shared()
        except BaseException:
            self._local.release()
            self._ways.close()
            raise
        return self

    def _take_shared(self) -> None:
        if by := self._halts.of_run(RUN):
            raise Refused(f"this run was halted by {by}, so it begins no other drill")
        host = lock_host(self._estate)
        if host is None:
            if self._estate.lab is None:
                self._say(
                    f"note: {self._estate.path} names no host for the lock of the estate (`lock: HOST`), and no site that only "
                    "votes has one with a shell: drills that are started on other machines are not kept away"
                )
            return
        shared = SharedLock(self._ways, host, self._longest_s)
        try:
            stale = shared.take(self._drill)
        except EstateBusy:
            raise
        except DrdrillError as error:
            if not self._needed:
                self._say(f"note: the lock of the estate is kept on this machine only: {error}")
                return
            raise Refused(f"the lock of the estate cannot be taken on {host}, so nothing is struck: {error}") from error
        self._shared = shared
        if stale is not None:
            self._say(
                f"note: the lock of {told(stale)} was taken over from {host}: its lease is out, and so are those of its faults"
            )

    def outlast(self, holds: Holds) -> None:
        """From now on the lock lasts longer than the leases of these."""
        self._holds = holds

    def _longest_s(self) -> float:
        return max((hold.lease_s for hold in self._holds.open), default=0.0) if self._holds is not None else 0.0

    def look(self) -> str | None:
        """Why the drill has to stop: somebody said so, or the estate is not ours any more."""
        wrong = self._shared.wrong(silent_too=self._needed) if self._shared is not None else None
        by = self._halts.of_drill(self._drill) or (self._shared.halt if self._shared is not None else None)
        self.name = HALT if by else LOCK
        if by is None:
            return wrong
        self._halts.keep(RUN, self._drill, by)
        return f"`drdrill halt` by {by}"

    def forbids(self, fault: Fault, hosts: Sequence[str]) -> str | None:
        """Why a fault may not strike these hosts, or None: one that keeps the lock has to go on answering."""
        shared = self._shared
        if shared is None or not self._needed or shared.host not in hosts or not fault.needs & {"power", "freeze"}:
            return None
        return f"{shared.host} keeps the lock of the estate, which has to be renewed there; name another host (`lock: HOST`)"

    def beat(self) -> None:
        """Renew what has to be renewed. Never waits, and raises nothing."""
        if self._shared is not None:
            self._shared.beat()

    def heal(self) -> None:
        """Say on the locks that the drill heals by now."""
        self._local.say(healing=True)
        if self._shared is not None:
            self._shared.heal()

    def release(self) -> None:
        """Give the estate back. What cannot be given back runs out."""
        if self._shared is not None:
            try:
                self._shared.release()
            except DrdrillError as error:
                self._say(f"note: the lock could not be given back, and runs out by itself: {error}")
            self._shared = None
        self._ways.close()
        self._local.release()
