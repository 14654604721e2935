# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers.controls import probes_know_wrong, probes_saw_the_cut
from drdrill.checkers.verdict import Verdict
from drdrill.journal import events
from drdrill.journal.records import Seen

if TYPE_CHECKING:
    from drdrill.journal.fake import Scene

TITLE = 'site "east" is isolated'


def test_probes_that_were_shown_wrong_answers_and_called_them_bad_pass(scene: Scene):
    scene.probes("east")
    scene.probes("south")
    judged = probes_know_wrong(scene.recording())
    assert judged.verdict is Verdict.PASS
    assert judged.saw == {"samples": 4}
    assert "2 streams of probes were shown 4 wrong answers" in judged.message


def test_a_probe_that_believed_a_wrong_answer_fails_and_is_named(scene: Scene):
    name = scene.probes("east")
    scene.event(2, events.PROBES_CONTROLLED, stream=name, shown=["HTTP 503"], believed=["HTTP 503"])
    judged = probes_know_wrong(scene.recording())
    assert judged.verdict is Verdict.FAIL
    assert f"HTTP 503 was called good by {name}" in judged.message


def test_a_probe_that_was_shown_nothing_is_unknown(scene: Scene):
    name = scene.probes("east")
    scene._events = [e for e in scene._events if e[1] != events.PROBES_CONTROLLED]
    judged = probes_know_wrong(scene.recording())
    assert judged.verdict is Verdict.UNKNOWN
    assert name in judged.message


def test_silence_at_the_struck_site_is_seen_and_counted(scene: Scene):
    scene.probes("east", bad=[(10, 30.5)], seen=Seen.SILENT)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    judged = probes_saw_the_cut(scene.recording())
    assert judged.verdict is Verdict.PASS
    assert 370 <= judged.saw["samples"] <= 380  # 20 a second from the cut until a latency bound before its heal.


def test_one_good_answer_of_a_struck_site_is_a_probe_or_a_cut_that_is_not_what_it_seems(scene: Scene):
    name = scene.probes("east", bad=[(10, 20), (20.1, 30.5)], seen=Seen.SILENT)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    judged = probes_saw_the_cut(scene.recording())
    assert judged.verdict is Verdict.FAIL
    assert f"{name} was answered well 2 of" in judged.message


def test_an_attempt_that_the_heal_let_through_in_time_says_nothing(scene: Scene):
    scene.probes("east", bad=[(10, 29.2)], seen=Seen.SILENT)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    assert probes_saw_the_cut(scene.recording()).verdict is Verdict.PASS


def test_a_cut_that_did_not_take_hold_and_a_lost_host_are_no_matter_of_the_probes(scene: Scene):
    scene.probes("east")
    scene.strike("h1", TITLE, at=10, healed=20, sites=["east"], took_hold=False)
    scene.strike("h2", "a host loses power", at=30, healed=40, hosts=["east-db1"])
    assert probes_saw_the_cut(scene.recording()) is None
