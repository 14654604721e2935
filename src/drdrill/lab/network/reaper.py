# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Removes a lab's control groups when its supervisor died, however: `python -m drdrill.lab.network.reaper FOLDER`.

The kernel ends every process of a supervisor that died; what it cannot remove are the groups. The supervisor holds the lock
`alive` for life, and we hold `reaper` until we are done: who has both locks knows that nothing is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import signal
import sys
from pathlib import Path

from drdrill.lab.network import cgroups


def main() -> None:
    """Wait for the lock, then sweep."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder = Path(sys.argv[1])
    with contextlib.suppress(FileNotFoundError), (folder / "reaper").open("w") as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)
        with (folder / "alive").open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_SH)
        with contextlib.suppress(TimeoutError):
            cgroups.sweep(folder)


if __name__ == "__main__":
    main()
