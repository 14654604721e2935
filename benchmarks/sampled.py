# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill ARGUMENTS` under a sampler that asks 100 times a second what the main thread waits for: sampled.py OUT ARGUMENTS.

Awaited is time below a way in or an engine (the estate is asked), and the nap between two looks of `Drill.wait_until` (the
estate, or a window that a rule states). Everything else is our own: imports, compiling, starting and stopping measuring
processes, reading what was measured, judging, reporting. A function that is renamed here makes our share larger, never smaller.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

EVERY_S = 0.01
ESTATE = ("/drdrill/connect/", "/drdrill/engines/", "/drdrill/drill/bounded.py")
OWN_WAITS = ("the measuring to begin", "the writers to pause")


def main() -> None:
    """Run the command, and write the samples to OUT as JSON: rows of CLOCK_MONOTONIC s, seconds, what was waited for, place."""
    out = Path(sys.argv[1])
    sys.argv = ["drdrill", *sys.argv[2:]]
    rows: list[tuple[float, float, str, str]] = []
    over = threading.Event()
    watcher = threading.Thread(target=watch, args=(threading.main_thread().ident, rows, over), daemon=True)
    watcher.start()
    try:
        from drdrill.cli.main import main as command  # noqa: PLC0415 - its import is part of what is sampled

        command()
    finally:
        over.set()
        watcher.join()
        out.write_text(json.dumps(rows))


def watch(main_thread: int | None, rows: list[tuple[float, float, str, str]], over: threading.Event) -> None:
    """Give the time between two samples to what the later one found."""
    before = time.monotonic()
    while not over.wait(EVERY_S):
        now = time.monotonic()
        frame = sys._current_frames().get(main_thread or 0)  # noqa: SLF001 - the documented way to see another thread
        if frame is not None:
            rows.append((now, now - before, *waits_for(frame)))
        before = now


def waits_for(frame: FrameType) -> tuple[str, str]:
    """What this stack waits for (estate, window, own), and our innermost function in it."""
    innermost, at = True, frame
    place, kind = "", "own"
    while True:
        name, function = at.f_code.co_filename, at.f_code.co_name
        if name.startswith("<frozen importlib"):
            kind, place = "own", "import"
        elif "/drdrill/" in name:
            ours = f"{name.rsplit('/drdrill/', 1)[1]}:{function}"
            # An import is told apart by who asked for it: the first of our functions around it that is not an import itself.
            if place == "import" and function != "<module>":
                place = f"import by {ours}"
            place = place or ours
            if any(part in name for part in ESTATE):
                kind = kind if place.startswith("import") else "estate"
            elif innermost and function == "wait_until":
                kind = "own" if str(at.f_locals.get("words")).startswith(OWN_WAITS) else "awaited"
            elif innermost and function == "_nap":
                kind = "awaited"
        innermost = False
        if at.f_back is None:
            return kind, place or "python"
        at = at.f_back


if __name__ == "__main__":
    main()
