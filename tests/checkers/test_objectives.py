# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.checkers import never_longer, objectives
from drdrill.checkers.available_again import again, conclude
from drdrill.checkers.causes import causes, counted
from drdrill.checkers.check import Case
from drdrill.checkers.verdict import Verdict
from drdrill.journal import events
from drdrill.journal.records import Done, Seen
from drdrill.measure.strips import strip, strips

if TYPE_CHECKING:
    from drdrill.journal.fake import Scene

TITLE = 'site "east" is isolated'


def cut_off(scene: Scene, away: float = 7.5, writes_away: float | None = None, at: float = 10.0) -> None:
    """East is cut off for 20 s; south is away for a while."""
    scene.probes("east", bad=[(at, at + 20.2)], seen=Seen.SILENT)
    scene.probes("south", bad=[(at, at + away)], seen=Seen.SILENT)
    scene.writes("east", outcomes=[(at, at + 22, Done.UNKNOWN)])
    scene.writes("south", outcomes=[(at, at + (writes_away or away), Done.UNKNOWN)])
    scene.strike("h1", TITLE, at=at, healed=at + 20, sites=["east"])


def judged(scene: Scene):
    recording = scene.recording()
    (found,) = objectives.judge(Case(recording, strips(recording)))
    return found


def test_an_outage_inside_the_objective_passes_with_its_bounds(scene: Scene):
    cut_off(scene)
    found = judged(scene)
    assert found.verdict is Verdict.PASS
    assert 7.3 < float(found.counts["lower_s"]) <= 7.5 <= float(found.counts["upper_s"]) < 7.7
    assert "(from its first command)" in found.message
    assert found.counts["samples"] == 1200


def test_an_outage_outside_the_objective_fails(scene: Scene):
    cut_off(scene, away=16)
    found = judged(scene)
    assert found.verdict is Verdict.FAIL
    assert "longer than its RTO of 15 s" in found.message


def test_an_outage_across_the_objective_is_unknown(scene: Scene):
    cut_off(scene, away=15.02)
    assert judged(scene).verdict is Verdict.UNKNOWN


def test_writes_that_are_not_acknowledged_are_an_outage_although_probes_are_good(scene: Scene):
    cut_off(scene, away=1.0, writes_away=16.5)
    found = judged(scene)
    assert found.verdict is Verdict.FAIL
    (outage,) = strip(scene.recording(), "registration", "client").outages
    assert outage.way == "acknowledgements"


def test_an_outage_that_never_ends_is_unknown_until_it_is_surely_too_long(scene: Scene):
    cut_off(scene, away=100, at=50)  # 10 s before the end
    assert judged(scene).verdict is Verdict.UNKNOWN


def test_a_service_that_was_not_seen_from_outside_is_unknown(scene: Scene):
    scene.probes("east", absent=[(0, 60)])
    found = judged(scene)
    assert found.verdict is Verdict.UNKNOWN
    assert "not measured from outside" in found.message


def test_no_outage_passes_and_says_what_was_seen(scene: Scene):
    scene.probes("east")
    scene.writes("east")
    found = judged(scene)
    assert found.verdict is Verdict.PASS
    assert "never seen away, in 1,200 attempts from outside and 1,500 acknowledged writes" in found.message


def test_a_stall_at_the_heal_counts_by_its_own_length(scene: Scene):
    scene.probes("south", bad=[(10, 17), (30.5, 33)], seen=Seen.SILENT)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    recording = scene.recording()
    first, second = objectives.judged(recording, [strip(recording, "registration", "client")])
    assert (first.counted.way, second.counted.way) == ("rto", "own length")
    assert second.counted.cause is not None
    assert second.counted.cause.kind == "heal"
    assert 2.3 < second.counted.lower_s <= 2.5 <= float(second.counted.upper_s or 0) < 2.7


@pytest.mark.parametrize(
    ("back", "lower", "upper", "verdict"),
    [(25, 0.0, 0.0, Verdict.PASS), (34, 3.9, 4.2, Verdict.PASS), (55, 24.9, 25.2, Verdict.FAIL)],
)
def test_where_the_loss_of_quorum_was_expected_an_outage_is_counted_from_the_heal(
    scene: Scene, back, lower, upper, verdict
):
    scene.probes("east", bad=[(10, back)])
    scene.strike("h1", 'campus "South" is isolated', at=10, healed=30, sites=["south"], quorum_loss=True)
    recording = scene.recording()
    (outage,) = objectives.judged(recording, [strip(recording, "registration", "client")])
    assert outage.counted.way == "from its heal"
    assert lower - 0.1 <= outage.counted.lower_s <= float(outage.counted.upper_s or 0) <= upper + 0.1
    assert outage.verdict is verdict
    assert "from its heal, since the loss of quorum was expected" in outage.words


def test_where_it_was_expected_and_never_healed_nobody_can_count(scene: Scene):
    scene.probes("east", bad=[(10, 60)])
    scene.strike("h1", 'campus "South" is isolated', at=10, sites=["south"], quorum_loss=True)
    recording = scene.recording()
    (outage,) = objectives.judged(recording, [strip(recording, "registration", "client")])
    assert outage.verdict is Verdict.UNKNOWN


