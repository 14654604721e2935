# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""All holds of one drill: fed together, healed last strike first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.drill.hold import Hold, Reason

PASSES: Final = 3
"""One pass over all heals before any is retried, then two more over what is left."""


class Holds:
    """The holds of one drill, in the order in which they were struck."""

    def __init__(self) -> None:
        self.all: list[Hold] = []

    @property
    def open(self) -> Sequence[Hold]:
        """Those of which something may be left."""
        return [hold for hold in self.all if hold.open]

    @property
    def down(self) -> set[str]:
        """The hosts that cannot answer, since a fault of this drill has their power or lets them stand still."""
        silencing = [hold for hold in self.all if hold.open and hold.fault.needs & {"power", "freeze"}]
        return {host for hold in silencing for host in hold.undo.hosts}

    def add(self, hold: Hold) -> None:
        """Before it strikes, so that nothing struck is ever unknown here."""
        self.all.append(hold)

    def feed(self, *, now: bool = False) -> None:
        """Renew and look at each that is in force. Raises LeaseLost, WayInFailed, after all of them were fed."""
        failure: Exception | None = None
        for hold in self.all:
            try:
                hold.feed(now=now)
            except Exception as error:  # noqa: BLE001 - one lost lease must not starve the others
                failure = failure or error
        if failure is not None:
            raise failure

    def heal_all(self, reason: Reason) -> Sequence[Hold]:
        """Heal every open hold; what stays broken is given back, and was said with the command to type."""
        for _ in range(PASSES):
            for hold in reversed(self.open):
                hold.heal(reason)
            if not self.open:
                break
        for hold in self.open:
            hold.residual()
        return self.open

    def still_open(self) -> str:
        """For the person who presses Ctrl-C a second time."""
        return "; ".join(f"{hold.title} ({hold.undo.command})" for hold in self.open) or "nothing"
