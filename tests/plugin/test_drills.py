# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What runs around a drill: heal and judge whatever happened, results in pytest's words, the exit status."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from teams import CHINESE, GOOD

from drdrill.bdd.outcome import run_status

if TYPE_CHECKING:
    from teams import Team

pytest_plugins = ["pytester"]
TWO = GOOD + GOOD.partition("\n")[2].replace("The east campus", "Again it")


@pytest.fixture(autouse=True)
def a_feature(team: Team) -> None:
    team.write("a.feature", GOOD)


def test_sentences_reach_the_nouns_of_the_running_drill_in_order(team: Team):
    result = team.pytest()
    assert result.ret == 0
    assert [
        line for line in team.log() if line.split()[0] in {"begin", "estate", "drill", "consistency", "finish"}
    ] == [
        "begin The east campus is isolated () en",
        "estate require_healthy () {}",
        "drill strike (SiteIsolated(site='east', peer=''),) {'quorum_loss': False}",
        "consistency none_lost () {}",
        "finish NoneType None",
    ]


def junit(team: Team, tag: str) -> list[ET.Element]:
    return list(ET.parse(team.path / "j.xml").iter(tag))  # noqa: S314 - pytest wrote it a moment ago


ENDS = {
    "a check that fails is missed": (
        {"consistency__none_lost": "AssertionError: lost 3 rows"},
        1,
        "missed: lost 3 rows",
        "failed",
    ),
    "a broken step is aborted": ({"consistency__none_lost": "ValueError: boom"}, 6, "aborted: boom", "aborted"),
    "a skip is aborted, never skipped": ({"consistency__none_lost": "skip"}, 6, "aborted: *", "aborted"),
    "a precondition that is not so is refused": (
        {"estate__require_healthy": "Refused: down"},
        7,
        "refused: down",
        "refused",
    ),
    "a failing check before any strike is refused": (
        {"estate__require_healthy": "AssertionError: x"},
        7,
        "refused: x",
        "refused",
    ),
    "a doubt is inconclusive": ({"result": "inconclusive"}, 6, "inconclusive: all is well", "passed"),
}


@pytest.mark.parametrize("case", ENDS)
def test_an_end_that_is_not_met_is_a_failure_with_its_word_first(team: Team, case: str):
    script, status, words, last = ENDS[case]
    if script.get("consistency__none_lost") == "skip":
        team.write(
            "conftest.py",
            "import pytest\nfrom pytest_bdd import then\n"
            "@then('no acknowledged write is lost')\ndef mine(consistency, tmp_path): pytest.skip('not today')\n",
        )
        script = {}
    team.script(**script)
    result = team.pytest("--junitxml", "j.xml")
    result.assert_outcomes(failed=1)
    assert result.ret == status
    result.stdout.fnmatch_lines([f"*{words}*"])
    assert [line.split()[3] for line in team.log() if line.startswith("step ended")][-1] == last
    (failure,) = junit(team, "failure")
    assert failure.attrib["message"].startswith(words.partition(":")[0])


def test_a_pytest_fail_in_a_step_of_a_team_means_that_its_check_failed(team: Team):
    team.write(
        "conftest.py",
        "import pytest\nfrom pytest_bdd import then\n"
        "@then('no acknowledged write is lost')\ndef mine(consistency, tmp_path): pytest.fail('lost all')\n",
    )
    assert team.pytest().ret == 1
    assert "finish AssertionError lost all" in team.log()


def test_a_time_that_is_over_aborts_and_is_no_check_that_failed(team: Team):
    team.write(
        "pytest_timeout.py",  # as the real one does it, from its handler of an alarm
        "import signal, pytest\n"
        "def ring(*_): pytest.fail('Timeout (>0.1s)')\n"
        "def pytest_configure(config): signal.signal(signal.SIGALRM, ring)\n",
    )
    team.script(consistency__none_lost="alarm: ")
    assert team.pytest("-p", "pytest_timeout").ret == 6
    assert "finish Aborted the time that this drill may take is over (Timeout (>0.1s))" in team.log()


