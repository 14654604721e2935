# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a feature is found before anything is touched: all of it at once, with file and line, exit status 4."""

from __future__ import annotations

import fnmatch
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from teams import CHINESE, ESTATE, FAKES, GOOD

if TYPE_CHECKING:
    from teams import Team

pytest_plugins = ["pytester"]

FEATURE = "Feature: f\n  Scenario: s\n    Given the estate is healthy\n"


def steps(*lines: str) -> str:
    return FEATURE + "".join(f"    {line}\n" for line in lines)


BAD = {
    "an undefined sentence, with the one that was meant": (
        steps('When site "east" is isolatd', "Then no acknowledged write is lost"),
        'a.feature:4: there is no such sentence: site "east" is isolatd; did you mean: site "X" is isolated',
    ),
    "a sentence of another kind": (
        steps('When site "east" is isolated', "Then the estate is healthy"),
        "a.feature:5: this sentence is a Given, not a Then: the estate is healthy",
    ),
    "no When": (
        steps("Then no acknowledged write is lost"),
        'a.feature:2: scenario "s" has no When: nothing happens in it; add one',
    ),
    "nothing that breaks or moves anything": (
        steps('Then service "registration" is available again within its RTO').replace(
            "    Then", "    When the fault is held for 3 s\n    Then"
        ),
        'a.feature:2: scenario "s" breaks nothing and moves nothing, so nothing can be proven; add a sentence such as',
    ),
    "no check after the strike": (
        steps("Then no acknowledged write is lost", 'When site "east" is isolated'),
        'a.feature:2: scenario "s" checks nothing after it broke something; add a sentence such as',
    ),
    "a sentence that only differs in its spaces": (
        steps('When site "east"  is isolated', "Then no acknowledged write is lost"),
        "a.feature:4: there is no such sentence, but one that only differs in its spaces, quotes or full-width signs: site*",
    ),
    "no Then": (
        steps('When site "east" is isolated'),
        'a.feature:2: scenario "s" has no Then: it proves nothing; add one',
    ),
    "an empty file": ("", "a.feature:1: is empty; *"),
    "a comment alone": ("# nothing\n", "a.feature:1: is empty; *"),
    "a feature without a scenario": ("Feature: f\n", 'a.feature:1: feature "f" has no scenario*'),
    "no Gherkin": (FEATURE + "  Foo\n", "a.feature:*: cannot be read as Gherkin: *"),
    "a full-width colon": (
        '# language: zh-CN\n功能：隔离\n  场景: 甲\n    当数据中心"east"被隔离\n    那么没有丢失任何已确认的写入\n',
        'a.feature:2: has a full-width colon "：" after its keyword',
    ),
    "a Chinese scenario without a check after the strike": (
        ("# language: zh-CN\n功能: 隔离\n  场景: 甲\n    那么没有丢失任何已确认的写入\n    当数据中心“east”被隔离\n"),
        'a.feature:3: scenario "甲" checks nothing after it broke something; add a sentence such as',
    ),
    "a Chinese sentence that only differs in its spaces": (
        "# language: zh-CN\n功能: 隔离\n  场景: 甲\n    当数据中心“east”　被隔离\n    那么没有丢失任何已确认的写入\n",
        "a.feature:4: there is no such sentence, but one that only differs in its spaces, quotes or full-width signs: *",
    ),
    "a background that Gherkin takes for prose": (
        (
            "# language: zh-CN\n功能: 隔离\n  背景：\n    先说几句，\n    假如环境处于健康状态\n  场景: 甲\n"
            "    当数据中心“east”被隔离\n    那么没有丢失任何已确认的写入\n"
        ),
        "a.feature:5: this sentence stands in a description, so it would not be run: 环境处于健康状态; *",
    ),
    "an English background that Gherkin takes for prose": (
        FEATURE.replace("  Scenario", "  Background\n    Given the  estate is healthy\n  Scenario")
        + '    When site "east" is isolated\n    Then no acknowledged write is lost\n',
        "a.feature:3: this sentence stands in a description, so it would not be run: the  estate is healthy; *",
    ),
    "an unknown language": ("# language: xx\nFeature: f\n", "a.feature:1: cannot be read as Gherkin: # language: xx*"),
    "a scenario of a name that stands there already": (
        GOOD + GOOD.partition("\n")[2],
        'a.feature:6: a scenario "The east campus is isolated" stands in line 2 already; *',
    ),
    "examples without a row": (
        (
            'Feature: f\n  Scenario Outline: s\n    When site "<x>" is isolated\n    Then no acknowledged write is lost\n'
            "    Examples:\n      | x |\n"
        ),
        "a.feature:5: these examples have no row*",
    ),
    "a duration that is none": (
        steps('When site "east" is isolated', 'Then service "registration" is available again within a while'),
        'a.feature:5: "a while" is no duration; *',
    ),
    "a promise of another kind": (
        steps(
            'When site "east" is isolated', 'Then service "registration" is available again within its recovery time'
        ),
        'a.feature:5: "its recovery time" is not promised by what this sentence is about; write "its RTO" or a duration',
    ),
}


