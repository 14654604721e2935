# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill plan`: the same drills as `drdrill run` would find, in words and as a file, touching nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from teams import GOOD

from drdrill.drill.canonical import digest

if TYPE_CHECKING:
    from teams import Team

pytest_plugins = ["pytester"]


def plan(team: Team, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drdrill.cli", "plan", "-p", "no:hypothesispytest", *arguments]
    return subprocess.run(command, cwd=team.path, capture_output=True, text=True, check=False, timeout=60)


def test_it_says_what_would_be_struck_and_touches_nothing(team: Team):
    team.write("a.feature", GOOD)
    result = plan(team, "--estate", "clinic.yaml", "--json", "plan.json", "a.feature")
    assert result.returncode == 0, result.stderr
    assert "STRIKES    the whole of site east: east-db1" in result.stdout
    assert "by         links through fake" in result.stdout
    assert max(map(len, result.stdout.split("written to")[0].splitlines())) <= 100
    kept = json.loads((team.path / "plan.json").read_text())
    assert kept["digest"] == digest(kept["plan"])
    assert f"digest     {kept['digest']}" in result.stdout
    assert (team.path / "clinic.fake.json").read_text() == ""
    assert not (team.path / "reports").exists()


def test_what_this_estate_cannot_have_is_left_out_and_said(team: Team):
    result = plan(team, "--estate", "pocket", "--first")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("3 drills on the estate pocket")
    assert "not drilled here: " in plan(team, "--estate", "pocket").stdout


def test_findings_are_bad_input_and_no_drill_is_nothing(team: Team):
    team.write("a.feature", GOOD.replace('site "east"', 'site "north"'))
    result = plan(team, "--estate", "clinic.yaml", "--json", "plan.json", "a.feature")
    assert result.returncode == 4
    assert 'no site is called "north"' in result.stderr
    assert not (team.path / "plan.json").exists()
    team.write("a.feature", GOOD)
    assert plan(team, "--estate", "clinic.yaml", "a.feature", "-k", "nothing").returncode == 5
    assert plan(team, "--estate", "clinic.yaml", "b.feature").returncode == 4
