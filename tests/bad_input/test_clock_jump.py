# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The wall clock is set while a fault is held: no figure and no lease leans on it, and the journal and the report say it.

A test cannot set the clock of the machine, and a time namespace leaves the wall clock alone. So a step of the team makes the
one function that reads it answer differently, in the process of the drill, from one moment on.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from harness import ROOT

from drdrill.checkers.assumptions import never_slept
from drdrill.checkers.verdict import Verdict
from drdrill.journal import clock, events
from drdrill.journal.fake import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from bad_input_helpers import Folder

pytest_plugins = ["pytester"]

STEPS = """
import time
from pytest_bdd import parsers, when
wall, boot = time.time_ns, time.clock_gettime_ns

@when(parsers.parse("the wall clock is set by {seconds:d} s"))
def jump(seconds, tmp_path):
    time.time_ns = lambda: wall() + seconds * 10**9

@when(parsers.parse("the machine sleeps for {seconds:d} s"))
def sleep(seconds, tmp_path):
    jump(seconds, tmp_path)
    time.clock_gettime_ns = lambda which: boot(which) + (seconds * 10**9 if which == time.CLOCK_BOOTTIME else 0)
"""
FEATURE = """\
Feature: A clock jumps
  Scenario: The clock jumps while a campus is cut off
    When site "east" is isolated
    And {what}
    And the fault is held for 2 s
    And site "east" is reconnected
    Then the estate is as it was before within its recovery time
"""


def test_a_clock_that_is_set_back_in_the_middle_is_told_and_changes_nothing(folder: Folder):
    set_s, words = -7200, "set back by 7200.0 s"
    folder.write("conftest.py", STEPS)
    folder.write("a.feature", FEATURE.format(what=f"the wall clock is set by {set_s} s"))
    begun = time.monotonic()
    ran = folder.run("a.feature")
    took = time.monotonic() - begun
    assert ran.returncode == 0, ran.stdout
    journal = folder.journal
    (told,) = journal.of(events.CLOCK)
    assert told.data["set_s"] == pytest.approx(set_s, abs=1)
    assert told.data["slept_s"] == 0
    assert words in told.data["words"]
    assert f"The wall clock of the machine that measures was {words}" in (folder.drill / "report.html").read_text()
    # Every event has the wall time of the base, so they stay in order and agree with their monotonic times.
    walls = [e.wall for e in journal.events]
    assert walls == sorted(walls)
    ended = journal.last(events.DRILL_ENDED)
    assert ended is not None
    assert 2 <= ended.data["seconds"] <= took
    # The lease is what it always is, and the fault did not lapse.
    assert {round(e.data["lease_s"]) for e in journal.of(events.FAULT_RENEWED)} == {30}
    assert not list(journal.of(events.FAULT_LAPSED))


def test_a_machine_that_slept_is_told_apart_from_a_clock_that_was_set(folder: Folder):
    folder.write("conftest.py", STEPS)
    folder.write("a.feature", FEATURE.format(what="the machine sleeps for 90 s"))
    ran = folder.run("a.feature")
    assert ran.returncode == 0, ran.stdout
    (told,) = folder.journal.of(events.CLOCK)
    assert told.data["slept_s"] == pytest.approx(90, abs=1)
    assert told.data["set_s"] == 0
    assert "slept for 90.0 s: nothing was measured in that time" in told.data["words"]


def test_a_drill_whose_machine_slept_is_never_met(tmp_path: Path):
    scene = Scene(tmp_path)
    scene.probes("east")
    awake = never_slept(scene.recording())
    assert awake is not None
    assert awake.verdict is Verdict.PASS
    scene.event(5, events.CLOCK, set_s=0.0, slept_s=90.0, words="slept")
    judgement = never_slept(scene.recording())
    assert judgement is not None
    assert judgement.verdict is Verdict.FAIL
    assert "slept for 90.0 s, and no figure has that time" in judgement.message


def test_a_clock_that_is_only_slewed_is_no_jump(monkeypatch: pytest.MonkeyPatch):
    watch = clock.Watch()
    wall = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: wall() + 300_000_000)
    assert watch.look() is None
    monkeypatch.setattr(time, "time_ns", lambda: wall() + 900_000_000)
    assert watch.look() is not None
    assert watch.look() is None, "one jump is told once"


def test_a_reading_in_the_middle_of_which_we_were_stopped_is_no_jump():
    stops = iter([0.2])

    def stopped() -> int:
        time.sleep(next(stops, 0.0))  # What a loaded machine does to us; the next reading is in time.
        return time.time_ns()

    assert abs(clock._ahead(stopped) - clock._ahead(time.time_ns)) < 50_000_000


def test_nothing_but_names_and_the_watch_reads_the_wall_clock():
    """Whoever times something with it would be fooled by a jump; this is what keeps the promise above for new code."""
    readers = {
        str(path.relative_to(ROOT / "src" / "drdrill"))
        for path in (ROOT / "src" / "drdrill").rglob("*.py")
        if re.search(r"\btime\.time\(|\btime\.time_ns\b|datetime\.now\(|CLOCK_REALTIME", path.read_text())
    }
    # The lock says since when; a drill and its tables have the date in their names, and tables of yesterday are dropped.
    # Persons approve a drill from one time of day until another.
    assert readers == {"journal/clock.py", "drill/lock.py", "drill/drill.py", "drill/ledgers.py", "drill/permit.py"}
