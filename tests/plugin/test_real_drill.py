# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The plugin with the real drill, over ways in to an estate in memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from drdrill.drill.undo_log import UndoLog
from drdrill.estate import state
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from pathlib import Path

    from teams import Team

    from drdrill.journal.journal import Reading

pytest_plugins = ["pytester"]

CUT = """\
Feature: A data center is cut off
  Scenario: East is isolated
    When site "east" is isolated
    And site "east" is reconnected
    Then the estate is as it was before within its recovery time
"""
HELD = CUT.replace("    And site", "    And the fault is held for 60 s\n    And site")


def journal(team: Team) -> Reading:
    (folder,) = (team.path / "reports" / "out").iterdir()
    reading = read(folder)
    assert reading.broken is None
    return reading


def kinds(reading: Reading) -> list[str]:
    return [event.kind for event in reading.events]


def test_a_drill_that_is_met_strikes_heals_and_leaves_a_report(team: Team):
    team.write("a.feature", CUT)
    result = team.pytest("--junitxml", "j.xml", "-W", "error", fake=False)
    assert result.ret == 0
    reading = journal(team)
    seen = kinds(reading)
    order = [
        "drill.begun",
        "fault.planned",
        "fault.armed",
        "fault.struck",
        "fault.healing",
        "fault.healed",
        "drill.judged",
    ]
    assert [seen.index(kind) for kind in order] == sorted(seen.index(kind) for kind in order)
    assert [e.data["status"] for e in reading.of("step.ended")] == ["passed"] * 3
    (folder,) = (team.path / "reports" / "out").iterdir()
    assert (folder / "report.html").is_file()
    result.stdout.fnmatch_lines(
        ['* STRIKE site "east" is isolated: east-db1', "* HEAL site*", "* MET, the estate is restored"]
    )
    properties = {p.attrib["name"]: p.attrib["value"] for p in ET.parse(team.path / "j.xml").iter("property")}  # noqa: S314
    assert properties["result"] == "met"
    assert properties["restoration"] == "restored"


def test_a_sentence_that_fails_still_heals_and_is_missed(team: Team):
    team.write(
        "conftest.py",
        "from pytest_bdd import then\n@then('all is lost')\ndef lost(estate, tmp_path): assert False, 'lost 3 rows'\n",
    )
    team.write("a.feature", CUT.split("    And site", maxsplit=1)[0] + "    Then all is lost\n")
    result = team.pytest(fake=False)
    reading = journal(team)
    assert "fault.healed" in kinds(reading)
    assert [e.data["status"] for e in reading.of("step.ended")] == ["passed", "failed"]
    assert reading.last("drill.restored").data["restoration"] == "restored"  # type: ignore[union-attr]
    assert result.ret == 1
    result.stdout.fnmatch_lines(["missed: *"])


@pytest.mark.parametrize(
    ("sentences", "finding"),
    [
        (
            ['When site "north" is isolated'],
            'a.feature:3: no site is called "north" in this estate; it has "east", "south"',
        ),
        (['When site "east" is isolated', 'And site "south" loses power'], "a.feature:4: *sites_down*"),
        (['When site "east" is isolated', "And the fault is held for 1 h"], "a.feature:4: *longest_fault*"),
        (['When site "east" gets its power back'], "a.feature:3: *"),
        (
            ['When site "east" is isolated', 'Then service "registration" is available again within 16 s'],
            "a.feature:4: *16 s*15 s*",
        ),
        (
            ['When the database host of service "nothing" at site "east" loses power'],
            'a.feature:3: no service is called "nothing" in this estate; it has "registration"',
        ),
    ],
)
def test_what_this_estate_does_not_have_or_allow_is_found_before_anything_is_touched(
    team: Team, sentences: list[str], finding: str
):
    lines = [*sentences, "Then no acknowledged write is lost"]
    team.write("a.feature", "Feature: f\n  Scenario: s\n" + "".join(f"    {line}\n" for line in lines))
    result = team.pytest(fake=False)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: nothing was touched:", finding])
    assert not (team.path / "reports").exists()


