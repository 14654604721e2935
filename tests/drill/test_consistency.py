# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.checkers.verdict import Verdict
from drdrill.drill.consistency import Consistency
from drdrill.drill.readback import FEED_ROWS, Readback
from drdrill.estate.durations import Deadline
from drdrill.journal import events

if TYPE_CHECKING:
    from bench import Bench
    from scripted import Script

    from drdrill.drill.workload import Workload

RECOVERY = Deadline(promise="recovery")


def last(bench: Bench) -> tuple[str, Verdict]:
    return bench.concluded[-1].name, bench.concluded[-1].verdict


def test_a_drill_that_loses_nothing_and_then_something(bench: Bench, workload: Workload):
    workload.write_through("registration", 25)
    bench.strike("h1")
    bench.heal("h1")
    noun = Consistency(bench, workload)
    bench.step = 1
    noun.none_lost()
    assert last(bench) == ("lost_write", Verdict.PASS)
    assert int(bench.concluded[-1].counts["acknowledged"]) > 100
    bench.step = 2
    noun.await_same("clinical", RECOVERY)
    assert last(bench) == ("divergence", Verdict.PASS)
    bench.step = 3
    gone = bench.database.scripts[0].rows()[10:13]
    bench.database.behind["south-db1"] = set(gone)
    with pytest.raises(AssertionError, match="differ in 3 rows"):
        noun.await_same("clinical", RECOVERY)
    bench.step = 4
    bench.database.lost = set(gone)
    with pytest.raises(AssertionError, match="lost 3 acknowledged writes"):
        noun.none_lost()
    assert set(bench.concluded[-1].witnesses) == set(gone)
    bench.step = 5
    noun.no_split_brain("clinical")
    assert last(bench) == ("split_brain", Verdict.PASS)
    assert int(bench.concluded[-1].counts["samples"]) > 20


def test_while_a_cut_is_held_members_on_its_side_are_not_read(bench: Bench, workload: Workload):
    workload.write_through("registration", 25)
    bench.strike("h1", "east")
    bench.step = 2
    Consistency(bench, workload).none_lost()
    reads = {e.data["member"]: e.data for e in bench.recording().journal.of(events.READBACK)}
    assert not reads["east-db1"]["readable"]
    assert reads["east-db1"]["words"] == 'not read while site "east" is isolated'
    assert reads["south-db1"]["readable"]
    assert "east-db1 could not be read" in bench.concluded[-1].message


def test_a_member_that_does_not_catch_up_in_time_fails_and_one_that_is_silent_is_unknown(
    bench: Bench, workload: Workload
):
    workload.write_through("registration", 25)
    bench.strike("h1")
    bench.heal("h1")
    noun = Consistency(bench, workload)
    bench.database.unsettled["south-db1"] = False
    with pytest.raises(AssertionError, match="south-db1: lacks 12 bytes"):
        noun.await_same("clinical", Deadline(seconds=1.0))
    bench.database.unsettled["south-db1"] = None
    noun.await_same("clinical", Deadline(seconds=1.0))
    assert last(bench) == ("divergence", Verdict.UNKNOWN)


def test_acknowledgements_inside_a_cut_fail_and_silence_passes(
    bench: Bench, workload: Workload, services: tuple[Script, Script]
):
    workload.write_through("registration", 25)
    noun = Consistency(bench, workload)
    services[0].begin("failing", 3.0)
    bench.wait_until(lambda: None, 0.2, "the failing to begin")
    bench.strike("h1", "east")
    noun.no_ack_while_cut("primary site")
    assert last(bench) == ("no_ack_while_cut", Verdict.PASS)
    services[0].ended()
    bench.wait_until(lambda: None, 1.0, "writes to be acknowledged inside the cut")
    with pytest.raises(AssertionError, match="were sent while it was cut off"):
        noun.no_ack_while_cut("east")


def test_without_writes_nothing_is_proven(bench: Bench, workload: Workload):
    Consistency(bench, workload).none_lost()
    assert last(bench) == ("lost_write", Verdict.UNKNOWN)


def test_the_reading_at_the_end_stops_the_writers_for_good_and_survives_a_headless_database(
    bench: Bench, workload: Workload
):
    workload.write_through("registration", 25)
    bench.strike("h1")
    bench.heal("h1")
    bench.database.headless = True
    bench.database.unreadable["south-db1"] = "it does not answer"
    Consistency(bench, workload).read_back_at_end()
    recording = bench.recording()
    reads = {e.data["member"]: e.data for e in recording.journal.of(events.READBACK)}
    assert reads["east-db1"]["readable"]
    assert not reads["south-db1"]["readable"]
    assert recording.timeline.pauses[-1].to_ns is None
    assert recording.keys["end", "east-db1"]


def test_reading_a_big_table_feeds_the_leases_of_what_is_broken(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    rows = [f"{bench.id}/{n:06d}" for n in range(4500)]
    monkeypatch.setattr(bench.database, "keys", lambda *_: iter(rows))
    Readback(bench).read(bench.estate.databases["clinical"], "1", 1.0)
    read = list(bench.recording().journal.of(events.READBACK))
    assert [e.data["rows"] for e in read] == [4500, 4500]
    assert bench.fed >= 2 * 4500 // FEED_ROWS
