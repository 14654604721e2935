# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drdrill.checkers.assumptions import assumptions
from drdrill.checkers.result import result
from drdrill.checkers.verdict import Judgement, Result, Verdict
from drdrill.journal import events
from drdrill.journal.records import SAMPLE, Done

if TYPE_CHECKING:
    from drdrill.journal.fake import Scene

TITLE = 'site "east" is isolated'


def verdicts(scene: Scene) -> dict[str, Verdict]:
    return {a.name: a.verdict for a in assumptions(scene.recording(), [said(Verdict.PASS)])}


def message(scene: Scene, name: str) -> str:
    return next(a.message for a in assumptions(scene.recording(), []) if a.name == name)


def good(scene: Scene) -> None:
    scene.probes("east", bad=[(10, 30.5)])
    scene.probes("south")
    scene.writes("east", outcomes=[(10, 31, Done.UNKNOWN)])
    scene.writes("south", outcomes=[(10, 17, Done.UNKNOWN)])


def test_all_hold_in_a_good_drill(scene: Scene):
    good(scene)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    found = verdicts(scene)
    assert set(found) == {
        "probes_kept_schedule", "writers_kept_schedule", "written_before", "took_hold", "held", "never_slept",
        "no_check_crashed", "probes_know_wrong", "probes_saw_the_cut",
    }  # fmt: skip
    assert set(found.values()) == {Verdict.PASS}


def test_each_says_what_was_measured_for_it(scene: Scene):
    scene.probes("east")
    scene.writes("east", outcomes=[(8, 8.5, Done.UNKNOWN), (10, 31, Done.UNKNOWN)])
    scene.writes("south")
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"], held=(True,) * 14)
    scene.event(29, "audit", answer=True, words="none", counts={"looks": 34})
    found = {a.name: a for a in assumptions(scene.recording(), [said(Verdict.PASS)] * 3)}
    assert message(scene, "probes_kept_schedule") == (
        "The latest was sent 0 ms after it was due, none of them late; none missing of 1,200 attempts due in 1 stream; "
        "never more than 0.05 s without one."
    )
    assert found["probes_kept_schedule"].saw == {"samples": 1200}
    assert found["writers_kept_schedule"].saw == {"operations": 3000}
    before = found["written_before"]
    # 13 of 50 were not acknowledged at east: 74 % there, 87 % of all.
    assert before.counts["least_percent"] == 74
    assert before.counts["percent"] == 87
    assert "37 of 50 at east" in before.message
    assert found["held"].saw == {"looks": 14}
    assert "seen in 14 looks, at most 19.6 s apart" in found["held"].message
    assert found["nothing_went_around"].message == "No connection went around the links, in 34 looks."
    assert found["no_check_crashed"].saw == {"judgements": 3}


def test_what_was_sent_late_is_said_rounded_up(scene: Scene):
    name = scene.probes("east")
    path = scene.folder / "data" / f"{name}.bin"
    found = np.fromfile(path, SAMPLE)
    found["sent"][7] += 3_000_001
    found.tofile(path)
    assert "The latest was sent 4 ms after it was due" in message(scene, "probes_kept_schedule")


def test_what_was_never_looked_at_is_not_in_the_list(scene: Scene):
    assert assumptions(scene.recording(), []) == ()


def test_probes_that_stopped_did_not_keep_their_schedule(scene: Scene):
    scene.probes("east", absent=[(20, 60)])
    assert verdicts(scene)["probes_kept_schedule"] is Verdict.FAIL
    assert "nothing was sent" in message(scene, "probes_kept_schedule")


def test_a_hole_as_long_as_the_latency_bound_breaks_the_schedule(scene: Scene):
    scene.probes("east", absent=[(20, 21.1)])
    assert verdicts(scene)["probes_kept_schedule"] is Verdict.FAIL


def test_a_few_missing_attempts_do_not_break_the_schedule(scene: Scene):
    scene.probes("east", absent=[(20, 20.3)])
    assert verdicts(scene)["probes_kept_schedule"] is Verdict.PASS


def test_a_worker_that_died_broke_the_schedule_and_says_why(scene: Scene):
    name = scene.probes("east", absent=[(59, 60)], stopped=False)
    scene.event(59, events.WORKER_ENDED, stream=name, status="died", words="it was killed by signal 9")
    assert "it was killed by signal 9" in message(scene, "probes_kept_schedule")


def test_a_writer_that_stopped_did_not_keep_its_schedule(scene: Scene):
    scene.writes("east", silent=[(30, 60)])
    assert verdicts(scene)["writers_kept_schedule"] is Verdict.FAIL


