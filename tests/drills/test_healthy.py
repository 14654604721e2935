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

    from _pytest.mark import ParameterSet
    from harness import Labs

RUNS = 10
BUSY_LOOPS = 2

# On the network lab one drill of each way to break something runs with each CI: links, power, freeze.
IN_CI = {
    "network": ("site_cut_off.feature", "entry_host.feature", "database_host_freezes.feature"),
    "pocket": tuple(path.name for path in FEATURES.rglob("*.feature") if not path.name.endswith(".zh.feature")),
}
NOT_THERE = {"pocket": ("entry_host.feature", "entry_host.zh.feature")}
"""It has one entry at each site, so no address that another one could answer for; `drdrill run` says so."""
MARKS = {"pocket": pytest.mark.lab, "network": pytest.mark.network}


def shipped() -> Iterator[ParameterSet]:
    """Each lab with each drill that it can have. A Chinese twin is compiled to the same calls, so running it is for --all."""
    for lab in ("pocket", "network"):
        for path in sorted(FEATURES.rglob("*.feature")):
            if path.name not in NOT_THERE.get(lab, ()):
                marks = [MARKS[lab], *([] if path.name in IN_CI[lab] else [pytest.mark.long])]
                yield pytest.param(lab, path, id=f"{lab}-{path.relative_to(ROOT)}", marks=marks)


SHIPPED = list(shipped())


def check_one(labs: Labs, lab: str, feature: Path, name: str) -> None:
    ran = labs.get(name=lab).run(f"{feature.stem}-{name}", feature)
    assert ran.status == 0, ran.output
    assert (ran.result, ran.restoration) == ("met", "restored")
    assert not ran.checks("fail")
    assert not ran.checks("unknown")
    assert not ran.failed_assumptions()
    assert ran.folder is not None
    assert (ran.folder / "report.html").exists()


@pytest.mark.parametrize(("lab", "feature"), SHIPPED)
@pytest.mark.parametrize("time", [1, *(pytest.param(n, marks=pytest.mark.long) for n in range(2, RUNS + 1))])
def test_a_healthy_estate_meets_its_objectives(labs: Labs, lab: str, feature: Path, time: int):
    check_one(labs, lab, feature, str(time))


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
@pytest.mark.parametrize(("lab", "feature"), SHIPPED)
@pytest.mark.parametrize("time", range(1, RUNS + 1))
def test_a_busy_machine_raises_no_false_alarm(labs: Labs, lab: str, feature: Path, time: int):
    """Two loops on two cores: what is ours becomes slow, and must neither be taken for an outage nor hide one."""
    labs.get(name=lab)  # Raised while it is quiet: how fast a lab comes up is not the question.
    with busy_loops(BUSY_LOOPS):
        check_one(labs, lab, feature, f"busy-{time}")
