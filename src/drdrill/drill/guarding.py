# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Asking the guards: all of them before a strike, and again and again while something is held.

They are read again in a thread of its own, by ways in of its own: a member that is silent holds up no lease.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.connect.capabilities import Look
from drdrill.drill.bounded import bounded
from drdrill.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.drill.guards.guard import Case, Guard

ASK_S: Final = 10.0
"""What one guard may take before a strike; leases are fed between two of them."""
ROUND_S: Final = 5.0
"""Between two rounds while something is held."""
SILENT_S: Final = 20.0
"""A round that takes longer has no answer, and who has no answer for so long sees nothing."""
PATIENCE_S: Final = 10.0
"""A no that lasts for so long is believed: a daemon that restarts in a failover is back by then."""


@dataclass(frozen=True)
class Said:
    """What one guard said. `lifted`: its no is what the sentence expects."""

    guard: str
    look: Look
    lifted: bool = False

    @property
    def refuses(self) -> bool:
        """Whether nothing may be struck for it."""
        return self.look.answer is not True and not self.lifted

    def as_json(self) -> dict[str, object]:
        """For the journal."""
        return {"guard": self.guard, "answer": self.look.answer, "words": self.look.words, "lifted": self.lifted}


def before(
    guards: Mapping[str, Guard], case: Case, *, quorum_loss: bool, between: Callable[[], None]
) -> Sequence[Said]:
    """Ask every guard about a strike. One that crashes or is silent cannot tell, which is no yes."""
    found = []
    for name, guard in guards.items():
        between()
        look = _asked(lambda guard=guard: bounded(lambda: guard.before(case), ASK_S, "it"))  # type: ignore[misc]
        # Only a no is what was expected; that nobody can tell is not.
        found.append(Said(name, look, lifted=guard.lifted and quorum_loss and look.answer is False))
    return found


def _asked(question: Callable[[], Look]) -> Look:
    try:
        return question()
    except DrdrillError as error:
        return Look(None, str(error))
    except Exception as error:  # noqa: BLE001 - whatever keeps a guard from seeing, it has not seen
        return Look(None, f"it could not be asked: {type(error).__name__}: {error}")


class GuardWatch:
    """Reads the guards again while something is held.

    Args:
        guards: all of them.
        case: makes the moment that is looked at, by ways in of this watch alone; None while nothing is held.
        patience_s: for how long a no has to last now.
        tell: gets what a guard says whenever its answer changes.
        now_ns: the clock.
    """

    name = "guards"
    every_s = 0.5

    def __init__(
        self,
        guards: Mapping[str, Guard],
        case: Callable[[], Case | None],
        patience_s: Callable[[], float],
        tell: Callable[[Said], None],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._guards = guards
        self._case = case
        self._patience_s = patience_s
        self._tell = tell
        self._now_ns = now_ns
        self._round: _Round | None = None
        self._next_ns = 0
        self._wrong: dict[str, int] = {}
        self._last: dict[str, bool | None] = {}

    def look(self) -> str | None:
        """Why the drill has to stop, or None. Never waits for a guard."""
        now, running = self._now_ns(), self._round
        if running is not None and not running.done.is_set():
            slow = now - running.begun_ns > SILENT_S * 1e9
            return f"{running.at} has not answered for {SILENT_S:g} s" if slow else None
        if running is not None:
            self._round = None
            if words := self._heard(running, now):
                return words
        if now >= self._next_ns:
            self._next_ns = now + int(ROUND_S * 1e9)
            case = self._case()
            if case is None:
                self._wrong.clear()
                return None
            self._round = _Round(self._guards, case, now)
        return None

    def _heard(self, ended: _Round, now: int) -> str | None:
        if ended.crashed:
            return ended.crashed
        for name, look in ended.said.items():
            if name not in self._last or self._last[name] is not look.answer:
                self._last[name] = look.answer
                self._tell(Said(name, look))
            if look.answer is True:
                self._wrong.pop(name, None)
            elif now - self._wrong.setdefault(name, ended.begun_ns) >= self._patience_s() * 1e9:
                return f"{name}: {look.words}"
        return None


class _Round:
    """One reading of all guards, in a thread that nobody waits for."""

    def __init__(self, guards: Mapping[str, Guard], case: Case, begun_ns: int) -> None:
        self.begun_ns = begun_ns
        self.done = threading.Event()
        self.said: dict[str, Look] = {}
        self.crashed = ""
        self.at = ""
        self._guards = guards
        self._case = case
        threading.Thread(target=self._run, daemon=True, name="guards").start()

    def _run(self) -> None:
        with contextlib.suppress(Exception):  # That it crashed is told by `crashed`.
            for name, guard in self._guards.items():
                self.at = name
                if guard.lifted and self._case.quorum_lost:
                    continue
                self._ask(name, guard)
        self.done.set()

    def _ask(self, name: str, guard: Guard) -> None:
        try:
            look = guard.held(self._case)
        except DrdrillError as error:
            look = Look(None, str(error))
        except Exception as error:
            self.crashed = f"{name} could not be asked: {type(error).__name__}: {error}"
            raise
        if look is not None:
            self.said[name] = look
