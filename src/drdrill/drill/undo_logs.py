# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Every undo log of an estate on this machine: that of its drills, and those of their guardians."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.drill.guardian.line import dial
from drdrill.drill.undo_log import UndoLog
from drdrill.errors import DrdrillError

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.faults.fault import Undo


@dataclass(frozen=True)
class Written:
    """One open hold as it stands written down: since when, by wall clock, and in which logs."""

    undo: Undo
    since_s: float
    logs: tuple[UndoLog, ...]


class UndoLogs:
    """All of them.

    Args:
        state: the estate's state folder.
    """

    def __init__(self, state: Path) -> None:
        self._state = state

    def read(self) -> tuple[list[Written], list[str]]:
        """What is open, the last strike first and each hold once, and what could not be read."""
        found: dict[str, Written] = {}
        findings: list[str] = []
        for log in self._logs():
            reading = log.read()
            findings += reading.findings
            for entry in reversed(reading.entries):
                before = found.get(entry.undo.hold)
                since_s = 0.0
                with contextlib.suppress(OSError):  # Another process has healed it meanwhile.
                    since_s = entry.path.stat().st_mtime
                logs = (*before.logs, log) if before else (log,)
                found[entry.undo.hold] = Written(before.undo if before else entry.undo, since_s, logs)
        return list(found.values()), findings

    def done(self, hold: str) -> None:
        """This hold is proven healed, whoever wrote it down."""
        for log in self._logs():
            with contextlib.suppress(OSError):
                log.done(hold)

    def guarded(self, drill: str) -> bool:
        """Whether the guardian of a drill lives on this machine: it heals by itself when it is time."""
        try:
            dial(self._state / "guardian" / drill).close()
        except (OSError, DrdrillError):
            return False
        return True

    def _logs(self) -> list[UndoLog]:
        with contextlib.suppress(OSError):
            folders = sorted(p for p in (self._state / "guardian").iterdir() if p.is_dir())
            return [UndoLog(self._state), *(UndoLog(folder) for folder in folders)]
        return [UndoLog(self._state)]
