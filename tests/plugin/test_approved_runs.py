# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Plan, approve and run, as persons do it; each refusal with nothing touched."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from teams import ESTATE

if TYPE_CHECKING:
    from pathlib import Path

    from teams import Team

pytest_plugins = ["pytester"]

CUT = """\
Feature: A data center is cut off
  Scenario: East is isolated
    When site "east" is isolated
    And site "east" is reconnected
    Then the estate is as it was before within its recovery time
"""
CALLS = """\
import json, pathlib
from drdrill.connect.fake_world import World
def pytest_unconfigure():
    pathlib.Path("calls.json").write_text(json.dumps([call for world in World._worlds.values() for call, _ in world.calls]))
"""
WINDOW = ("2020-01-01T00:00Z", "2199-01-01T00:00Z")


class Office:
    """A team with a production estate, which two of three persons have to approve."""

    def __init__(self, team: Team) -> None:
        self.team = team
        team.write("a.feature", CUT)
        team.write("conftest.py", CALLS)
        keys = {
            name: self.drdrill("approve", "--new-key", f"{name}.key").stdout.strip() for name in ("anna", "bao", "eve")
        }
        known = ", ".join(f'{name}: "{keys[name]}"' for name in ("anna", "bao"))
        self.production = f"{ESTATE}production: true\napprovals: {{needed: 2, keys: {{{known}}}}}\n"
        team.write("clinic.yaml", self.production)

    def drdrill(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "drdrill.cli", *arguments]
        ended = subprocess.run(command, cwd=self.team.path, capture_output=True, text=True, check=False, timeout=120)
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended

    def plan(self) -> None:
        self.drdrill("plan", "--estate", "clinic.yaml", "-p", "no:hypothesispytest", "--json", "plan.json", "a.feature")

    def approve(self, person: str, window: tuple[str, str] = WINDOW) -> Path:
        mine = ("--key", f"{person}.key", "--as", person, "--from", window[0], "--until", window[1])
        self.drdrill("approve", "plan.json", *mine)
        return self.team.path / f"{person}.approval.json"

    def run(self, *approvals: Path, more: tuple[str, ...] = ()) -> pytest.RunResult:
        (self.team.path / "calls.json").unlink(missing_ok=True)
        given = [word for path in approvals for word in ("--approval", str(path))]
        return self.team.pytest(*given, *more, "a.feature", fake=False)

    def refused(self, result: pytest.RunResult, words: str) -> None:
        assert result.ret == 7, result.outlines
        result.stdout.fnmatch_lines(["refused, nothing was touched:", f"*{words}*"])
        assert json.loads((self.team.path / "calls.json").read_text()) == []
        assert not (self.team.path / "reports").exists()


@pytest.fixture
def office(team: Team) -> Office:
    return Office(team)


def test_two_persons_approve_and_the_drill_strikes(office: Office):
    office.plan()
    result = office.run(office.approve("anna"), office.approve("bao"))
    assert result.ret == 0, result.outlines
    assert "links.cut" in json.loads((office.team.path / "calls.json").read_text())


def test_without_enough_persons_or_with_one_twice_nothing_is_touched(office: Office):
    office.plan()
    anna = office.approve("anna")
    office.refused(office.run(), "needs the approval of 2 different persons and has none")
    office.refused(office.run(anna), "2 different persons and has 1 (anna)")
    office.refused(office.run(anna, anna), "anna has approved 2 times: one person counts once")


def test_one_character_of_the_feature_and_nothing_is_touched(office: Office):
    office.plan()
    both = office.approve("anna"), office.approve("bao")
    office.team.write("a.feature", CUT.replace("A data", "a data"))
    office.refused(office.run(*both), "is for the plan")


def test_another_estate_or_limits_and_nothing_is_touched(office: Office):
    office.plan()
    both = office.approve("anna"), office.approve("bao")
    office.team.write("clinic.yaml", office.production.replace("estate: clinic", "estate: hospital"))
    office.refused(office.run(*both), 'is for the estate "clinic", and this one is "hospital"')
    office.team.write("clinic.yaml", office.production.replace("longest_fault: 10 min", "longest_fault: 20 min"))
    office.refused(office.run(*both), "is for the plan")