@pytest.mark.parametrize(("restoration", "result"), list(product(["residual", "unknown"], ["met", "inconclusive"])))
def test_an_estate_that_is_not_restored_is_an_error_and_8_and_ends_all_striking(
    team: Team, restoration: str, result: str
):
    team.write("a.feature", TWO)
    team.script(restoration=restoration, result=result)
    ran = team.pytest()
    assert ran.ret == 8
    ran.stdout.fnmatch_lines([f"*restoration {restoration}*"])
    ran.stdout.fnmatch_lines([f"*refused: an earlier drill left the estate unhealed ({restoration} after *"])
    assert sum(line.startswith("begin") for line in team.log()) == 1
    assert ran.parseoutcomes()["error" if "error" in ran.parseoutcomes() else "errors"] == 1


def test_a_drill_that_cannot_end_is_not_known_to_be_restored(team: Team):
    team.script(finish="RuntimeError: disk full")
    result = team.pytest()
    assert result.ret == 8
    result.stdout.fnmatch_lines(["*aborted: the drill could not be ended properly: RuntimeError: disk full*"])


@pytest.mark.parametrize("error", ["EstateBusy: held by drill 7", "Unreachable: no route", "MissingExtra: x"])
def test_a_drill_that_cannot_begin_is_refused(team: Team, error: str):
    if error.startswith("MissingExtra"):
        error = "BadInput: psycopg is not installed"
    team.script(begin=error)
    result = team.pytest()
    assert result.ret == 7
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*refused: {error.partition(': ')[2]}*"])


def test_a_way_in_that_does_not_work_refuses_the_run_before_the_first_drill(team: Team):
    team.script(probe="the links of east cannot be reached")
    result = team.pytest()
    assert result.ret == 7
    result.stdout.fnmatch_lines(["refused, nothing was touched:", "  the links of east cannot be reached"])
    assert team.log() == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_heals_and_ends_the_run_with_2(team: Team, name: str):
    team.write("a.feature", TWO)
    team.script(consistency__none_lost=f"{name}: ")
    result = team.pytest()
    assert result.ret == 2
    finished = [line for line in team.log() if line.startswith("finish")]
    assert len(finished) == 1
    assert finished[0].split()[1] in {"KeyboardInterrupt", "Stopped"}
    assert any(line.startswith("step ended 2 aborted") for line in team.log())


def test_a_signal_while_it_heals_ends_the_run_after_the_heal(team: Team):
    team.write("a.feature", TWO)
    team.script(stopped=["SIGTERM"])
    assert team.pytest().ret == 2
    assert sum(line.startswith("finish") for line in team.log()) == 1


def test_an_alarm_of_a_timeout_waits_for_the_heal(team: Team):
    team.write(
        "conftest.py",
        "import signal, pytest\n"
        "def ring(*_): raise pytest.fail.Exception('timeout')\n"
        "def pytest_configure(config): signal.signal(signal.SIGALRM, ring)\n",
    )
    team.script(finish="alarm: ")
    result = team.pytest()
    assert result.ret != 0
    assert "finish NoneType None" in team.log()
    result.stdout.fnmatch_lines(["*timeout*"])


def test_pdb_opens_after_the_heal(team: Team):
    team.script(consistency__none_lost="AssertionError: lost 3 rows")
    team.write(
        "quiet_pdb.py",
        "from fakedrill import log\n"
        "class Pdb:\n"
        "    def __init__(self, *a, **k): ...\n"
        "    def reset(self): ...\n"
        "    def interaction(self, *a): log('pdb')\n",
    )
    team.pytest("--pdb", "--pdbcls=quiet_pdb:Pdb")
    log = team.log()
    assert "pdb" in log
    assert log.index("finish AssertionError lost 3 rows") < log.index("pdb")


def test_junit_has_result_and_restoration_as_properties(team: Team):
    team.pytest("--junitxml", "j.xml")
    properties = {p.attrib["name"]: p.attrib["value"] for p in junit(team, "property")}
    assert properties["result"] == "met"
    assert properties["restoration"] == "restored"


