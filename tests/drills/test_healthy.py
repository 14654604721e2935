# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Healthy drills end in met and restored, every time, on a busy machine too. A false alarm is a bug, and is never retried."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from harness import FEATURES, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Labs

pytestmark = pytest.mark.lab

RUNS = 10
BUSY_LOOPS = 2

# A Chinese twin is compiled to the same calls as its English one, which is tested elsewhere; running it too is for --all.
SHIPPED = [
    pytest.param(
        path, id=str(path.relative_to(ROOT)), marks=[pytest.mark.long] if path.name.endswith(".zh.feature") else []
    )
    for path in sorted(FEATURES.rglob("*.feature"))
]


def check_one(labs: Labs, feature: Path, name: str) -> None:
    ran = labs.get().run(f"{feature.stem}-{name}", feature)
    assert ran.status == 0, ran.output
    assert (ran.result, ran.restoration) == ("met", "restored")
    assert not ran.checks("fail")
    assert not ran.checks("unknown")
    assert not ran.failed_assumptions()
    assert ran.folder is not None
    assert (ran.folder / "report.html").exists()


@pytest.mark.parametrize("feature", SHIPPED)
@pytest.mark.parametrize("time", [1, *(pytest.param(n, marks=pytest.mark.long) for n in range(2, RUNS + 1))])
def test_a_healthy_estate_meets_its_objectives(labs: Labs, feature: Path, time: int):
    check_one(labs, feature, str(time))


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """So many processes that only count."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@pytest.mark.long
@pytest.mark.parametrize("feature", SHIPPED)
@pytest.mark.parametrize("time", range(1, RUNS + 1))
def test_a_busy_machine_raises_no_false_alarm(labs: Labs, feature: Path, time: int):
    """Two loops on two cores: what is ours becomes slow, and must neither be taken for an outage nor hide one."""
    labs.get()  # Raised while it is quiet: how fast a lab comes up is not the question.
    with busy_loops(BUSY_LOOPS):
        check_one(labs, feature, f"busy-{time}")
