# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.checkers.check import Case
from drdrill.checkers.divergence import same
from drdrill.checkers.lost_write import judge, lost
from drdrill.checkers.refused_write_present import judge as refused
from drdrill.checkers.verdict import Verdict
from drdrill.journal.records import Done

if TYPE_CHECKING:
    from drdrill.journal.fake import Scene


def test_a_write_that_is_on_no_member_is_lost_and_named(scene: Scene):
    stream = scene.writes("east")
    keys = scene.acknowledged(stream)
    scene.readback("east-db1", keys[:700] + keys[703:], at=61)
    scene.readback("south-db1", keys[:700] + keys[703:], at=61)
    judged = lost(scene.recording(), "clinical")
    assert judged.verdict is Verdict.FAIL
    assert judged.witnesses == tuple(keys[700:703])
    assert judged.counts["lost"] == 3
    assert judged.counts["lost_s"] == pytest.approx(0.12)  # two periods between them, and one
    assert "lost 3 acknowledged writes of 1500" in judged.message


def test_what_one_member_still_has_is_not_lost_but_the_members_differ(scene: Scene):
    keys = scene.acknowledged(scene.writes("east"))
    scene.readback("east-db1", keys, at=61)
    scene.readback("south-db1", keys[:-2], at=61)
    recording = scene.recording()
    assert lost(recording, "clinical").verdict is Verdict.PASS
    differ = same(recording, "clinical")
    assert differ.verdict is Verdict.FAIL
    assert differ.witnesses[0] == f"{keys[-2]}: on east-db1, not on south-db1"
    assert "differ in 2 rows of 1500" in differ.message


def test_nothing_is_lost_when_every_acknowledged_write_is_there(scene: Scene):
    stream = scene.writes("east", outcomes=[(10, 12, Done.UNKNOWN), (12, 13, Done.UNSENT)])
    keys = scene.acknowledged(stream)
    there = [*keys, f"{scene.prefix(stream)}251"]
    scene.readback("east-db1", there, at=61)
    scene.readback("south-db1", there, at=61)
    recording = scene.recording()
    judged = lost(recording, "clinical")
    assert judged.verdict is Verdict.PASS
    assert (judged.counts["unknown"], judged.counts["unknown_found"], judged.counts["unsent"]) == (50, 1, 25)
    assert same(recording, "clinical").verdict is Verdict.PASS


@pytest.mark.parametrize("read", [(), (None, None)])
def test_without_a_member_that_was_read_it_is_unknown_and_says_why(scene: Scene, read: tuple[None, ...]):
    scene.writes("east")
    for member in read:
        scene.readback("east-db1", member, at=61)
    judged = lost(scene.recording(), "clinical")
    assert judged.verdict is Verdict.UNKNOWN
    assert "1,500 acknowledged writes cannot be looked for" in judged.message
    if read:
        assert "east-db1 could not be read: it does not answer." in judged.message


def test_without_an_acknowledged_write_it_is_unknown(scene: Scene):
    scene.writes("east", outcomes=[(0, 60, Done.FAIL)])
    scene.readback("east-db1", [], at=61)
    assert lost(scene.recording(), "clinical").verdict is Verdict.UNKNOWN


def test_a_write_that_was_acknowledged_after_the_reading_began_is_not_missed(scene: Scene):
    stream = scene.writes("east")
    scene.readback("east-db1", scene.acknowledged(stream, before=30), at=30, phase="4")
    judged = lost(scene.recording(), "clinical", "4")
    assert judged.verdict is Verdict.PASS
    assert judged.counts["acknowledged"] == 750


def test_an_intent_without_an_outcome_is_unknown(scene: Scene):
    stream = scene.writes("east")
    path = scene.folder / "data" / f"{stream}.bin"
    path.write_bytes(path.read_bytes()[: -63 * 10])
    scene.readback("east-db1", scene.acknowledged(stream), at=61)
    assert lost(scene.recording(), "clinical").counts["unknown"] == 10


@pytest.mark.parametrize(("rpo_s", "verdict"), [(0.0, Verdict.FAIL), (1.0, Verdict.FAIL), (3.0, Verdict.PASS)])
def test_a_recovery_point_objective_allows_the_losses_of_its_seconds(scene: Scene, rpo_s: float, verdict: Verdict):
    scene.promised["rpo_s"] = rpo_s
    stream = scene.writes("east")
    keys = scene.acknowledged(stream)
    scene.readback("east-db1", keys[:1000] + keys[1050:], at=61)  # 2 s of them
    recording = scene.recording()
    assert lost(recording, "clinical", rpo_s=rpo_s).verdict is verdict


def test_a_refused_write_that_is_there_is_a_finding_of_its_own(scene: Scene):
    stream = scene.writes("east", outcomes=[(10, 11, Done.FAIL)])
    scene.readback("east-db1", [*scene.acknowledged(stream), f"{scene.prefix(stream)}260"], at=61)
    recording = scene.recording()
    (judged,) = refused(Case(recording, ()))
    assert judged.verdict is Verdict.FAIL
    assert judged.witnesses == (f"{scene.prefix(stream)}260",)
    assert lost(recording, "clinical").verdict is Verdict.PASS


def test_no_refused_write_there_says_nothing(scene: Scene):
    stream = scene.writes("east", outcomes=[(10, 11, Done.FAIL)])
    scene.readback("east-db1", scene.acknowledged(stream), at=61)
    assert not list(refused(Case(scene.recording(), ())))


def test_members_that_agree_are_unknown_while_another_was_not_read(scene: Scene):
    keys = scene.acknowledged(scene.writes("east"))
    scene.readback("east-db1", keys, at=61)
    scene.readback("south-db1", keys, at=61)
    scene.readback("west-db1", None, at=61)
    judged = same(scene.recording(), "clinical")
    assert judged.verdict is Verdict.UNKNOWN
    assert "west-db1 could not be read" in judged.message


def test_one_member_alone_proves_no_agreement(scene: Scene):
    scene.readback("east-db1", scene.acknowledged(scene.writes("east")), at=61)
    assert same(scene.recording(), "clinical").verdict is Verdict.UNKNOWN


def test_each_database_is_judged(scene: Scene):
    keys = scene.acknowledged(scene.writes("east"))
    scene.readback("east-db1", keys, at=61)
    assert [j.verdict for j in judge(Case(scene.recording(), ()))] == [Verdict.PASS]
