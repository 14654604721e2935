# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill lint`: what is wrong with features, without an estate, in both languages, touching nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from teams import CHINESE, FEATURES, GOOD

if TYPE_CHECKING:
    from pathlib import Path

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


CONFTEST = """\
from pytest_bdd import then

@then("the fax works")
def fax(consistency):
    return consistency.none_lost()

@then("the pager works")
async def pager(consistency): assert False
"""
ENGLISH_TEN = """\
Feature： ten mistakes
  Background：both campuses register patients, and neither can know.
  Background：
    Given the  estate is healthy
  Scenario Outline: one
    When site ‘<x>’ is isolated
    Then service "registration" is available again within 1 h
    And the fax works
    And the pager works
    And nothing is lost
    Examples:
      ｜ x ｜
      ｜ east ｜
  Scenario: two
    When site "north" is isolated
  Scenario: two
    When site "east" is isolated
    Whatever
    Then no acknowledged write is lost
"""
CHINESE_TEN = """\
# language: zh_CN
功能：十个错误
  背景：两个院区都办理患者登记，任何一方都无法判断。
  背景:
    假如环境处于　健康状态
  场景大纲: 甲
    当数据中心「<x>」被隔离
    那么服务"registration"在 1 小时 内恢复可用
    并且服务"registration"在数据中心"south"于其RTO内恢复可用
    并且the fax works
    并且什么都没有丢
    例子:
      ｜ x ｜
      ｜ east ｜
  场景: 乙
    当数据中心"north"被隔离
  场景: 乙
    当数据中心"east"被隔离
    随便
    那么没有丢失任何已确认的写入
"""
LEFT = {
    "ten.feature": [7, 8, 9, 10, 14, 15, 16, 18],
    "ten.zh.feature": [8, 10, 11, 15, 16, 17, 19],
}
"""Lines with mistakes that only a person can mend."""
MENDED = {"ten.feature": [1, 1, 3, 4, 6, 12, 13], "ten.zh.feature": [1, 1, 2, 5, 7, 9, 13, 14]}


def places(words: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {"ten.feature": [], "ten.zh.feature": []}
    for line in words.splitlines():
        if match := re.match(r"(ten\.(?:zh\.)?feature):(\d+): ", line):
            found[match[1]].append(int(match[2]))
    return found


def ten(team: Team) -> None:
    team.write("conftest.py", CONFTEST)
    team.write("ten.feature", ENGLISH_TEN, encoding="utf-8-sig")
    team.write("ten.zh.feature", CHINESE_TEN, encoding="utf-8-sig")


def test_a_feature_with_ten_mistakes_shows_all_of_them_in_both_languages(team: Team):
    ten(team)
    result = lint(team, "--estate", "clinic.yaml", ".")
    assert result.returncode == 1
    assert places(result.stdout) == {name: sorted(MENDED[name] + LEFT[name]) for name in LEFT}, result.stdout
    assert result.stderr == "30 found in 2 files; drdrill lint --fix mends 15 of them\n"
    for fix in ("type: 功能: 十个错误", "type: | x |", 'type: site "<x>" is isolated', "type: 环境处于健康状态",
                "type: consistency.none_lost()", "type: def pager(consistency):", "type: # language: zh-CN",
                'type: 服务"registration"在 其 RTO 内恢复可用',
                'type: service "registration" is available again within its RTO'):  # fmt: skip
        assert f"  {fix}" in result.stdout.splitlines()


def test_fix_mends_what_input_methods_type_and_leaves_every_other_byte(team: Team):
    ten(team)
    for name in LEFT:
        path = team.path / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    result = lint(team, "--fix", "--estate", "clinic.yaml", ".")
    assert result.returncode == 1
    told = result.stdout.splitlines()
    assert places("\n".join(line for n, line in enumerate(told[:-1]) if told[n + 1].startswith("  now: "))) == {
        name: MENDED[name][1:] for name in MENDED
    }
    assert "ten.feature:1: the byte order mark is gone" in told
    english = (
        ENGLISH_TEN.replace("Feature：", "Feature:")
        .replace("Background：\n", "Background:\n")
        .replace("the  e", "the e")
    )
    english = english.replace("‘<x>’", '"<x>"').replace("｜", "|")
    chinese = (
        CHINESE_TEN.replace("zh_CN", "zh-CN")
        .replace("功能：", "功能: ")
        .replace("\u3000", "")
        .replace("「<x>」", '"<x>"')
    )
    chinese = chinese.replace("于其RTO内", "于 其 RTO 内").replace("｜", "|")
    assert (team.path / "ten.feature").read_bytes() == english.replace("\n", "\r\n").encode()
    assert (team.path / "ten.zh.feature").read_bytes() == chinese.replace("\n", "\r\n").encode()

    again = lint(team, "--fix", "--estate", "clinic.yaml", ".")
    assert again.returncode == 1
    assert places(again.stdout) == LEFT, again.stdout
    assert "now:" not in again.stdout
    assert again.stderr == "15 found in 2 files\n"
    assert (team.path / "ten.feature").read_bytes() == english.replace("\n", "\r\n").encode()


def test_what_fix_has_mended_is_good(team: Team):
    team.write(
        "a.zh.feature", CHINESE.replace("功能:", "功能：").replace("zh-CN", "zh_CN").replace("没有丢失", "没有 丢失")
    )
    result = lint(team, "--fix", ".")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "1 file is good"
    assert "  now: 没有丢失任何已确认的写入" in result.stdout.splitlines()
    assert (team.path / "a.zh.feature").read_text(encoding="utf-8") == CHINESE


def test_a_sentence_of_the_team_is_never_mended_into_another(team: Team):
    team.write(
        "conftest.py",
        "from pytest_bdd import when\n@when('site  \"east\"  is isolated')\ndef cut(drill): drill.strike(None)\n",
    )
    text = GOOD.replace('site "east" is', 'site  "east"  is')
    team.write("a.feature", text)
    assert lint(team, "--fix", "a.feature").returncode == 0
    assert (team.path / "a.feature").read_text(encoding="utf-8") == text


def test_lint_of_all_that_ships_takes_less_than_a_second_after_import(tmp_path: Path):
    """Of processor time, and the least of up to three: what is more is what else the machine does."""
    code = """if True:
        import time
        import drdrill.cli.lint as lint, drdrill.bdd.session, gherkin.parser, gherkin.dialect
        from drdrill.bdd import rooms
        rooms.sentences()
        begun = time.process_time()
        status = lint.command.main(args=[], standalone_mode=False)
        print(status, time.process_time() - begun)
    """
    took = []
    while len(took) < 3 and min(took, default=1.0) >= 1.0:
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
        status, seconds = ran.stdout.splitlines()[-1].split()
        assert (status, ran.stderr) == ("0", "")
        took.append(float(seconds))
    assert min(took) < 1.0


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
