# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every hold of one drill shares: journal, undo log, guardian, clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.errors import BadInput, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.drill.guardian.beside import Guardian
    from drdrill.drill.undo_log import UndoLog
    from drdrill.faults.fault import Undo
    from drdrill.journal.journal import Journal


@dataclass
class Tools:
    """What every hold of one drill shares. `nap` is called between two looks: it waits a little and feeds the other holds."""

    journal: Journal
    log: UndoLog
    say: Callable[[str], None]
    now_ns: Callable[[], int] = time.monotonic_ns
    nap: Callable[[], None] = lambda: time.sleep(0.1)
    guardian: Guardian | None = None

    def keep(self, undo: Undo, hard_end_s: float) -> None:
        """Have an undo on disk, here and with the guardian. Raises Refused: it is not, so there must be no harm."""
        try:
            self.log.write(undo)
        except (OSError, BadInput) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Refused(f"{self.log.folder}: the undo cannot be written ({why}), so nothing is struck") from error
        if self.guardian is not None:
            try:
                self.guardian.guard(undo, hard_end_s)
            except Refused:
                self.log.done(undo.hold)
                raise

    def forget(self, hold: str) -> None:
        """This hold is proven healed."""
        self.log.done(hold)
        if self.guardian is not None:
            self.guardian.done(hold)
