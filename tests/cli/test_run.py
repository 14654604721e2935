# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill run` is pytest underneath: same drills, same result, same exit status."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from teams import FEATURES, GOOD

if TYPE_CHECKING:
    from teams import Team

pytest_plugins = ["pytester"]


def run(team: Team, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drdrill.cli", "run", "-p", "fakedrill", "-p", "no:hypothesispytest", *arguments],
        cwd=team.path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def begun(team: Team) -> list[str]:
    return [line.removeprefix("begin ").partition(" (")[0] for line in team.log() if line.startswith("begin")]


def test_without_features_the_shipped_ones_run_and_leave_their_folders_here(team: Team):
    result = run(team, "--estate", "clinic.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    shipped = [path for path in FEATURES.rglob("*.feature") if not path.name.endswith(".zh.feature")]
    assert len(begun(team)) == len(shipped)
    assert len(list((team.path / "reports" / "out").iterdir())) == len(shipped)


def test_first_runs_one_drill_of_each_folder(team: Team):
    assert run(team, "--estate", "clinic.yaml", "--first").returncode == 0
    assert begun(team) == [
        "The campus that writes loses its power",
        "The host that is written to loses its power",
        "The campus that writes is isolated",
    ]


def test_first_in_chinese_takes_the_twin(team: Team):
    assert run(team, "--estate", "clinic.yaml", "--first", "--language", "zh").returncode == 0
    assert begun(team)[-1] == "承担写入的院区被隔离"


def test_named_features_run_and_pytests_options_work(team: Team):
    team.write("drills/a.feature", GOOD + GOOD.partition("\n")[2].replace("The east", "Again the east"))
    result = run(team, "--estate", "clinic.yaml", "drills", "-k", "Again", "-q", "--junitxml", "j.xml")
    assert result.returncode == 0
    assert begun(team) == ["Again the east campus is isolated"]
    assert (team.path / "j.xml").exists()


def test_reports_go_below_where_a_person_stands(team: Team):
    feature = team.write("elsewhere/a.feature", GOOD)
    team.write("elsewhere/pytest.ini", "[pytest]\n")
    assert run(team, "--estate", "clinic.yaml", str(feature)).returncode == 0
    assert (team.path / "reports" / "out" / "drill-0").is_dir()


def test_a_node_id_names_one_drill(team: Team):
    team.write("drills/a.feature", GOOD)
    assert run(team, "--estate", "clinic.yaml", "drills/a.feature::The east campus is isolated").returncode == 0
    assert begun(team) == ["The east campus is isolated"]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ({"consistency__none_lost": "AssertionError: lost"}, 1),
        ({"consistency__none_lost": "ValueError: x"}, 6),
        ({"begin": "EstateBusy: x"}, 7),
        ({"restoration": "residual"}, 8),
        ({"consistency__none_lost": "SIGTERM: "}, 2),
    ],
)
def test_the_exit_status_is_that_of_plain_pytest(team: Team, script: dict[str, str], status: int):
    team.write("a.feature", GOOD)
    team.script(**script)
    assert run(team, "--estate", "clinic.yaml", "a.feature").returncode == status
    assert team.pytest().ret == status


def test_without_an_estate_it_says_how_to_name_one(team: Team):
    team.write("a.feature", GOOD)
    result = run(team, "a.feature")
    assert result.returncode == 4
    assert "name the estate to drill on: --estate NAME or PATH, DRDRILL_ESTATE, or drdrill_estate" in result.stderr


def test_the_estate_may_stand_in_the_ini_file(team: Team):
    team.write("a.feature", GOOD)
    team.write("pytest.ini", "[pytest]\ndrdrill_estate = clinic.yaml\n")
    assert run(team, "a.feature").returncode == 0


def test_a_feature_that_is_not_there_is_bad_input(team: Team):
    result = run(team, "--estate", "clinic.yaml", "nowhere.feature")
    assert result.returncode == 4
    assert "nowhere.feature" in result.stderr
    assert begun(team) == []


def test_nothing_to_drill_is_5(team: Team):
    team.write("a.feature", GOOD)
    assert run(team, "--estate", "clinic.yaml", "a.feature", "--first").returncode == 5
