# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What several benchmarks need: the command as a person types it, and a lab of our own that is taken down whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DRDRILL = [sys.executable, "-c", "from drdrill.cli.main import main; main()"]


def timed(
    argv: list[str], cwd: Path, *, allowed: tuple[int, ...] = (0,), state: Path | None = None
) -> tuple[float, str]:
    """Seconds of wall time of a command, and what it printed.

    Raises:
        SystemExit: it ended otherwise than it may; a benchmark of something that failed is worth nothing.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DRDRILL_", "PYTEST_"))}
    environment["DRDRILL_STATE"] = str(state or cwd / "state")
    began = time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return seconds, done.stdout


@contextmanager
def pocket(folder: Path) -> Iterator[Path]:
    """A healthy pocket lab; gives its state folder."""
    state = folder / "state"
    timed([*DRDRILL, "lab", "up", "pocket"], folder, state=state)
    try:
        yield state
    finally:
        timed([*DRDRILL, "lab", "down"], folder, state=state)


@contextmanager
def network(folder: Path) -> Iterator[Path]:
    """A healthy network lab; gives its state folder."""
    state = folder / "state"
    timed([*DRDRILL, "lab", "up", "network"], folder, state=state)
    try:
        yield state
    finally:
        timed([*DRDRILL, "lab", "down", "network"], folder, state=state)
