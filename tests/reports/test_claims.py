# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Who says that it is the writer, as the picture shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drdrill.journal.fake import Scene
from drdrill.journal.records import CLAIM, Claim
from drdrill.reports import account, strips, timeline

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000


def rounds(*told: tuple[int, int, Claim]) -> np.ndarray:
    """One member's answers: due and done in milliseconds, and what it said."""
    found = np.zeros(len(told), CLAIM)
    for n, (due, done, claim) in enumerate(told):
        found[n] = (n, due * MS, done * MS, 0, claim)
    return found


def states(cells: strips.Cells) -> list[tuple[int, int, int]]:
    return [(r.from_ns // MS, r.to_ns // MS, r.state) for r in strips.runs(cells)]


def test_rounds_that_wait_for_a_silent_member_leave_no_holes():
    cells = strips.claims(rounds((0, 505, Claim.YES), (600, 1105, Claim.YES), (1200, 1205, Claim.YES)), 0, 5.0)
    assert states(cells) == [(0, 1405, strips.YES)]


def test_a_round_that_is_missing_is_a_hole():
    cells = strips.claims(rounds((0, 5, Claim.YES), (1000, 1005, Claim.YES)), 0, 5.0)
    assert states(cells) == [(0, 205, strips.YES), (205, 1000, strips.ABSENT), (1000, 1205, strips.YES)]


def test_the_first_word_of_a_member_that_was_silent_stands_at_the_end_of_its_round():
    """Otherwise a frozen host would seem to claim its role before it thawed."""
    cells = strips.claims(rounds((0, 500, Claim.SILENT), (600, 900, Claim.YES), (1000, 1005, Claim.YES)), 0, 5.0)
    assert states(cells) == [(0, 900, strips.SILENT), (900, 1205, strips.YES)]


def test_together_is_only_what_two_are_at_the_same_time():
    one = strips.Cells(np.array([0, 10, 20]), np.array([strips.YES, strips.NO], np.uint8))
    other = strips.Cells(np.array([0, 7, 20]), np.array([strips.NO, strips.YES], np.uint8))
    assert [(r.from_ns, r.to_ns) for r in strips.together([one, other], strips.YES)] == [(7, 10)]
    assert strips.together([one], strips.YES) == []


def test_two_writers_at_once_stand_over_the_members(tmp_path: Path):
    scene = Scene(tmp_path / "drill")
    scene.claims(["east-db1", "south-db1"], [("east-db1", 0, 22), ("south-db1", 20, 60)])
    picture = timeline.draw(scene.recording())
    assert picture is not None
    (group,) = [g for g in picture.groups if "writer" in g.heading]
    (bracket,) = group.rows[0].brackets  # type: ignore[union-attr]
    assert bracket.label == "two at once"
    assert 1.8 < bracket.to_s - bracket.from_s < 2.3
    assert group.rows[1].brackets == ()  # type: ignore[union-attr]


def test_members_of_one_component_write_together_without_a_mark(tmp_path: Path):
    scene = Scene(tmp_path / "drill")
    both = [("east-db1", 0, 60), ("south-db1", 0, 60)]
    parts = [("east-db1", 0, 60, 7), ("south-db1", 0, 20, 7), ("south-db1", 20, 23, 8), ("south-db1", 23, 60, 7)]
    scene.claims(["east-db1", "south-db1"], both, components=parts)
    picture = timeline.draw(scene.recording())
    assert picture is not None
    (group,) = [g for g in picture.groups if "writer" in g.heading]
    (bracket,) = group.rows[0].brackets  # type: ignore[union-attr]
    assert 2.8 < bracket.to_s - bracket.from_s < 3.3
    claimed = [s for s in group.rows[1].segments if s.hover]  # type: ignore[union-attr]
    assert len(claimed) == 1


def test_a_report_says_what_a_frozen_host_of_a_lab_is_not(tmp_path: Path):
    scene = Scene(tmp_path / "drill")
    scene.strike("h1", "a host freezes", at=10, healed=20, hosts=["east-db1"], fault="host-frozen", needs=["freeze"])
    told = " ".join(account.notes(scene.recording()))
    assert "frozen" not in told, "only a lab freezes by stopping processes"
    scene._events[0][2]["lab"] = "pocket"
    told = " ".join(account.notes(scene.recording()))
    assert "goes on accepting connections" in told
