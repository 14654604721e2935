# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The features that ship: they say which promise they test, name no lab and no seconds, and are the same in both languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from gherkin.parser import Parser
from teams import FEATURES

if TYPE_CHECKING:
    from pathlib import Path

    from teams import Team

pytest_plugins = ["pytester"]
SHIPPED = sorted(FEATURES.rglob("*.feature"))
TWINS = [p for p in SHIPPED if p.name.endswith(".zh.feature")]


def feature(path: Path) -> dict:
    return Parser().parse(path.read_text())["feature"]


def scenarios(path: Path) -> list[list[str]]:
    """The sentences of each scenario, background first."""
    children = feature(path)["children"]
    before = [s["text"] for c in children if "background" in c for s in c["background"]["steps"]]
    return [before + [s["text"] for s in c["scenario"]["steps"]] for c in children if "scenario" in c]


def test_the_drills_ship():
    names = {str(p.relative_to(FEATURES)) for p in SHIPPED}
    assert names >= {
        "failover/site_lost.feature",
        "failover/switchover.feature",
        "host_loss/application_host.feature",
        "host_loss/application_host.zh.feature",
        "host_loss/database_host.feature",
        "host_loss/database_host_freezes.feature",
        "host_loss/database_host_freezes.zh.feature",
        "host_loss/entry_host.feature",
        "host_loss/entry_host.zh.feature",
        "site_isolation/campus_cut_off.feature",
        "site_isolation/campus_cut_off.zh.feature",
        "site_isolation/site_cut_off.feature",
        "site_isolation/site_cut_off.zh.feature",
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_a_feature_says_which_promise_it_tests(path: Path):
    description = feature(path)["description"]
    assert re.search("promise|承诺", description)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_a_feature_names_no_lab_and_no_number_of_seconds(path: Path):
    text = path.read_text()
    assert not re.search(r"\blab\b|pocket|实验", text, re.IGNORECASE)
    assert not re.search(r"\d\s*(s|ms|min|h|秒|毫秒|分钟|小时)\b", text)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_a_drill_begins_with_a_healthy_estate(path: Path):
    for sentences in scenarios(path):
        assert sentences[0] in {"the estate is healthy", "环境处于健康状态"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_a_drill_that_moves_the_writer_moves_it_back_and_looks_for_lost_writes_once_more(path: Path):
    home = re.compile(r'is served by site "(.+)"|由数据中心"(.+)"提供')
    moved = re.compile(r'is switched over to site "(.+)"|切换到数据中心"(.+)"')
    for sentences in scenarios(path):
        (begin,) = [m[1] or m[2] for s in sentences if (m := home.search(s))]
        moves = [m[1] or m[2] for s in sentences if (m := moved.search(s))]
        # Application and entry are no writers: nothing has to be moved back.
        no_writer = any(re.search("(application|entry) host|(应用|入口)主机", s) for s in sentences)
        assert moves[-1:] == ([begin] if moves or not no_writer else [])
        assert sentences[-1] in {"no acknowledged write is lost", "没有丢失任何已确认的写入"}


@pytest.mark.parametrize("folder", sorted({p.parent for p in SHIPPED}), ids=lambda p: p.name)
def test_each_folder_has_one_first_drill(folder: Path):
    english = [p for p in folder.glob("*.feature") if p not in TWINS]
    assert sum(p.read_text().count("@first") for p in english) == 1


@pytest.mark.parametrize("path", TWINS, ids=lambda p: p.name)
def test_a_chinese_twin_is_the_same_drill(team: Team, path: Path):
    english = path.with_name(path.name.replace(".zh.", "."))
    assert team.pytest("--collect-only", str(path), str(english)).ret == 0


def test_all_of_them_are_sound_on_an_estate_of_their_shape(team: Team):
    result = team.pytest("--strict-markers", "-W", "error", str(FEATURES))
    result.assert_outcomes(passed=8)
