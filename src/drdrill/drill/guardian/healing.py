# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""How a guardian heals: one bounded pass over everything, the last strike first, before anything is tried again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drdrill.drill.recover import heal, revoke
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.connect.registry import Ways
    from drdrill.drill.guardian.ward import Ward
    from drdrill.journal.journal import Journal

PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0, *(10.0,) * 60)
"""Between passes. After all of them, about ten minutes, a person has to look: what is still open is said with the line to type."""


class Healing:
    """The healing of one drill by its guardian.

    Args:
        ways: the guardian's own ways in.
        ward: what is open.
        journal: the guardian's own.
        forget: called with a hold that is proven healed.
        nap: waits between passes.
    """

    def __init__(
        self,
        ways: Ways,
        ward: Ward,
        journal: Journal,
        forget: Callable[[str], None],
        nap: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ways = ways
        self._ward = ward
        self._journal = journal
        self._forget = forget
        self._nap = nap

    def run(self, why: str) -> bool:
        """Heal everything; whether nothing is open at the end."""
        titles = [undo.title for undo in self._ward.open]
        self._journal.write(events.GUARDIAN_HEALING, why=why, titles=titles)
        # First: a runner that only stood still must not go on renewing what is healed here.
        revoke(self._ways, list(self._ward.open), self._note)
        for pause_s in (0.0, *PAUSES_S):
            self._nap(pause_s)
            for undo in self._ward.open:
                self._journal.write(events.FAULT_HEALING, hold=undo.hold, reason="guardian")
                wrong = heal(self._ways, undo)
                if wrong is None:
                    now_ns = time.monotonic_ns()
                    self._journal.write(events.FAULT_HEALED, hold=undo.hold, first_ns=now_ns, last_ns=now_ns)
                    self._forget(undo.hold)
                else:
                    self._note(f"{undo.title}: {wrong}")
            if not self._ward.open:
                break
        for undo in self._ward.open:
            self._journal.write(
                events.FAULT_RESIDUAL, hold=undo.hold, words="the guardian could not heal it", command=undo.command
            )
        self._journal.write(
            events.GUARDIAN_ENDED, words="everything is healed" if not self._ward.open else "something is not healed"
        )
        return not self._ward.open

    def _note(self, words: str) -> None:
        self._journal.write(events.NOTE, words=words)