def test_a_pause_is_no_hole(scene: Scene):
    stream = scene.writes("east", silent=[(30, 40)])
    scene.event(30, events.WRITES_PAUSED, streams=[stream], from_ns=scene.ns(30), to_ns=scene.ns(40), mark={})
    assert verdicts(scene)["writers_kept_schedule"] is Verdict.PASS


def test_writes_must_have_been_acknowledged_before_a_strike(scene: Scene):
    scene.writes("east", outcomes=[(9, 31, Done.UNKNOWN)])
    scene.writes("south")
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    assert verdicts(scene)["written_before"] is Verdict.FAIL
    assert "25 of 50 at east before" in message(scene, "written_before")


def test_a_site_that_is_struck_already_need_not_write_before_the_next_strike(scene: Scene):
    good(scene)
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    scene.operation("switch-over", "the switchover", at=25, until=26)
    assert verdicts(scene)["written_before"] is Verdict.PASS


def test_a_strike_in_a_pause_is_unknown(scene: Scene):
    scene.writes("east", silent=[(7, 12)])
    scene.strike("h1", TITLE, at=10, healed=30)
    assert verdicts(scene)["written_before"] is Verdict.UNKNOWN


@pytest.mark.parametrize(("answer", "verdict"), [(False, Verdict.FAIL), (None, Verdict.UNKNOWN), (True, Verdict.PASS)])
def test_a_fault_has_to_take_hold(scene: Scene, answer: bool | None, verdict: Verdict):
    scene.strike("h1", TITLE, at=10, healed=30, took_hold=answer)
    assert verdicts(scene)["took_hold"] is verdict


@pytest.mark.parametrize(
    ("looks", "verdict"),
    [
        ((True, True), Verdict.PASS),
        ((True, False), Verdict.FAIL),
        ((True, None), Verdict.UNKNOWN),
        ((), Verdict.UNKNOWN),
    ],
)
def test_a_fault_has_to_be_held_at_every_look(scene: Scene, looks: tuple[bool | None, ...], verdict: Verdict):
    scene.strike("h1", TITLE, at=10, healed=30, held=looks)
    assert verdicts(scene)["held"] is verdict


def test_a_fault_whose_heal_was_never_asked_for_is_not_proven_held(scene: Scene):
    scene.strike("h1", TITLE, at=10)
    assert verdicts(scene)["held"] is Verdict.UNKNOWN


def test_a_fault_that_lapsed_was_not_held_and_the_message_says_when(scene: Scene):
    scene.strike("h1", TITLE, at=10, healed=30, lapsed=14.05)
    assert verdicts(scene)["held"] is Verdict.FAIL
    assert "it lapsed 4.0 s after its strike" in message(scene, "held")


@pytest.mark.parametrize(("answer", "verdict"), [(False, Verdict.FAIL), (None, Verdict.UNKNOWN), (True, Verdict.PASS)])
def test_nothing_may_go_around_a_cut_where_somebody_looks(scene: Scene, answer: bool | None, verdict: Verdict):
    scene.event(20, "audit", answer=answer, words="one connection from a to b")
    assert verdicts(scene)["nothing_went_around"] is verdict


def said(verdict: Verdict) -> Judgement:
    return Judgement("x", "x", verdict, f"It is {verdict}.", saw={"samples": 1})


P, U, F = Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL


@pytest.mark.parametrize(
    ("checks", "assumed", "struck", "error", "expected"),
    [
        ([P, P], [P], True, None, Result.MET),
        ([P, U], [P], True, None, Result.INCONCLUSIVE),
        ([P], [U], True, None, Result.INCONCLUSIVE),
        ([P], [F], True, None, Result.INCONCLUSIVE),
        ([F], [F], True, None, Result.MISSED),
        ([F, U], [U], True, "It stopped.", Result.MISSED),
        ([P, U], [F], True, "It stopped.", Result.ABORTED),
        ([], [P], True, None, Result.INCONCLUSIVE),
        ([P], [P], False, None, Result.REFUSED),
        ([F], [P], False, "Not healthy.", Result.REFUSED),
    ],
)
def test_missed_outranks_aborted_outranks_inconclusive_outranks_met(checks, assumed, struck, error, expected):
    found, reasons = result([said(c) for c in checks], [said(a) for a in assumed], struck=struck, error=error)
    assert found is expected
    assert reasons
    assert all(r.endswith(".") for r in reasons)
    if error and expected is not Result.MISSED:
        assert reasons[0] == error