STEPS = {
    "a Then that asks no check": (
        "@then('it is so')\ndef it_is_so(consistency): ...\n",
        "a.feature:5: this sentence checks nothing: step it_is_so (*conftest.py:*) asks no check of a drill; *",
    ),
    "a Then that only looks whether the estate is healthy": (
        "@then('it is so')\ndef it_is_so(estate): estate.require_healthy()\n",
        "a.feature:5: this sentence checks nothing: step it_is_so (*conftest.py:*) asks no check of a drill; *",
    ),
    "a Then of a team's own that cannot fail": (
        "@then('it is so')\ndef it_is_so(tmp_path):\n    print(tmp_path)\n    def later(): assert False\n",
        "a.feature:5: this sentence checks nothing: step it_is_so (*conftest.py:*) has no assert and calls nothing",
    ),
    "a Then in place of a shipped one that checks nothing": (
        "@then('no acknowledged write is lost')\n@then('it is so')\ndef mine(consistency): ...\n",
        "a.feature:5: this sentence checks nothing: step mine (*conftest.py:*) asks no check of a drill; *",
    ),
    "an async step": (
        "@then('it is so')\nasync def it_is_so(consistency): assert False\n",
        "a.feature:5: step it_is_so (*conftest.py:*) is async: pytest-bdd would pass it without running it",
    ),
    "a step that returns a value": (
        "@then('it is so')\ndef it_is_so(consistency):\n    return consistency.none_lost()\n",
        "a.feature:5: step it_is_so (*conftest.py:*) returns a value, which nobody would look at: let it assert instead",
    ),
    "two steps for one sentence": (
        "@then('it is so')\ndef one(consistency): ...\n@then(parsers.parse('it is {what}'))\ndef two(consistency, what): ...\n",
        "a.feature:5: two steps stand for this sentence, *conftest.py:* and *conftest.py:*: it is so",
    ),
    "a step that asks for what nobody has": (
        "@then('it is so')\ndef it_is_so(nobody): ...\n",
        "a.feature:5: step it_is_so (*conftest.py:*) asks for nobody, which is neither in its sentence nor a fixture",
    ),
    "a step of a team's own that would strike unchecked": (
        "@then('it is so')\ndef it_is_so(drill, tmp_path): ...\n",
        "a.feature:5: step it_is_so (*conftest.py:*) asks for drill and for more than the nouns of a drill, so it cannot be *",
    ),
    "a step that fails without an estate": (
        "@then('it is so')\ndef it_is_so(consistency): {}['x']\n",
        "a.feature:5: step it_is_so (*conftest.py:*) could not be called without an estate: KeyError: 'x'; *",
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[str], bool]:
    """What one run says of all of these, each in a folder of its own: status, lines, and whether anything was touched."""
    here = tmp_path_factory.mktemp("team")
    (here / "clinic.yaml").write_text(ESTATE)
    for number, (text, _) in enumerate(BAD.values()):
        (here / f"bad{number}").mkdir()
        (here / f"bad{number}" / "a.feature").write_text(text)
    for number, (code, _) in enumerate(STEPS.values()):
        (here / f"steps{number}").mkdir()
        (here / f"steps{number}" / "conftest.py").write_text(
            f"from pytest_bdd import given, when, then, parsers\n{code}"
        )
        (here / f"steps{number}" / "a.feature").write_text(steps('When site "east" is isolated', "Then it is so"))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "fakedrill", "--estate", "clinic.yaml", "-p", "no:hypothesispytest"],
        cwd=here, env={**os.environ, "PYTHONPATH": str(FAKES)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return ran.returncode, ran.stderr.splitlines(), (here / "log.txt").exists()


def test_all_findings_of_all_files_are_one_usage_error_and_nothing_is_touched(found: tuple[int, list[str], bool]):
    status, lines, touched = found
    assert status == pytest.ExitCode.USAGE_ERROR
    assert lines[0] == "ERROR: nothing was touched:"
    assert not touched
    assert not any("Traceback" in line for line in lines)
    assert len(lines) >= len(BAD) + len(STEPS)


@pytest.mark.parametrize("case", [*BAD, *STEPS])
def test_it_is_found_with_its_place(found: tuple[int, list[str], bool], case: str):
    folder = f"bad{list(BAD).index(case)}" if case in BAD else f"steps{list(STEPS).index(case)}"
    finding = (BAD | STEPS)[case][1]
    mine = [line for line in found[1] if line.startswith(folder + "/")]
    assert any(fnmatch.fnmatchcase(line, f"{folder}/{finding}") for line in mine), mine
    # One mistake is one finding; a team's two mistakes in one scenario would be two.
    assert len(mine) == 1


TYPE = {
    "a full-width colon": "功能: 隔离",
    "no When": 'When site "east" is isolated',
    "no Then": "Then no acknowledged write is lost",
    "nothing that breaks or moves anything": 'When site "east" is isolated',
    "no check after the strike": "Then no acknowledged write is lost",
    "a sentence that only differs in its spaces": 'site "east" is isolated',
    "a Chinese scenario without a check after the strike": "那么没有丢失任何已确认的写入",
    "a Chinese sentence that only differs in its spaces": '数据中心"east"被隔离',
    "an async step": "def it_is_so(consistency):",
    "a step that returns a value": "consistency.none_lost()",
}


@pytest.mark.parametrize("case", TYPE)
def test_what_to_type_stands_below_it(found: tuple[int, list[str], bool], case: str):
    folder = f"bad{list(BAD).index(case)}" if case in BAD else f"steps{list(STEPS).index(case)}"
    at = next(n for n, line in enumerate(found[1]) if line.startswith(folder + "/"))
    assert found[1][at + 1] == f"  type: {TYPE[case]}"


def test_a_team_s_own_check_is_named_as_one_that_was_not_seen_and_runs(team: Team):
    team.write(
        "conftest.py", "from pytest_bdd import then\n@then('the fax works')\ndef fax(tmp_path): assert tmp_path\n"
    )
    team.write("a.feature", GOOD.replace("no acknowledged write is lost", "the fax works"))
    result = team.pytest()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["check not seen by drdrill: a.feature:5: the fax works (*conftest.py:2)"])
    assert any("journal note" in line and "a check of the team's own" in line for line in team.log())


