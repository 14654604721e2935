# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""When a guardian heals: a lease that only extends, hard ends, the last strike first."""

from __future__ import annotations

from drdrill.drill.guardian.ward import Ward
from drdrill.faults.fault import Undo

SECOND = 1_000_000_000


def undo(hold: str) -> Undo:
    return Undo("site-lost", hold, "d", "clinic", f"title of {hold}", ("a",), (), "why", {"power": "fake"}, "command")


def test_nothing_open_is_never_overdue():
    assert Ward().overdue(10**18) is None


def test_a_drill_that_is_heard_keeps_its_faults_and_one_that_is_not_loses_them():
    ward = Ward(lease_s=30.0)
    ward.guard(undo("d-1"), 600.0, 0)
    assert ward.overdue(29 * SECOND) is None
    assert ward.heard(29 * SECOND)
    assert ward.overdue(58 * SECOND) is None
    assert ward.overdue(59 * SECOND) == "the drill was not heard for 30 s"


def test_once_it_heals_no_renewal_and_no_strike_counts():
    ward = Ward()
    ward.guard(undo("d-1"), 600.0, 0)
    ward.heal("the drill was not heard for 30 s")
    ward.heal("another reason")
    assert not ward.heard(0)
    assert not ward.guard(undo("d-2"), 600.0, 0)
    assert ward.overdue(10**18) is None
    assert (ward.why, len(ward.open)) == ("the drill was not heard for 30 s", 1)


def test_a_hard_end_is_never_extended():
    ward = Ward()
    ward.guard(undo("d-1"), 40.0, 0)
    for second in range(0, 40, 10):
        assert ward.heard(second * SECOND)
    assert ward.overdue(39 * SECOND) is None
    assert ward.overdue(40 * SECOND) == "title of d-1 has reached its hard end"


def test_the_last_strike_is_healed_first_and_what_is_done_is_forgotten():
    ward = Ward()
    for hold in ("d-1", "d-2", "d-3"):
        ward.guard(undo(hold), 600.0, 0)
    ward.done("d-2")
    ward.done("never there")
    assert [u.hold for u in ward.open] == ["d-3", "d-1"]