def test_a_duration_that_is_stricter_than_the_promise_is_no_finding(team: Team):
    again = 'Then service "registration" is available again within 14 s'
    team.write("a.feature", f'Feature: f\n  Scenario: s\n    When site "east" is isolated\n    {again}\n')
    assert team.pytest("--collect-only", fake=False).ret == 0


def test_a_step_of_a_team_in_place_of_a_shipped_one_stands_in_the_journal(team: Team):
    team.write(
        "conftest.py",
        "from pytest_bdd import then, parsers\n"
        "@then('the estate is as it was before within its recovery time')\ndef mine(estate_file): assert estate_file.name\n",
    )
    team.write("a.feature", CUT)
    team.pytest(fake=False)
    (event,) = journal(team).of("step.overridden")
    assert event.data["index"] == 2
    assert event.data["text"] == "the estate is as it was before within its recovery time"
    assert event.data["by"].endswith("conftest.py:2")


def test_a_step_of_a_team_uses_the_connections_of_the_drill(team: Team):
    team.write(
        "conftest.py",
        "from pytest_bdd import then\n@then('somebody writes')\ndef writes(engine_of, vantages, drill_context):\n"
        "    assert engine_of('clinical') is drill_context.engine('clinical')\n"
        "    assert [m.host for m in engine_of('clinical').members()] == ['east-db1', 'south-db1']\n"
        "    assert vantages.name == 'fake'\n",
    )
    team.write("a.feature", CUT + "    And somebody writes\n")
    result = team.pytest(fake=False)
    assert [e.data["status"] for e in journal(team).of("step.ended")] == ["passed"] * 4, result.stdout.str()


class Going:
    """A drill in a process of its own that holds its fault."""

    def __init__(self, team: Team) -> None:
        self.out = team.path / "reports" / "out"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--estate", "clinic.yaml", "-p", "no:hypothesispytest", "a.feature"],
            cwd=team.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def __enter__(self) -> Any:
        deadline = time.monotonic() + 60
        while not self._held():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return self

    def _held(self) -> bool:
        folders = list(self.out.iterdir()) if self.out.exists() else []
        return bool(folders) and any(e.data["index"] == 1 for e in read(folders[0]).of("step.begun"))

    def end(self) -> tuple[int, str]:
        words = self.process.communicate(timeout=60)[0]
        return self.process.returncode, words

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_a_fault_is_held_heals_it_and_lets_the_estate_go(team: Team, name: str):
    team.write("a.feature", HELD)
    with Going(team) as going:
        going.process.send_signal(getattr(signal, name))
        status, words = going.end()
    assert status == 2, words
    reading = journal(team)
    assert "fault.healed" in kinds(reading)
    assert reading.last("drill.judged").data["result"] == "aborted"  # type: ignore[union-attr]
    assert reading.last("drill.restored").data["restoration"] == "restored"  # type: ignore[union-attr]
    assert not UndoLog(state.folder("clinic")).read().entries
    assert "ABORTED, the estate is restored" in words


def test_a_second_drill_on_the_same_estate_is_refused(team: Team, tmp_path: Path):
    team.write("a.feature", HELD)
    with Going(team) as going:
        second = team.pytest("--drill-out", str(tmp_path / "second"), fake=False)
        going.process.send_signal(signal.SIGTERM)
        status, _ = going.end()
    assert second.ret == 7
    second.stdout.fnmatch_lines(["refused: *"])
    assert status == 2


def test_a_runner_that_is_killed_leaves_an_undo_that_recover_heals(team: Team):
    team.write("a.feature", HELD)
    with Going(team) as going:
        going.process.send_signal(signal.SIGKILL)
        status, _ = going.end()
    assert status == -signal.SIGKILL
    assert len(UndoLog(state.folder("clinic")).read().entries) == 1
    recovered = subprocess.run(
        [sys.executable, "-m", "drdrill.cli", "recover", "--estate", "clinic.yaml"],
        cwd=team.path, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert not UndoLog(state.folder("clinic")).read().entries
