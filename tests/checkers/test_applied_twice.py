# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers.applied_twice import once
from drdrill.checkers.verdict import Verdict
from drdrill.journal import events

if TYPE_CHECKING:
    from drdrill.checkers.verdict import Judgement
    from drdrill.journal.fake import Scene


def read(scene: Scene, **repeated: int) -> Judgement:
    stream = scene.writes("east")
    scene.readback("east-db1", scene.acknowledged(stream), at=59)
    if repeated:  # What a member says besides its keys, as a readback writes it down.
        scene.readback("south-db1", scene.acknowledged(stream), at=59.1)
        told = scene._events[-1]
        assert told[1] == events.READBACK
        told[2].update(repeated=repeated, repeated_total=len(repeated))
    return once(scene.recording(), "clinical", "end")


def test_rows_that_are_there_once_pass_and_are_counted(scene: Scene):
    judged = read(scene)
    assert judged.verdict is Verdict.PASS
    assert judged.saw == {"rows": 1500, "replicas": 1}


def test_a_key_that_one_member_holds_twice_fails_and_is_named(scene: Scene):
    judged = read(scene, k1=2, k2=3)
    assert judged.verdict is Verdict.FAIL
    assert judged.witnesses == ("k1: 2 rows", "k2: 3 rows")
    assert 'Database "clinical" holds 2 writes of this drill more than once' in judged.message
    assert "unique key" in judged.message


def test_without_a_row_nothing_is_known(scene: Scene):
    scene.writes("east")
    assert once(scene.recording(), "clinical", "end").verdict is Verdict.UNKNOWN
