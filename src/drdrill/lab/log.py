# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the supervisor says about itself: lines in its log, `supervisor.log` in the lab's folder."""

from __future__ import annotations

import sys
import time


def log(words: str) -> None:
    """One line."""
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is the log file
