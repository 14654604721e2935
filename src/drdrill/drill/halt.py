# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A person stops a drill from anywhere: the halt is written where the lock is, and on this machine; the drill sees it and heals."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from drdrill.drill import owned, state
from drdrill.drill.common_lock import EVERY_S, CommonLock, Held, owner
from drdrill.drill.hold import LEASE_S
from drdrill.drill.lock import EstateLock
from drdrill.errors import BadInput, DrdrillError
from drdrill.estate.select import lock_host
from drdrill.faults.limits import recover_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate

REACTS_S: Final = 4.0
_NAP_S: Final = 0.1


class HaltFile:
    """The halt of this machine's drill; a watch of that drill.

    Args:
        folder: the estate's state folder.
        drill: whose halt; another drill's is not looked at.
    """

    name = "halt"
    every_s = EVERY_S

    def __init__(self, folder: Path, drill: str) -> None:
        self.path = folder / "halt"
        self.drill = drill

    def write(self, words: str) -> None:
        """Tell the drill to stop. Raises OSError."""
        draft = self.path.with_name(f"halt.{os.getpid()}")
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            json.dump({"drill": self.drill, "words": words}, file)
        draft.rename(self.path)

    def look(self) -> str | None:
        """Why the drill has to stop. Taking the file away says that it was seen."""
        if not self.path.exists():
            return None
        try:
            told = json.loads(owned.read(self.path))
            if told["drill"] != self.drill:
                return None
            words = str(told["words"])
        except FileNotFoundError:
            return None
        except (BadInput, ValueError, LookupError, TypeError):
            return None  # Nobody but its owner stops a drill from here.
        self.path.unlink(missing_ok=True)
        return words if words.isprintable() else repr(words)

    @property
    def seen(self) -> bool:
        """Whether the drill has taken it away."""
        return not self.path.exists()

    def forget(self) -> None:
        """No halt of before is of this drill."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Halted:
    """What a halt came to. `drill` is None where none runs; `reacted` says that it saw the halt and heals."""

    drill: str | None
    reacted: bool
    words: str


def halt(
    estate: Estate, because: str, say: Callable[[str], None], ways: Ways | None = None, reacts_s: float = REACTS_S
) -> Halted:
    """Stop the drill of this estate, wherever it runs. Strikes and heals nothing itself."""
    words = f"halted by {owner()}" + (f": {because}" if because else "")
    if not words.isprintable():
        raise BadInput("the reason of a halt is one line of text")
    folder = state.folder(estate.name)
    lock = EstateLock(folder, estate.name)
    here = str(lock.owner().get("drill", "")) if lock.held() else ""
    file = HaltFile(folder, here) if here else None
    if file is not None:
        file.write(words)
    host = lock_host(estate)
    if host is None:
        say(
            f"note: {estate.path} has no host that keeps the lock of this estate, so only a drill of this machine is seen"
        )
        return _awaited(estate, file, None, None, reacts_s)
    with CommonLock(estate, host, ways) as common:
        try:
            held = common.halt(words)
        except (DrdrillError, OSError) as error:
            say(f"note: {host}, which keeps the lock of this estate, could not be asked: {error}")
            return _awaited(estate, file, None, None, reacts_s)
        return _awaited(estate, file, common, held, reacts_s)


def _awaited(
    estate: Estate, file: HaltFile | None, common: CommonLock | None, held: Held | None, reacts_s: float
) -> Halted:
    drill = held.drill if held else file.drill if file else None
    if drill is None:
        return Halted(None, reacted=False, words=f"no drill of estate {estate.name} is running")
    whose = held.words if held else f"drill {drill} of this machine"
    begun = time.monotonic()
    while time.monotonic() - begun < reacts_s:
        if (file is not None and file.seen) or _seen(common, drill):
            took_s = time.monotonic() - begun
            return Halted(
                drill, reacted=True, words=f"{whose}: it has seen the halt after {took_s:.1f} s, aborts and heals"
            )
        time.sleep(_NAP_S)
    left_s = max(held.faults_s, 0.0) if held else LEASE_S
    until = datetime.now().astimezone() + timedelta(seconds=left_s)
    return Halted(
        drill,
        reacted=False,
        words=(
            f"{whose}: it did not react within {reacts_s:g} s. Unless it renews them, the leases of its faults last until "
            f"{until:%H:%M:%S} at the latest, and its guardian heals what has no lease. This heals now: {recover_command(estate)}"
        ),
    )


def _seen(common: CommonLock | None, drill: str) -> bool:
    """Whether the drill has heard it where the lock is, or has given the lock back meanwhile."""
    if common is None:
        return False
    try:
        now = common.show()
    except (DrdrillError, OSError):
        return False
    return now is None or now.drill != drill or now.seen
