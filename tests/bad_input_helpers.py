# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A team's folder, and drills in it as a person starts them: the real drill, over ways in to an estate in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.errors import BadInput
from drdrill.journal import events
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.journal.journal import Reading

COMMAND = [sys.executable, "-m", "drdrill.cli"]
CUT = """\
Feature: A data center is cut off
  Scenario: East is isolated
    When site "east" is isolated
    And site "east" is reconnected
    Then the estate is as it was before within its recovery time
"""
HELD = CUT.replace("    And site", "    And the fault is held for 60 s\n    And site")


@dataclass
class Folder:
    """Where a team stands, and `drdrill` there."""

    path: Path

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def drdrill(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end. What it says holds no traceback: every mistake here is one that a person makes."""
        ran = subprocess.run(
            [*COMMAND, *arguments], cwd=self.path, env={**os.environ, **environment},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert "Traceback" not in ran.stdout + ran.stderr, ran.stdout + ran.stderr
        return ran

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`drdrill run` on the team's estate."""
        return self.drdrill("run", "--estate", "clinic.yaml", "-p", "no:hypothesispytest", *arguments, **environment)

    def command(self, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
        """One command, in a process that goes on; see `subprocess.Popen` for what it may be given."""
        return subprocess.Popen([*COMMAND, *arguments], cwd=self.path, **how)

    def start(self, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
        """`drdrill run` on the team's estate, in a process that goes on."""
        return self.command("run", "--estate", "clinic.yaml", "-p", "no:hypothesispytest", *arguments, **how)

    @property
    def drill(self) -> Path:
        """The folder of the one drill."""
        (folder,) = (self.path / "reports" / "out").iterdir()
        return folder

    @property
    def journal(self) -> Reading:
        return read(self.drill)

    def touched(self) -> bool:
        """Whether any drill was begun here."""
        return (self.path / "reports").exists()

    def await_held(self, process: subprocess.Popen[bytes]) -> None:
        """Until the sentence that holds the fault has begun."""
        until = time.monotonic() + 60
        while not self._held():
            assert process.poll() is None, f"it ended with {process.returncode} before it held its fault"
            assert time.monotonic() < until
            time.sleep(0.05)  # It is another process; its journal can only be looked at.

    def _held(self) -> bool:
        try:
            return any(e.data["index"] == 1 for e in self.journal.of(events.STEP_BEGUN))
        except (BadInput, ValueError, OSError):
            return False