def test_an_outage_that_begins_within_twice_the_latency_bound_is_counted_from_the_command(scene: Scene):
    scene.probes("south", bad=[(11.9, 14)], seen=Seen.REFUSED)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    recording = scene.recording()
    (outage,) = objectives.judged(recording, [strip(recording, "registration", "client")])
    assert outage.counted.way == "rto"
    assert 3.8 < outage.counted.lower_s <= 4.0 <= float(outage.counted.upper_s or 0) < 4.2


def test_an_outage_that_begins_later_counts_by_its_own_length(scene: Scene):
    scene.probes("south", bad=[(14, 16)], seen=Seen.REFUSED)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    recording = scene.recording()
    (outage,) = objectives.judged(recording, [strip(recording, "registration", "client")])
    assert outage.counted.way == "own length"
    assert outage.counted.lower_s < 2.1


def test_the_endpoint_of_a_struck_site_is_shown_and_not_judged(scene: Scene):
    cut_off(scene)
    scene.event(
        35,
        events.CHECK,
        check="available_again",
        phase="5",
        verdict="pass",
        title="",
        message="",
        counts={"service": "registration", "site": "east"},
        witnesses=[],
    )
    recording = scene.recording()
    found = {j.outage.strip: j.judged for j in objectives.judged(recording, strips(recording))}
    assert found == {"client": True, "east": False, "south": False}


def test_the_endpoint_that_a_sentence_names_is_judged(scene: Scene):
    cut_off(scene, away=16)
    scene.event(
        35,
        events.CHECK,
        check="available_again",
        phase="5",
        verdict="pass",
        title="",
        message="",
        counts={"service": "registration", "site": "south"},
        witnesses=[],
    )
    recording = scene.recording()
    found = {j.outage.strip: j.judged for j in objectives.judged(recording, strips(recording))}
    assert found == {"client": True, "east": False, "south": True}


def answered(scene: Scene, allowed: float = 15.0):
    recording = scene.recording()
    seen = strip(recording, "registration", "client")
    since = causes(recording.timeline)[0]
    found = again(seen, since, 3_000_000_000, 2_000_000_000)
    return conclude(seen, since, found, stable_s=3, allowed_s=allowed, site=None)


def test_available_again_is_answered_by_the_first_stable_run(scene: Scene):
    scene.probes(
        "south", bad=[(10, 17.5), (19, 19.3), (40, 58)], seen=Seen.SILENT
    )  # a blip in the window; a later outage
    scene.strike("h1", TITLE, at=10, sites=["east"])
    found = answered(scene)
    assert found.verdict is Verdict.PASS
    assert 9.19 < float(found.counts["lower_s"]) <= 9.3 <= float(found.counts["upper_s"]) < 9.4


@pytest.mark.parametrize(("allowed", "verdict"), [(7.0, Verdict.FAIL), (7.45, Verdict.UNKNOWN), (7.6, Verdict.PASS)])
def test_available_again_is_judged_by_its_bounds(scene: Scene, allowed: float, verdict: Verdict):
    cut_off(scene)
    assert answered(scene, allowed).verdict is verdict


def test_a_service_that_was_not_away_is_available_once_the_window_was_measured(scene: Scene):
    scene.probes("south")
    scene.strike("h1", TITLE, at=58.5, sites=["east"])
    assert answered(scene).verdict is Verdict.UNKNOWN
    scene.end = 70
    scene.probes("south")
    assert answered(scene).verdict is Verdict.PASS


def test_probes_that_stopped_prove_no_return(scene: Scene):
    scene.probes("south", bad=[(10, 11)], absent=[(11, 60)], seen=Seen.SILENT)
    scene.strike("h1", TITLE, at=10, sites=["east"])
    found = answered(scene)
    assert found.verdict is Verdict.UNKNOWN
    assert "look whether the probes ran" in found.message


@pytest.mark.parametrize(("allowed", "verdict"), [(5.0, Verdict.FAIL), (7.5, Verdict.UNKNOWN), (8.0, Verdict.PASS)])
def test_never_longer_looks_at_every_outage(scene: Scene, allowed: float, verdict: Verdict):
    cut_off(scene)
    recording = scene.recording()
    found = never_longer.never(recording, strip(recording, "registration", "client"), allowed)
    assert found.verdict is verdict


def test_writes_alone_prove_no_return_when_the_probes_stopped(scene: Scene):
    scene.probes("south", absent=[(11, 60)], seen=Seen.SILENT)
    scene.writes("south", outcomes=[(10, 17, Done.UNKNOWN)])
    scene.strike("h1", TITLE, at=10, sites=["east"])
    (outage,) = strip(scene.recording(), "registration", "client").outages
    assert outage.end_by_ns is None
    assert 6.9 < outage.lower_ns / 1e9 <= 7.0


def test_probes_alone_prove_no_return_when_the_writes_stopped(scene: Scene):
    scene.probes("south", bad=[(10, 17)], seen=Seen.SILENT)
    scene.writes("south", silent=[(11, 60)])
    scene.strike("h1", TITLE, at=10, sites=["east"])
    (outage,) = strip(scene.recording(), "registration", "client").outages
    assert outage.end_by_ns is None


def test_an_outage_before_anything_was_struck_has_no_cause(scene: Scene):
    scene.probes("south", bad=[(5, 6)])
    scene.strike("h1", TITLE, at=10, sites=["east"])
    recording = scene.recording()
    (outage,) = strip(recording, "registration", "client").outages
    count = counted(outage, causes(recording.timeline), 10**9)
    assert count.cause is None
    assert count.way == "own length"