def test_a_byte_order_mark_is_found(team: Team):
    team.write("a.feature", GOOD, encoding="utf-8-sig")
    result = team.pytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["a.feature:1: begins with a byte order mark; save it as UTF-8 without one"])


def test_text_that_is_not_utf8_is_found(team: Team):
    team.write("a.feature", "Feature: f\n  # 隔离\n", encoding="gb18030")
    result = team.pytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["a.feature:2: is not UTF-8 text; save it as UTF-8"])


def test_what_the_estate_does_not_allow_is_a_finding(team: Team):
    team.write("a.feature", GOOD)
    team.script(preflight="the limits say no")
    result = team.pytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["a.feature:3: the limits say no"])
    assert team.log() == []


def test_an_estate_file_that_is_not_there_is_bad_input(team: Team):
    team.write("a.feature", GOOD)
    result = team.pytest(estate="elsewhere.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *elsewhere.yaml: there is no such estate file"])


def test_a_chinese_feature_that_is_another_drill_than_its_twin_is_found(team: Team):
    team.write("a.feature", GOOD)
    team.write("a.zh.feature", CHINESE.replace("east", "south"))
    result = team.pytest("a.feature", "a.zh.feature")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "a.zh.feature:1: is not the same drill as its English twin: a.zh.feature:5 and a.feature:4 ask for different things"
        ]
    )


def test_a_collection_error_of_a_team_is_bad_input_and_no_interruption(team: Team):
    team.write("a.feature", GOOD)
    team.write("test_theirs.py", "import nothing_of_this_name\n")
    assert team.pytest().ret == 4
    assert team.log() == []


FREEZES = """\
Feature: A host freezes
  Scenario: The host that runs the database freezes
    Given the estate is healthy
    When the database host of service "registration" at site "east" freezes
    Then no acknowledged write is lost
"""


def test_a_drill_that_this_estate_has_no_way_in_for_is_left_out_and_said(team: Team) -> None:
    team.write("clinic.yaml", ESTATE.replace(", freeze: fake", ""))
    team.write("drills/cut.feature", GOOD)
    team.write("drills/freeze.feature", FREEZES)
    result = team.pytest("drills")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["*not drilled here: *drills/freeze.feature:4: *freezes needs a way in for freeze*"])


def test_a_drill_that_was_named_and_cannot_be_had_is_bad_input(team: Team) -> None:
    team.write("clinic.yaml", ESTATE.replace(", freeze: fake", ""))
    team.write("drills/freeze.feature", FREEZES)
    result = team.pytest("drills/freeze.feature")
    assert result.ret == 4
    assert "add `freeze:` to this host" in result.stderr.str()


def test_a_run_whose_drills_are_all_left_out_says_why_nothing_ran(team: Team) -> None:
    team.write("clinic.yaml", ESTATE.replace(", freeze: fake", ""))
    team.write("drills/freeze.feature", FREEZES)
    result = team.pytest("drills")
    assert result.ret == 5
    result.stdout.fnmatch_lines(["*not drilled here: *freezes needs a way in for freeze*"])