def test_junit_points_at_the_scenario(team: Team):
    team.pytest("--junitxml", "j.xml", "-o", "junit_family=xunit1")
    (case,) = junit(team, "testcase")
    assert (case.attrib["file"], case.attrib["line"]) == ("a.feature", "1")  # pytest counts lines from 0


def test_a_tag_is_a_mark_under_strict_markers_and_warnings(team: Team):
    team.write(
        "a.feature", TWO.replace("  Scenario: The", "  @quarterly @nist-800-53:CP-4.5 @季度演练\n  Scenario: The")
    )
    strict = ("--strict-markers", "-W", "error")
    team.pytest(*strict, "-m", "nist-800-53:CP-4.5 and 季度演练").assert_outcomes(passed=1, deselected=1)
    assert team.log()[0] == "begin The east campus is isolated ('nist-800-53:CP-4.5', 'quarterly', '季度演练') en"


def test_a_drill_can_be_chosen_by_its_node_id(team: Team):
    team.write("a.feature", TWO)
    team.pytest("a.feature::Again it is isolated").assert_outcomes(passed=1)


def test_a_scenario_that_is_not_chosen_has_no_findings(team: Team):
    team.write("a.feature", TWO.replace("Then no", "Then no such", 1))
    team.pytest("-k", "Again").assert_outcomes(passed=1, deselected=1)
    assert team.pytest("-k", "east").ret == 4


def test_stopping_at_the_first_failure_keeps_the_status_of_the_drill(team: Team):
    team.write("a.feature", TWO)
    team.script(result="inconclusive")
    assert team.pytest("-x").ret == 6
    assert sum(line.startswith("begin") for line in team.log()) == 1


def test_the_run_says_what_it_drills_on(team: Team):
    team.pytest().stdout.fnmatch_lines(["1 drill on the estate clinic (clinic.yaml)"])


def test_nothing_to_drill_is_5(team: Team):
    assert team.pytest("-k", "nothing").ret == 5


def test_collecting_touches_nothing(team: Team):
    team.script(probe="must not be asked")
    assert team.pytest("--collect-only").ret == 0
    assert team.log() == []


def test_each_row_of_examples_is_a_drill_of_its_own(team: Team):
    team.write(
        "a.feature",
        'Feature: f\n  Scenario Outline: s\n    When site "<x>" is isolated\n    Then no acknowledged write is lost\n'
        "    Examples:\n      | x |\n      | east |\n      | south |\n",
    )
    team.pytest().assert_outcomes(passed=2)
    assert [line for line in team.log() if line.startswith(("begin", "drill"))] == [
        "begin s [east] () en",
        "drill strike (SiteIsolated(site='east', peer=''),) {'quorum_loss': False}",
        "begin s [south] () en",
        "drill strike (SiteIsolated(site='south', peer=''),) {'quorum_loss': False}",
    ]


@pytest.mark.parametrize(
    "sentence",
    ["'no acknowledged write is lost'", "parsers.re('no acknowledged .* is lost')"],
    ids=["same", "other pattern"],
)
@pytest.mark.parametrize("where", ["conftest.py", "deep/conftest.py"])
def test_a_step_of_a_team_takes_the_place_of_a_shipped_one_and_the_journal_says_so(
    team: Team, where: str, sentence: str
):
    team.write(
        where,
        f"from pytest_bdd import then, parsers\n@then({sentence})\ndef mine(consistency):\n    consistency.my_own_check()\n",
    )
    team.write("deep/b.feature", GOOD)
    team.pytest("deep").assert_outcomes(passed=1)
    log = team.log()
    assert "consistency my_own_check () {}" in log
    (overridden,) = [line for line in log if line.startswith("journal step.overridden")]
    assert "'index': 2" in overridden
    assert f"{where}:2" in overridden


def test_a_step_of_a_team_may_use_other_fixtures_and_looks_at_the_drill(team: Team):
    team.write(
        "conftest.py",
        "from pytest_bdd import then\n@then('the map is drawn')\ndef drawn(consistency, tmp_path, estate_file, drill_context):\n"
        "    assert estate_file.name == 'clinic'\n    assert drill_context.struck()\n    consistency.none_lost()\n",
    )
    team.write("a.feature", GOOD + "    And the map is drawn\n")
    team.pytest().assert_outcomes(passed=1)
    assert team.log().count("consistency none_lost () {}") == 2


