# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A run that does not drill notices nothing of us."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from teams import ESTATE, GOOD

if TYPE_CHECKING:
    from teams import Team

pytest_plugins = ["pytester"]
HEAVY = (
    "pydantic",
    "ruamel",
    "numpy",
    "aiohttp",
    "openstack",
    "pyodbc",
    "rich",
    "click",
    "jinja2",
    "drdrill.bdd",
    "drdrill.drill",
)


def test_a_run_without_an_estate_imports_nothing_of_ours_but_the_plugin(team: Team):
    team.write(
        "test_theirs.py",
        "import sys\n"
        f"HEAVY = {HEAVY!r}\n"
        "def test_it():\n"
        "    ours = [m for m in sys.modules if m.startswith('drdrill')]\n"
        "    assert ours == ['drdrill', 'drdrill.plugin']\n"
        "    assert not [m for m in HEAVY if m in sys.modules]\n",
    )
    result = team.pytest(estate=None, fake=False)
    result.assert_outcomes(passed=1)


def test_a_run_without_an_estate_collects_no_feature(team: Team):
    team.write("a.feature", "this is no Gherkin")
    result = team.pytest(estate=None, fake=False)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_run_without_an_estate_has_no_fixture_of_ours(team: Team):
    team.write("test_theirs.py", "def test_it(drill): ...\n")
    result = team.pytest(estate=None, fake=False)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'drill' not found*"])


def test_loading_the_plugin_takes_less_than_60_ms():
    # The least of several: what the plugin costs, not what the machine was doing.
    command = [
        sys.executable,
        "-c",
        "import pytest, time; t = time.perf_counter(); import drdrill.plugin; print(time.perf_counter() - t)",
    ]
    took = [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(3)]
    assert min(took) < 0.060, took


@pytest.mark.parametrize("how", ["option", "variable", "ini"])
def test_an_estate_can_be_named_in_three_ways(team: Team, monkeypatch: pytest.MonkeyPatch, how: str):
    team.write("a.feature", GOOD)
    if how == "variable":
        monkeypatch.setenv("DRDRILL_ESTATE", "clinic.yaml")
    if how == "ini":
        team.write("pytest.ini", "[pytest]\ndrdrill_estate = clinic.yaml\n")
    result = team.pytest(estate="clinic.yaml" if how == "option" else None)
    result.assert_outcomes(passed=1)


def test_a_name_finds_the_estate_in_the_fixtures_of_the_team(team: Team):
    team.write("a.feature", GOOD)
    team.write("fixtures/estates/clinic.yaml", ESTATE)
    team.pytest(estate="clinic").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "dest", "action"),
    [
        ("-n", "numprocesses", "store"),
        ("--reruns", "reruns", "store"),
        ("--count", "count", "store"),
        ("--random-order-bucket", "random_order_bucket", "store"),
        ("--random-order-seed", "random_order_seed", "store"),
    ],
)
def test_what_repeats_or_shuffles_tests_is_refused_at_configure(team: Team, option: str, dest: str, action: str):
    team.write("a.feature", GOOD)
    # The plugins themselves are not needed: what matters is the option that they add.
    team.write(
        "other.py",
        f"def pytest_addoption(parser):\n    parser.getgroup('other')._addoption({option!r}, dest={dest!r}, action={action!r}, "
        f"type={'int' if dest in {'count', 'numprocesses', 'reruns'} else 'str'})\n",
    )
    result = team.pytest("-p", "other", option, "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: a drill*"])
    assert team.log() == []


def test_a_timeout_that_kills_without_healing_is_refused(team: Team):
    team.write("a.feature", GOOD)
    team.write("other.py", "def pytest_addoption(parser):\n    parser.addini('timeout_method', '', default='signal')\n")
    team.write("pytest.ini", "[pytest]\ntimeout_method = thread\n")
    result = team.pytest("-p", "other")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*timeout_method=thread ends the process*use timeout_method=signal*"])
