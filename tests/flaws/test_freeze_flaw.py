# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A host that does not freeze, and one that thaws by itself: neither lets a drill end in met."""

from __future__ import annotations

import pytest
from harness import FEATURES

FREEZES = FEATURES / "host_loss" / "database_host_freezes.feature"

pytestmark = [pytest.mark.lab, pytest.mark.long]


def test_a_freeze_that_does_not_take_hold_is_inconclusive(labs):
    """The way in says ok and nothing stands still: the service was never in danger, and that proves nothing."""
    ran = labs.get("freeze-is-ignored").run("ignored", FREEZES)
    assert ran.status == 6, ran.output
    assert (ran.result, ran.restoration) == ("inconclusive", "restored")
    told = ran.failed_assumptions()
    assert any("freezes" in words or "took_hold" in name for name, words in told.items()), told
    assert "0 of" in ran.output
    assert "stand still" in ran.output


def test_a_host_that_thaws_by_itself_half_way_is_inconclusive_and_lapsed(labs):
    """It thaws before anybody was promoted, so the other site never had to take over: what clients saw is no proof."""
    ran = labs.get("short-leases").run("short", FREEZES)
    assert ran.status == 6, ran.output
    assert (ran.result, ran.restoration) == ("inconclusive", "restored")
    lapsed = ran.last("fault.lapsed")
    assert lapsed["at_ns"] is not None
    assert "lapsed" in str(ran.last("drill.judged")["reasons"])
