# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a guardian guards: the open holds of one drill, and until when the runner has to be heard. Pure: it is told the time.

    nothing open --guard--> guarded --not heard for a lease, or a hard end--> HEALING (never back)
         ^                     |
         +-------- done -------+

A renewal extends the lease and begins nothing: once the healing has begun it is answered with `healing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drdrill.faults.fault import Undo

LEASE_S: Final = 30.0
"""As long as the lease of a hold: a step may take 20 s without feeding."""


@dataclass
class Ward:
    """The holds of one drill.

    Args:
        lease_s: how long the runner may be silent while anything is open.
    """

    lease_s: float = LEASE_S
    why: str | None = None
    """Why the healing began; None: it did not."""
    _open: dict[str, tuple[Undo, int]] = field(default_factory=dict)
    _until_ns: int = 0

    @property
    def healing(self) -> bool:
        """Whether the guardian heals by now: nothing can be struck or renewed any more."""
        return self.why is not None

    @property
    def open(self) -> tuple[Undo, ...]:
        """What is open, the last strike first."""
        return tuple(undo for undo, _ in reversed(self._open.values()))

    def guard(self, undo: Undo, hard_end_s: float, now_ns: int) -> bool:
        """Take a hold into care, before its harm. False: the healing has begun, so there may be no harm."""
        if self.healing:
            return False
        self._open[undo.hold] = (undo, now_ns + int(hard_end_s * 1e9))
        self.heard(now_ns)
        return True

    def heard(self, now_ns: int) -> bool:
        """The runner lives. False: that comes too late, and changes nothing."""
        if self.healing:
            return False
        self._until_ns = now_ns + int(self.lease_s * 1e9)
        return True

    def done(self, hold: str) -> None:
        """This one is proven healed."""
        self._open.pop(hold, None)

    def heal(self, why: str) -> None:
        """The healing begins; the first reason stays."""
        self.why = self.why or why

    def overdue(self, now_ns: int) -> str | None:
        """Why the healing has to begin now, or None."""
        if self.healing or not self._open:
            return None
        if now_ns >= self._until_ns:
            return f"the drill was not heard for {self.lease_s:g} s"
        for undo, hard_ns in self._open.values():
            if now_ns >= hard_ns:
                return f"{undo.title} has reached its hard end"
        return None
