# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for what has to become so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def eventually(look: Callable[[], object], within_s: float = 15.0, words: str = "it did not become so") -> float:
    """Look until it is so; the seconds that it took. A failed test, with these words, when it does not get so in time."""
    begun = time.monotonic()
    while not look():
        assert time.monotonic() - begun < within_s, words
        time.sleep(0.02)
    return time.monotonic() - begun
