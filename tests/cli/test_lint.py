# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill lint`: what is wrong with features, without an estate, in both languages, touching nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from teams import CHINESE, FEATURES, GOOD

if TYPE_CHECKING:
    from teams import Team

pytest_plugins = ["pytester"]


def lint(team: Team, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drdrill.cli", "lint", *arguments]
    return subprocess.run(command, cwd=team.path, capture_output=True, text=True, check=False, timeout=60)


def test_what_ships_is_good(team: Team):
    result = lint(team)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{len(list(FEATURES.rglob('*.feature')))} files are good\n"


def test_every_finding_is_one_line_with_its_place(team: Team):
    team.write("features/a.feature", "Feature: f\n  Scenario: s\n    When this\n    Then that\n")
    team.write("features/deep/b.feature", "")
    result = lint(team)
    assert result.returncode == 1
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [
        "features/deep/b.feature:1",
        "features/a.feature:3",
        "features/a.feature:4",
    ]
    assert result.stderr == "3 found in 2 files\n"


def test_twins_must_be_the_same_drill(team: Team):
    team.write("a.feature", GOOD)
    team.write("a.zh.feature", CHINESE)
    assert lint(team, ".").returncode == 0
    team.write("a.zh.feature", CHINESE.replace("east", "south"))
    result = lint(team, ".")
    assert result.returncode == 1
    assert "a.zh.feature:1: is not the same drill as its English twin" in result.stdout


def test_a_chinese_feature_is_read_too(team: Team):
    team.write("a.feature", GOOD)
    team.write("a.zh.feature", CHINESE.replace("隔离\n    那", "隔开\n    那"))
    assert "a.zh.feature:5: there is no such sentence" in lint(team, ".").stdout


def test_steps_of_the_team_are_known(team: Team):
    team.write(
        "conftest.py", "from pytest_bdd import then\n@then('it is so')\ndef it_is_so(tmp_path): assert tmp_path\n"
    )
    team.write("a.feature", GOOD + "    And it is so\n")
    assert lint(team, "a.feature").returncode == 0


def test_with_an_estate_names_are_checked(team: Team):
    team.write("a.feature", GOOD.replace('"east"', '"north"'))
    assert lint(team, "a.feature").returncode == 0
    result = lint(team, "--estate", "clinic.yaml", "a.feature")
    assert result.returncode == 1
    assert 'a.feature:4: no site is called "north" in this estate; it has "east", "south"' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "nowhere: there is no feature here"),
        (("--estate", "nowhere.yaml", "a.feature"), "nowhere.yaml: there is no such estate file"),
    ],
)
def test_what_cannot_be_read_is_4(team: Team, arguments: tuple[str, ...], words: str):
    team.write("a.feature", GOOD)
    result = lint(team, *arguments)
    assert result.returncode == 4
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_conftest_that_breaks_is_4(team: Team):
    team.write("conftest.py", "import nothing_of_this_name\n")
    team.write("a.feature", GOOD)
    result = lint(team, "a.feature")
    assert result.returncode == 4
    assert "nothing_of_this_name" in result.stderr


def test_an_estate_in_the_environment_changes_nothing(team: Team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DRDRILL_ESTATE", "nowhere.yaml")
    team.write("a.feature", GOOD)
    assert lint(team, "a.feature").returncode == 0
