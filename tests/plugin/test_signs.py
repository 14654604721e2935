# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What input methods type in place of the signs of Gherkin is found and mended; prose is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drdrill.bdd.mend import Mend, in_order, mend_file, mended
from drdrill.bdd.reading import read
from drdrill.bdd.signs import language_of, mends

FEATURES = Path(__file__).parents[2] / "features"
WIDE = """\
＃ 说明
＃ language： zh_CN
＠first ＠slow
功能：隔离
  背景：两个院区都办理患者登记，任何一方都无法判断。
  场景：当一个院区断网时，另一个院区继续服务。
  当一个院区断网时，｜任何｜一方都无法判断。
  ｜ 这不是表 ｜

  背景 ：
    假如环境处于健康状态

  ＠third
  场景大纲：甲
    场景：这是说明，不是场景。
    当数据中心"<x>"被隔离
      ｜ 列 ｜
      | 半角的行里的｜是文字 |
      | a ｜
    # 注释：不动 ｜
    那么没有丢失任何已确认的写入
      \"\"\"
      场景：这里是文字
      ｜ 也是 ｜
      \"\"\"
    例子：
      ｜ x ｜
      ｜ east ｜
  场景：乙
    当数据中心"east"被隔离
"""
PLAIN = """\
# 说明
# language: zh-CN
@first @slow
功能: 隔离
  背景：两个院区都办理患者登记，任何一方都无法判断。
  场景：当一个院区断网时，另一个院区继续服务。
  当一个院区断网时，｜任何｜一方都无法判断。
  ｜ 这不是表 ｜

  背景:
    假如环境处于健康状态

  @third
  场景大纲: 甲
    场景：这是说明，不是场景。
    当数据中心"<x>"被隔离
      | 列 |
      | 半角的行里的｜是文字 |
      | a |
    # 注释：不动 ｜
    那么没有丢失任何已确认的写入
      \"\"\"
      场景：这里是文字
      ｜ 也是 ｜
      \"\"\"
    例子:
      | x |
      | east |
  场景: 乙
    当数据中心"east"被隔离
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_signs_are_mended_and_prose_is_not(bom: str, end: str):
    text = (bom + WIDE).replace("\n", end)
    found = mends(text, "a.feature")
    assert mended(text, found) == PLAIN.replace("\n", end)
    assert len(found) == 13 + bool(bom)
    assert {m.line for m in found} & {5, 6, 7, 8, 15, 18, 20, 23, 24} == set()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Feature：f", "Feature: f"),
        ("Feature :f", "Feature: f"),
        ("Feature： f", "Feature: f"),
        ("Feature: f\n  Scenario：s\n    Given x", "Feature: f\n  Scenario: s\n    Given x"),
        ("Feature: f\n  Background：\n    Given x", "Feature: f\n  Background:\n    Given x"),
        ("Feature: f\n  Scenario: s\n    Given\u3000x", "Feature: f\n  Scenario: s\n    Given x"),
        ("Feature: f\n  Scenario: s\n    Given\tx", "Feature: f\n  Scenario: s\n    Given x"),
        (
            "Feature: f\n  Scenario: s\n    Given x\n    “““\n    a：\n    “““\n",
            'Feature: f\n  Scenario: s\n    Given x\n    """\n    a：\n    """\n',
        ),
        ("#language:zh_cn\n功能:f", "#language:zh-CN\n功能:f"),
        ("# language: zh_TW\n功能：f", "# language: zh-TW\n功能: f"),
        ("# language: de\nFunktionalität：f", "# language: de\nFunktionalität: f"),
    ],
)
def test_each_of_these_is_mended(typed: str, meant: str):
    assert mended(typed, mends(typed, "a.feature")) == meant


@pytest.mark.parametrize(
    "text",
    [
        "Feature: f\n  Background：both campuses register patients.\n  Given that one is lost, the other goes on.\n",
        "Feature: f\n  Scenario：a word about scenarios\n\n  Scenario: s\n    Given x\n",
        "Feature: f\n  Rule：no rule\n  Scenario: s\n    Given x\n",
        "Feature: f\n  ＠home we do it so\n  Scenario: s\n    Given x\n",
        "Feature: f\n  ＃ 1 of 2\n  Scenario: s\n    Given x\n",
        "Feature: f\n  Examples：are below\n  Scenario: s\n    Given x\n",
        "Feature: f\n  Scenario: s\n    Given x\n      | a ｜ b |\n      | c |\n",
        "",
        "\n\n",
        "words：alone\n",
    ],
)
def test_none_of_these_is_touched(text: str):
    assert mends(text, "a.feature") == []


@pytest.mark.parametrize("path", sorted(FEATURES.rglob("*.feature")), ids=lambda p: p.name)
def test_nothing_that_ships_needs_mending(path: Path):
    assert mends(path.read_text(encoding="utf-8"), path.name) == []


@pytest.mark.parametrize(
    ("written", "code"),
    [("zh_CN", "zh-CN"), ("zh", "zh-CN"), ("zh-hans", "zh-CN"), ("EN", "en"), ("xx", "xx"), ("en_au", "en-au")],
)
def test_a_language_is_named_as_gherkin_names_it(written: str, code: str):
    assert language_of(written) == code


LINES = """\
功能：f|功能: f|背景：|背景：文字。|场景：甲|例子：|规则：r|假如x|当 y|那么z|¦¦ a ¦¦|¦ a ¦¦ b ¦|@tag|＠tag|＃ c
# language: zh_CN|Feature： f|Given\u3000x|\ufeff|文字：||“““\
""".replace("\n", "|").split("|")
LINES = [line.replace("¦¦", "｜").replace("¦", "|") for line in LINES] + ['"""']


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a busy machine
@given(st.lists(st.sampled_from(LINES), max_size=12).map("\n".join))
def test_what_is_mended_needs_no_mending_and_keeps_its_lines(text: str):
    once = mended(text, mends(text, "a"))
    assert mends(once, "a") == [], once
    assert once.count("\n") == text.count("\n")


def test_what_is_mended_can_be_read_and_every_other_mistake_is_found_beside_it(tmp_path: Path):
    path = tmp_path / "a.feature"
    path.write_text("\ufeff" + WIDE + "    乱七八糟\n", encoding="utf-8")
    reading = read(path, "a.feature")
    assert [str(f).splitlines()[0] for f in reading.findings if not isinstance(f, Mend)] == [
        "a.feature:31: cannot be read as Gherkin: 乱七八糟",
    ]
    assert reading.scenarios == ("甲", "乙")
    assert not reading.whole


def test_a_file_is_mended_whole_with_its_mode_and_through_a_link(tmp_path: Path):
    path, link = tmp_path / "a.feature", tmp_path / "link.feature"
    path.write_bytes("功能：f\r\nx\x00\u2028y\n".encode())
    path.chmod(0o640)
    link.symlink_to(path)
    mend_file(link, [Mend("a.feature", 1, "w", "功能：f", "功能: f")])
    assert path.read_bytes() == "功能: f\r\nx\x00\u2028y\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.feature", "link.feature"]


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.feature"
    path.write_text("功能：f\n", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        mend_file(path, [Mend("a.feature", 1, "w", "功能：f", "功能: f")])
    assert path.read_text(encoding="utf-8") == "功能：f\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a.feature"]


def test_findings_stand_in_the_order_of_lines_each_once():
    mend = Mend("b.feature", 2, "w", "x", "y")
    assert in_order(["b.feature:10: ten", mend, "a.feature:1: one", "b.feature:3: three", mend]) == [
        mend,
        "b.feature:3: three",
        "b.feature:10: ten",
        "a.feature:1: one",
    ]
