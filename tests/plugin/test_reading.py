# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a file, reading it says what is wrong and raises nothing; what it accepts, pytest-bdd accepts too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.parser import FeatureParser
from teams import CHINESE, GOOD

from drdrill.bdd.reading import chinese_twin_of, read, twin_of

if TYPE_CHECKING:
    from pathlib import Path

LINES = """\
Feature: f|Feature:|  Background:|  Rule: r|  Scenario: s|  Scenario: t|  Scenario Outline: o|  Scenario:
    Given a|    When b|    Then c <x>|    And d|    * e|    Examples:|      ¦ x ¦|      ¦ 1 ¦|      ¦ 1 ¦ 2 ¦
@tag|@_tag|# comment|# language: zh-CN|# language: xx|功能: 隔离|  场景: 甲|    当乙|    那么丙||words
""".replace("\n", "|").split("|")
LINES = [line.replace("¦", "|") for line in LINES] + ['    """']
texts = st.lists(st.sampled_from(LINES), max_size=14).map("\n".join)
several = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@several
@given(text=texts)
@example(text=GOOD)
@example(text=CHINESE)
def test_a_text_is_good_or_says_why_and_what_is_good_pytest_bdd_reads_too(tmp_path: Path, text: str):
    path = tmp_path / "a.feature"
    path.write_text(text, encoding="utf-8")
    reading = read(path, "a.feature")
    assert reading.scenarios or reading.findings
    assert all(re.match(r"a\.feature:\d+: \S", finding) for finding in reading.findings)
    if reading.findings:
        return
    try:
        feature = FeatureParser(str(tmp_path), "a.feature").parse()
    except GherkinParseError as error:
        # What Gherkin allows and pytest-bdd does not: the collector makes a finding of it.
        refused = error.message
    else:
        refused = ""
        assert tuple(feature.scenarios) == reading.scenarios
    assert not refused or "First step" in refused


@several
@given(raw=st.binary(max_size=60))
def test_no_bytes_raise(tmp_path: Path, raw: bytes):
    path = tmp_path / "a.feature"
    path.write_bytes(raw)
    assert read(path, "a.feature").findings


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path):
    (finding,) = read(tmp_path / "nowhere.feature", "nowhere.feature").findings
    assert finding == "nowhere.feature: cannot be read (No such file or directory)"


@pytest.mark.parametrize("there", [True, False])
def test_twins_stand_beside_each_other(tmp_path: Path, there: bool):
    english, chinese = tmp_path / "a.feature", tmp_path / "a.zh.feature"
    if there:
        english.touch()
        chinese.touch()
    assert twin_of(chinese) == (english if there else None)
    assert chinese_twin_of(english) == (chinese if there else None)
    assert twin_of(english) is None
    assert chinese_twin_of(chinese) is None
