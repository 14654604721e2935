# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Ends the lab when its supervisor dies, however that died: `python -m drdrill.lab.pocket.reaper FOLDER`.

It reads a pipe whose other end only the supervisor has. The kernel closes that end with the supervisor, and the read returns.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from drdrill.lab.pocket.sweep import sweep


def main() -> None:
    """Wait for the end of the pipe on standard input, then sweep."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    with contextlib.suppress(TimeoutError):
        sweep(Path(sys.argv[1]), spare={os.getpid()})


if __name__ == "__main__":
    main()
