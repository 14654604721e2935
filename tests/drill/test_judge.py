# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.checkers.verdict import Result, Verdict
from drdrill.drill.judge import KILLED, judge, write
from drdrill.journal import events
from drdrill.journal.fake import Scene
from drdrill.journal.journal import Journal, read
from drdrill.journal.recording import load
from drdrill.journal.records import Done, Seen

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = ["east-db1", "south-db1"]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """East is cut off for 20 s; south is away for 7.5 s; nothing is lost; everything is read back."""
    scene = Scene(tmp_path / "drill")
    scene.probes("east", bad=[(10, 30.2)], seen=Seen.SILENT)
    scene.probes("south", bad=[(10, 17.5)], seen=Seen.SILENT)
    east = scene.writes("east", outcomes=[(10, 31, Done.UNKNOWN)])
    south = scene.writes("south", outcomes=[(10, 17.5, Done.UNKNOWN)])
    scene.claims(MEMBERS, [("east-db1", 0, 12), ("south-db1", 17, 60)])
    scene.strike("h1", 'site "east" is isolated', at=10, healed=30, sites=["east"])
    keys = scene.acknowledged(east) + scene.acknowledged(south)
    for member in MEMBERS:
        scene.readback(member, keys, at=61)
    return scene


def said(
    scene: Scene, check: str, verdict: str, phase: str = "4", message: str = "It is so.", **counts: object
) -> None:
    scene.event(
        40, events.CHECK, check=check, title=check, verdict=verdict, message=message, counts=counts, witnesses=[],
        witnesses_total=0, phase=phase,
    )  # fmt: skip


def test_a_good_drill_is_met(scene: Scene):
    judged = judge(scene.recording())
    assert judged.result is Result.MET, judged.reasons
    assert {c.name for c in judged.checks} == {"objectives", "lost_write", "applied_twice", "divergence", "split_brain"}
    assert [o.judged for o in judged.outages] == [True, False, False]


def test_a_lost_write_is_missed_whatever_else_is_in_doubt(scene: Scene):
    keys = scene.acknowledged("write-registration-east")[:-3]
    for member in MEMBERS:
        scene.readback(member, keys, at=62)
    scene.strike("h2", "a second fault", at=35, healed=40, took_hold=None, held=())
    judged = judge(scene.recording(), "The lease was lost.")
    assert judged.result is Result.MISSED
    assert "lost" in judged.reasons[0]


def test_a_sentence_that_failed_is_missed_although_the_end_looks_good(scene: Scene):
    said(scene, "lost_write", "fail", message="Database lost 3 writes.")
    judged = judge(scene.recording())
    assert (judged.result, judged.reasons[0]) == (Result.MISSED, "Database lost 3 writes.")


def test_a_failed_step_of_a_team_is_missed_in_its_own_words(scene: Scene):
    scene.event(39, events.STEP_BEGUN, index=4, text="the fax still works")
    scene.event(40, events.STEP_ENDED, index=4, status="failed", message="no tone")
    judged = judge(scene.recording())
    assert judged.result is Result.MISSED
    assert judged.reasons[0] == 'The sentence "the fax still works" failed: no tone'


def test_a_doubt_of_a_sentence_is_inconclusive(scene: Scene):
    said(scene, "in_step", "unknown", message="Nobody knows.")
    assert judge(scene.recording()).result is Result.INCONCLUSIVE


def test_a_fault_that_lapsed_can_not_end_in_met(scene: Scene):
    scene.event(20, events.FAULT_LAPSED, hold="h1", at_ns=scene.ns(20))
    judged = judge(scene.recording())
    assert judged.result is Result.INCONCLUSIVE
    assert "it lapsed" in judged.reasons[0]


def test_an_error_before_anything_was_struck_is_refused_and_after_it_aborted(scene: Scene, tmp_path: Path):
    untouched = Scene(tmp_path / "other")
    untouched.probes("east")
    refused = judge(untouched.recording(), "The estate is not healthy: south-db1 is off.")
    assert (refused.result, refused.reasons[0]) == (Result.REFUSED, "The estate is not healthy: south-db1 is off.")
    aborted = judge(scene.recording(), "The lease was lost.")
    assert (aborted.result, aborted.reasons[0]) == (Result.ABORTED, "The lease was lost.")


def test_a_strike_that_died_half_way_is_not_nothing(tmp_path: Path):
    scene = Scene(tmp_path)
    scene.event(5, events.FAULT_PLANNED, hold="h1", fault="x", title="x", targets=[], sites=[], why="")
    scene.event(6, events.FAULT_ARMED, hold="h1", lease_s=3.0, hard_end_s=600.0)
    assert judge(scene.recording(), "The way in failed.").result is Result.ABORTED


def test_sentences_that_say_never_are_judged_again_at_the_end(scene: Scene):
    said(scene, "no_ack_while_cut", "unknown", site="east")
    said(scene, "never_longer", "pass", service="registration", allowed_s=5.0)
    found = {c.name: c.verdict for c in judge(scene.recording()).checks}
    assert found["no_ack_while_cut"] is Verdict.PASS
    assert found["never_longer"] is Verdict.FAIL


def test_what_a_killed_runner_left_is_judged_up_to_its_torn_end(scene: Scene):
    folder = scene.save()
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    judged = judge(load(folder), KILLED)
    assert judged.result is Result.ABORTED
    assert judged.reasons[0] == KILLED
    assert any("not whole" in r for r in judged.reasons)


def test_the_judgement_is_written_as_events_that_reports_read(scene: Scene, tmp_path: Path):
    judged = judge(scene.recording())
    with Journal(tmp_path / "written") as journal:
        write(journal, judged)
    reading = read(tmp_path / "written")
    (outage, *_) = reading.of(events.OUTAGE)
    assert outage.data["strip"] == "client"
    assert outage.data["counted"] == "rto"
    assert outage.data["lower_s"] < 7.5 < outage.data["upper_s"]
    assert outage.data["cause_title"] == 'site "east" is isolated'
    assert {e.data["phase"] for e in reading.of(events.CHECK)} == {"end"}
    assert all(
        set(e.data) >= {"assumption", "title", "verdict", "message", "counts"} for e in reading.of(events.ASSUMPTION)
    )
    last = reading.last(events.DRILL_JUDGED)
    assert last is not None
    assert last.data["result"] == "met"


def test_judging_twice_says_the_same(scene: Scene):
    recording = scene.recording()
    assert judge(recording) == judge(recording)
