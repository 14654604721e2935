# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hold: what keeps a fault in order from its plan to its heal. It owns journal, undo log and lease; the fault only knows how.

                 undo on disk      lease 3 s       inject          took hold, way back proven: lease 30 s
    (begin) --> PLANNED ---------> ARMED ---------> STRUCK ---------> HELD ----+ held? renewed, every 5 s
                    |                |                |                | ^_____|
                    |                |  inject died   |                |
                    |                +----------------+----------------+-----------> LAPSED   the lease ran out, or
                    |                                 | heal           | heal          | heal   somebody else healed
                    +---------------------------------+-------> HEALING <--------------+
                                                                  |   |
                                                   healed? yes    |   |    no, or no answer
                                                       HEALED <---+   +---> RESIDUAL, with the command to type

A strike whose inject died goes to HEALING too: half a strike is undone like a whole one. HEALING may be entered again from
RESIDUAL. There is no other way.
"""

from __future__ import annotations

import contextlib
import enum
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from drdrill.connect.capabilities import Look
from drdrill.drill.bounded import bounded
from drdrill.drill.undo_log import to_json
from drdrill.errors import DrdrillError, LeaseLost, Refused, WayInFailed
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.drill.undo_log import UndoLog
    from drdrill.faults.fault import Fault, Reach, Targets, Undo
    from drdrill.journal.journal import Journal

LEASE_S: Final = 30.0
"""Once the way back is proven: a step may take 20 s without feeding."""
LOOK_EVERY_S: Final = 5.0
REVERT_WITHIN_S: Final = 60.0
"""Power on returns only when the processes were started."""
HEALED_WITHIN_S: Final = 15.0

Reason = Literal["sentence", "end", "abort", "recover"]


class State(enum.StrEnum):
    """Where a hold is; the chart is at the top of this file."""

    PLANNED = "planned"
    ARMED = "armed"
    STRUCK = "struck"
    HELD = "held"
    LAPSED = "lapsed"
    HEALING = "healing"
    HEALED = "healed"
    RESIDUAL = "residual"


@dataclass
class Tools:
    """What every hold of one drill shares. `nap` is called between two looks: it waits a little and feeds the other holds."""

    journal: Journal
    log: UndoLog
    say: Callable[[str], None]
    nap: Callable[[], None]
    now_ns: Callable[[], int] = time.monotonic_ns


@dataclass
class Hold:
    """One fault from plan to heal. Made by `plan`; nothing is struck before `strike`."""

    fault: Fault
    reach: Reach
    undo: Undo
    tools: Tools
    state: State = State.PLANNED
    lapsed: bool = False
    lease_s: float = 0.0
    words: str = ""
    """The last that was heard about healing it."""
    whole: bool | None = None
    """Whether nothing of it is left, as the last look after a heal saw it; None when that could not be told."""
    _next_ns: int = field(default=0, repr=False)
    _healing: bool = field(default=False, repr=False)

    @classmethod
    def plan(cls, fault: Fault, reach: Reach, targets: Targets, tools: Tools) -> Hold:
        """Say how to undo it, on disk. Touches nothing of the estate.

        Raises:
            Refused: the undo is not on disk, so there is no strike.
        """
        undo = fault.plan(reach, targets)
        try:
            tools.log.write(undo)
        except OSError as error:
            raise Refused(
                f"{tools.log.folder}: the undo cannot be written ({error.strerror}), so nothing is struck"
            ) from error
        told = {"hold": undo.hold, "fault": undo.fault, "title": undo.title, "targets": list(undo.hosts)}
        tools.journal.write(events.FAULT_PLANNED, **told, sites=list(undo.sites), why=undo.why, undo=to_json(undo))
        return cls(fault, reach, undo, tools)

    @property
    def title(self) -> str:
        """The sentence of its fault."""
        return self.undo.title

    @property
    def open(self) -> bool:
        """Whether something of it may be left."""
        return self.state is not State.HEALED

    @property
    def in_force(self) -> bool:
        """Whether it is struck, and neither healed nor lapsed as far as is known."""
        return self.state in {State.STRUCK, State.HELD}

    def strike(self) -> Look:
        """Arm, inject, prove the way back, extend the lease, and look whether it took hold.

        A fault that did not take hold is not an error here: the drill goes on and can never end in met.

        Raises:
            WayInFailed: a command failed. Whatever was done waits for `heal`.
            LeaseLost: the first lease could not be extended.
        """
        self._offer()
        self.reach.lease_s = self.fault.first_lease_s
        self._tell(events.FAULT_ARMED, lease_s=self.fault.first_lease_s, hard_end_s=self.reach.hard_end_s)
        self.state = State.ARMED
        lease = self.fault.inject(self.reach, self.undo)
        self.state, self.lease_s = State.STRUCK, lease.lease_s
        self._tell(events.FAULT_STRUCK, first_ns=lease.first_ns, last_ns=lease.last_ns)
        self._prove_way_back()
        self._renew()
        look = self._look("took_hold", self.fault.took_hold)
        if self.in_force:
            self.state = State.HELD
        return look

    def _offer(self) -> None:
        """Open our own traffic while it must still flow. Traffic that does not flow before proves nothing by being silent after."""
        self.reach.traffic = self.fault.offer(self.reach, self.undo)
        if self.reach.traffic is None:
            return
        before = self.reach.traffic.look()
        if before.answer is not True:
            words = f"{self.title}: our own traffic did not flow before the strike ({before.words}), so its silence proves nothing"
            self.tools.journal.write(events.NOTE, words=words)
            self.reach.traffic.close()
            self.reach.traffic = None

    def _prove_way_back(self) -> None:
        """Ask for our holds by the way that will heal them, now that the cut is there. Raises WayInFailed when nobody answers."""
        for way in self.reach.ways.values():
            try:
                way.holds(self.undo.drill)
            except (DrdrillError, OSError) as error:
                raise WayInFailed(
                    f"{self.title}: there is no way back through {way.name} ({error}); healing"
                ) from error

    def feed(self, *, now: bool = False) -> None:
        """Renew the lease and look whether it is held, when it is time or at once.

        Raises:
            LeaseLost: the hold was healed or revoked by somebody else, or nobody knows it any more.
            WayInFailed: nobody answers.
        """
        if self.in_force and (now or self.tools.now_ns() >= self._next_ns):
            self._renew()
            if self.in_force:
                self._look("held", self.fault.held)

    def _renew(self) -> None:
        answer = self.fault.renew(self.reach, self.undo, LEASE_S)
        if answer.state == "held":
            self.lease_s = answer.left_s
            wait_s = min(LOOK_EVERY_S, answer.left_s / 3)
            self._next_ns = self.tools.now_ns() + int(wait_s * 1e9)
            self._tell(events.FAULT_RENEWED, lease_s=answer.left_s)
            return
        if answer.state == "revoked":
            raise LeaseLost(
                f"{self.title}: somebody took away the right to renew it, as `drdrill recover` does; the drill stops"
            )
        self.state, self.lapsed = State.LAPSED, True
        self._tell(events.FAULT_LAPSED, at_ns=answer.at_ns)
        if answer.state != "lapsed":
            end = "somebody else healed it" if answer.state == "healed" else "nobody knows this hold any more"
            raise LeaseLost(f"{self.title}: {end} before the drill asked for it; the drill stops")
        self._say(f"LAPSED: {self.title}: its lease ran out before it was healed; this drill cannot end in met")

    def _look(self, question: str, ask: Callable[[Reach, Undo], Look]) -> Look:
        try:
            look = ask(self.reach, self.undo)
        except (DrdrillError, OSError) as error:
            look = Look(None, f"it could not be looked at: {error}")
        self._tell(
            events.FAULT_LOOKED, question=question, answer=look.answer, words=look.words, counts=dict(look.counts)
        )
        return look

    def heal(self, reason: Reason) -> bool:
        """Undo it and prove that nothing is left. True when it is healed; never raises for what the estate answers.

        Bounded: 60 s for the command, then 15 s of looking.
        """
        if self.state is State.HEALED:
            return True
        self._healing = True
        if self.in_force:
            self._last_look()
        self.state = State.HEALING
        self._tell(events.FAULT_HEALING, reason=reason)
        first_ns = last_ns = self.tools.now_ns()
        self.words = ""
        try:
            lease = bounded(lambda: self.fault.revert(self.reach, self.undo), REVERT_WITHIN_S, f"healing {self.title}")
            first_ns, last_ns = lease.first_ns, lease.last_ns
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the other heals must be tried
            self.words = f"the command to heal failed: {error}"
        if not self._proven_healed():
            self.state = State.RESIDUAL
            return False
        self.state = State.HEALED
        self._tell(events.FAULT_HEALED, first_ns=first_ns, last_ns=last_ns)
        self._close()
        return True

    def _last_look(self) -> None:
        """Held is proven right up to the revert."""
        try:
            self.feed(now=True)
        except Exception as error:  # noqa: BLE001 - no surprise on the way may keep it from being healed
            self._tell(events.NOTE, words=f"{self.title}: not looked at before its heal: {error}")

    def _proven_healed(self) -> bool:
        """Look until nothing is left of it, or the time for it is over."""
        end = self.tools.now_ns() + int(HEALED_WITHIN_S * 1e9)
        while True:
            try:
                look = bounded(
                    lambda: self.fault.healed(self.reach, self.undo), HEALED_WITHIN_S, f"looking at {self.title}"
                )
            except Exception as error:  # noqa: BLE001 - not seen is not healed
                look = Look(None, f"it could not be looked at: {error}")
                end = min(end, self.tools.now_ns() + int(1e9))
            if look.answer is True or self.tools.now_ns() >= end:
                break
            self.tools.nap()
        self.whole = look.answer
        counts = dict(look.counts)
        self._tell(events.FAULT_LOOKED, question="healed", answer=look.answer, words=look.words, counts=counts)
        if look.answer is not True:
            self.words = f"{self.words}; {look.words}" if self.words else look.words
        return look.answer is True

    def _close(self) -> None:
        try:
            self.tools.log.done(self.undo.hold)
            if self.reach.traffic is not None:
                self.reach.traffic.close()
        except Exception as error:  # noqa: BLE001 - it is healed; this is only tidying
            self._tell(events.NOTE, words=f"{self.title}: healed, but its undo record could not be taken away: {error}")

    def residual(self) -> None:
        """Say that it stays broken, with what a person can type."""
        self._tell(events.FAULT_RESIDUAL, words=self.words or "not proven healed", command=self.undo.command)
        self._say(f"NOT HEALED: {self.title}: {self.words}. Type: {self.undo.command}")

    def _tell(self, kind: str, **data: Any) -> None:
        """Into the journal. While healing a full disk must not stop the heal; before it, it must stop the drill."""
        try:
            self.tools.journal.write(kind, hold=self.undo.hold, **data)
        except OSError:
            if not self._healing:
                raise

    def _say(self, words: str) -> None:
        with contextlib.suppress(Exception):  # Printing never fails a heal.
            self.tools.say(words)