def test_a_closed_window_and_nothing_is_touched(office: Office):
    office.plan()
    anna, bao = office.approve("anna"), office.approve("bao", ("2020-01-01T00:00Z", "2020-01-02T00:00Z"))
    office.refused(office.run(anna, bao), "its window is over since 2020-01-02")


def test_a_forged_signature_and_nothing_is_touched(office: Office):
    office.plan()
    anna, bao = office.approve("anna"), office.approve("bao")
    bao.write_text(bao.read_text().replace("2199", "2198"))
    office.refused(office.run(anna, bao), "its signature is not one of bao")
    bao.write_text(anna.read_text().replace('"anna"', '"eve"'))
    office.refused(office.run(anna, bao), 'nobody called "eve" may approve')


def test_production_without_approvals_in_its_file_is_never_drilled(office: Office):
    office.team.write("clinic.yaml", ESTATE + "production: true\n")
    office.refused(office.run(), "add `approvals:` with their keys to the estate file")


def test_who_may_not_approve_is_told_when_they_try(office: Office):
    office.plan()
    window = ("--from", WINDOW[0], "--until", WINDOW[1])
    words = office.drdrill("approve", "plan.json", "--key", "eve.key", "--as", "eve", *window, status=4).stderr
    assert 'nobody called "eve" may approve' in words
    words = office.drdrill("approve", "plan.json", "--key", "eve.key", "--as", "bao", *window, status=4).stderr
    assert 'this is not the key of "bao"' in words
    (office.team.path / "anna.key").chmod(0o644)
    words = office.drdrill("approve", "plan.json", "--key", "anna.key", "--as", "anna", *window, status=4).stderr
    assert "others can read or write this key (mode 0644)" in words
    words = office.drdrill("approve", "plan.json", "--as", "anna", status=4).stderr
    assert "an approval needs --key, --from, --until as well" in words


def test_a_plan_that_was_changed_is_not_signed(office: Office):
    office.plan()
    path = office.team.path / "plan.json"
    path.write_text(path.read_text().replace("east-db1", "south-db1"))
    mine = ("--key", "anna.key", "--as", "anna", "--from", WINDOW[0], "--until", WINDOW[1])
    assert "was changed since" in office.drdrill("approve", "plan.json", *mine, status=4).stderr


def test_a_probe_needs_no_approval_strikes_nothing_and_ends_with_0(office: Office):
    result = office.run(more=("--probe-only", "--junitxml", "j.xml"))
    assert result.ret == 0, result.outlines
    calls = json.loads((office.team.path / "calls.json").read_text())
    assert "links.ready" in calls
    assert not {"links.cut", "power.off", "freeze.freeze", "entry.drain"} & set(calls)
    result.stdout.fnmatch_lines(
        ["*passed over: it needs what was not struck*", "*INCONCLUSIVE*", "*Only probed: nothing was struck*"]
    )
    assert 'skipped="1"' in (office.team.path / "j.xml").read_text()


def test_a_probe_stops_where_a_step_of_the_teams_own_follows_a_strike(office: Office):
    office.team.write("conftest.py", CALLS + "from pytest_bdd import then\n@then('x')\ndef x(tmp_path): assert False\n")
    office.team.write("a.feature", CUT + "    And x\n")
    result = office.run(more=("--probe-only",))
    assert result.ret == 0, result.outlines
    result.stdout.fnmatch_lines(["*a step of the team's own; it and what follows is passed over*"])


def test_a_probe_says_what_is_missing(office: Office):
    office.team.write(
        "conftest.py",
        CALLS
        + "def pytest_bdd_before_scenario(request):\n"
        + "    for world in World._worlds.values(): world.broken['east-db1'] = 'no right to nft'\n",
    )
    result = office.run(more=("--probe-only",))
    assert result.ret == 7, result.outlines
    result.stdout.fnmatch_lines(["*links through fake: east-db1: no right to nft*"])


def test_a_probe_does_no_when_of_the_teams_own_that_nobody_looked_into(office: Office):
    own = "from pytest_bdd import when\n@when('x')\ndef x(tmp_path): open('harm', 'w').close()\n"
    office.team.write("conftest.py", CALLS + own)
    office.team.write("a.feature", CUT.replace("    When site", "    When x\n    And site"))
    result = office.run(more=("--probe-only",))
    assert result.ret == 0, result.outlines
    result.stdout.fnmatch_lines(["*a step of the team's own; it and what follows is passed over*"])
    assert not (office.team.path / "harm").exists()
