# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is true of a fake estate that is kept in a file, and which guardians run: read raw, by nothing of the product's."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any


def strikes(world: Path) -> dict[str, dict[str, Any]]:
    """Every hold that was ever struck, as the file says that is the estate."""
    while True:
        try:
            found: dict[str, dict[str, Any]] = json.loads(world.read_text() or "{}").get("strikes", {})
        except ValueError:
            continue  # It was being written.
        return found


def struck(world: Path) -> list[str]:
    """What is in force now. A lease that has run out is over."""
    now = time.monotonic_ns()
    return [h for h, s in strikes(world).items() if not s["ended"] and min(s["until_ns"], s["hard_ns"]) > now]


def guardians(folder: Path) -> list[int]:
    """Guardians of drills in this folder that still run, by the process table."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if b"drdrill.drill.guardian.process" in words and any(w.startswith(os.fsencode(folder) + b"/") for w in words):
            found.append(int(entry.name))
    return found


def left_over(folder: Path, within_s: float = 5.0) -> list[int]:
    """The guardians of drills in this folder that do not end by themselves; they are ended here, so that none outlives a test."""
    end = time.monotonic() + within_s
    while (left := guardians(folder)) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left
