# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What one drill holds so that it is the only one: the lock of this machine, and the one where every runner sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from drdrill.drill.common_lock import CommonLock
from drdrill.drill.halt import HaltFile
from drdrill.drill.lock import EstateLock
from drdrill.errors import DrdrillError
from drdrill.estate.select import lock_host

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.drill.watches import Watch
    from drdrill.estate.model import Estate


class Locks:
    """The locks of one drill.

    Args:
        folder: the estate's state folder.
        estate: what is locked.
    """

    def __init__(self, folder: Path, estate: Estate) -> None:
        self._estate = estate
        self._folder = folder
        self._here = EstateLock(folder, estate.name)
        host = lock_host(estate)
        self.common = CommonLock(estate, host) if host is not None else None
        self.words = ""
        """How far it reaches, or whose stale lock it was: for the journal."""
        self._halt: HaltFile | None = None

    def take(self, drill: str) -> Self:
        """Take all of it, or nothing. Raises EstateBusy, Refused."""
        self._here.take(drill)
        self._halt = HaltFile(self._folder, drill)
        self._halt.forget()
        if self.common is None:
            self.words = (
                f"{self._estate.path}: no host keeps the lock of this estate (`lock: HOST`, or a host with a shell at a site that "
                "only votes), so a drill of another machine is not seen"
            )
            return self
        try:
            over = self.common.take(drill)
        except BaseException:
            self._here.release()
            raise
        self.words = f"the lock of the estate is kept on {self.common.host}"
        if over is not None:
            self.words += (
                f"; it was taken over from {over.words}: that one is not heard any more, and its faults' leases are out"
            )
        return self

    @property
    def watches(self) -> Sequence[Watch]:
        """What ends the drill: a halt, or a lock that is lost."""
        found: list[Watch] = [self._halt] if self._halt is not None else []
        return [*found, self.common] if self.common is not None else found

    def beat(self) -> None:
        """Renew. Never waits, and raises nothing."""
        if self.common is not None:
            self.common.beat()

    def release(self) -> None:
        """Give everything back; fine when it was never taken."""
        if self.common is not None:
            self.common.release()
        if self._halt is not None:
            self._halt.forget()
        self._here.release()


def alive(estate: Estate, folder: Path) -> tuple[frozenset[str], list[str]]:
    """The drills that may be running, and what could not be asked: there nobody knows whether a drill is alive."""
    found: set[str] = set()
    here = EstateLock(folder, estate.name)
    if here.held():
        found.add(str(here.owner().get("drill", "")))
    host = lock_host(estate)
    if host is None:
        return frozenset(found), []
    with CommonLock(estate, host) as common:
        try:
            held = common.show()
        except (DrdrillError, OSError) as error:
            return frozenset(found), [f"the lock of the estate on {host}: {error}"]
    if held is not None and held.free_s > 0:
        found.add(held.drill)
    return frozenset(found), []