def test_a_step_that_was_not_checked_cannot_strike_by_a_detour(team: Team):
    team.write(
        "conftest.py",
        "from pytest_bdd import when\nfrom drdrill.faults.site_lost import SiteLost\n"
        "@when('I go around')\ndef around(request):\n    request.getfixturevalue('drill').strike(SiteLost('south'))\n",
    )
    team.write("a.feature", GOOD + "    When I go around\n")
    result = team.pytest()
    assert not any("SiteLost" in line for line in team.log())
    result.stdout.fnmatch_lines(["*drill.strike: this step was not checked before the run, so it may not strike*"])


def test_a_noun_outside_of_a_drill_says_what_is_wrong(team: Team):
    team.write("test_theirs.py", "def test_it(drill): ...\n")
    result = team.pytest()
    result.stdout.fnmatch_lines(["*test_theirs.py::test_it: no drill runs here; *"])


def test_what_is_no_drill_counts_as_in_any_run_of_pytest(team: Team):
    team.write("test_theirs.py", "def test_it(): assert False\n")
    team.script(result="inconclusive")
    assert team.pytest().ret == 1


@pytest.mark.parametrize("quiet", [(), ("-q",), ("-s",), ("-v",), ("-p", "no:terminal")])
def test_the_terminal_shows_each_sentence_whatever_the_mode(team: Team, quiet: tuple[str, ...]):
    result = team.pytest(*quiet)
    assert result.ret == 0
    if "no:terminal" in quiet:
        return
    result.stdout.fnmatch_lines(
        [
            "The east campus is isolated*a.feature:2",
            '* s  When site "east" is isolated',
            "* said by drill.strike",
            "* s  Then no acknowledged write is lost",
            "* s  MET, the estate is restored",
            "met          restored   The east campus is isolated  reports/out/drill-0",
        ]
    )


def test_a_closed_terminal_stops_no_drill(team: Team):
    team.write(
        "conftest.py",
        "import sys\nfrom _pytest.terminal import TerminalReporter\n"
        "def broken(*a, **k): raise BrokenPipeError\nTerminalReporter.write = broken\n",
    )
    team.pytest()
    assert "finish NoneType None" in team.log()


def test_the_folders_of_drills_go_where_a_person_says(team: Team):
    team.pytest("--drill-out", "elsewhere/out")
    assert (team.path / "elsewhere/out/drill-0").is_dir()
    assert not (team.path / "reports").exists()


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        ((), ["The east campus is isolated"]),
        (("--language", "zh"), ["隔离"]),
        (("a.zh.feature",), ["隔离"]),
        (("a.feature", "a.zh.feature"), ["The east campus is isolated", "隔离"]),
        (("--language", "zh", "a.feature"), ["The east campus is isolated"]),
    ],
)
def test_of_twins_one_is_drilled(team: Team, arguments: tuple[str, ...], titles: list[str]):
    team.write("a.zh.feature", CHINESE)
    assert team.pytest(*arguments).ret == 0
    assert [line.split(" () ")[0] for line in team.log() if line.startswith("begin")] == [f"begin {t}" for t in titles]


def test_a_chinese_feature_without_a_twin_is_drilled(team: Team):
    (team.path / "a.feature").unlink()
    team.write("a.zh.feature", CHINESE)
    team.pytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("among", "first"),
    [
        ([], 0),
        ([0, 0], 0),
        ([6, 7, 4, 5], 6),
        ([2, 6, 7], 2),
        ([1, 2, 6], 1),
        ([3, 1], 3),
        ([8, 3, 1, 2, 6, 7, 4, 5], 8),
        ([5, 4], 4),
        ([7, 4], 7),
    ],
)
def test_the_first_of_8_3_1_2_6_7_4_5_wins(among: list[int], first: int):
    assert run_status(among) == first
