# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What our plugin costs a pytest that has nothing to do with drills: one empty test, with us and without us, in turn."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from figure import Figure
from tools import timed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = 15
LIMIT_MS = 60.0


def measure(folder: Path) -> Iterator[Figure]:
    """Pairs, because the machine is not the same from one minute to the next; the first of each is the files' first reading."""
    (folder / "test_empty.py").write_text("def test_nothing():\n    pass\n")
    plain = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_empty.py"]
    without, ours, bdd = [], [], []
    for n in range(ROUNDS + 1):
        both_off = timed([*plain, "-p", "no:drdrill", "-p", "no:pytest-bdd"], folder)[0]
        bdd_alone = timed([*plain, "-p", "no:drdrill"], folder)[0]
        with_us = timed([*plain, "-p", "no:pytest-bdd"], folder)[0]
        if n:
            without.append(both_off * 1e3)
            ours.append((with_us - both_off) * 1e3)
            bdd.append((bdd_alone - both_off) * 1e3)
    detail = {"pytest without both, ms": without}
    yield Figure("our plugin in an unrelated pytest", "ms", ours, "limit", [LIMIT_MS], 1.0, detail=detail)
    yield Figure("our plugin in an unrelated pytest", "ms", ours, "pytest-bdd's own plugin", bdd, 1.0)
