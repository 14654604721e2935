# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers import lost_write, objectives
from drdrill.checkers.check import Case
from drdrill.journal.records import Done, Seen
from drdrill.measure.strips import strips

if TYPE_CHECKING:
    from drdrill.journal.fake import Scene


def said(scene: Scene) -> str:
    recording = scene.recording()
    (judged,) = objectives.judge(Case(recording, strips(recording)))
    return judged.message


def test_what_the_endpoints_answered_while_it_was_away_is_said(scene: Scene):
    scene.probes("east", bad=[(10, 30)], seen=Seen.SILENT)
    scene.probes("south", bad=[(10, 30)], seen=Seen.REFUSED)
    scene.strike("h1", 'site "east" is isolated', at=10, healed=30, sites=["east"])
    assert (
        "Meanwhile http://east/ gave no answer 400 times; http://south/ gave a refused connection 400 times."
        in said(scene)
    )


def test_a_health_answer_that_stays_good_while_nothing_is_acknowledged_is_called_so(scene: Scene):
    scene.probes("south")
    scene.writes("south", outcomes=[(10, 40, Done.UNKNOWN)])
    scene.strike("h1", 'site "east" is isolated', at=10, healed=30, sites=["east"])
    words = said(scene)
    assert "Meanwhile nothing was acknowledged, although its health answered well 6" in words
    assert "at http://south/: it does not ask for what a write needs." in words


def test_a_lost_write_is_said_to_be_acknowledged_before_or_after_what_was_done(scene: Scene):
    stream = scene.writes("south")
    scene.strike("h1", 'site "east" is isolated', at=10, healed=30, sites=["east"])
    keys = scene.acknowledged(stream)
    scene.readback("south-db1", keys[:200] + keys[300:], at=61)
    words = lost_write.lost(scene.recording(), "clinical").message
    assert 'from 1.98 s before to 1.98 s after site "east" is isolated' in words
