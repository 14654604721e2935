# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Healthy drills end in met and restored, every time. A false alarm is a bug, and is never retried."""

from __future__ import annotations

import pytest
from harness import FEATURES, ROOT

pytestmark = pytest.mark.lab

# A Chinese twin is compiled to the same calls as its English one, which is tested elsewhere; running it too is for --all.
SHIPPED = [
    pytest.param(
        path, id=str(path.relative_to(ROOT)), marks=[pytest.mark.long] if path.name.endswith(".zh.feature") else []
    )
    for path in sorted(FEATURES.rglob("*.feature"))
]


@pytest.mark.parametrize("feature", SHIPPED)
@pytest.mark.parametrize("time", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_a_healthy_estate_meets_its_objectives(labs, feature, time):
    ran = labs.get().run(f"{feature.stem}-{time}", feature)
    assert ran.status == 0, ran.output
    assert (ran.result, ran.restoration) == ("met", "restored")
    assert not ran.checks("fail")
    assert not ran.checks("unknown")
    assert not ran.failed_assumptions()
    assert (ran.folder / "report.html").exists()
