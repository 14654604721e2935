# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A team's folder for the tests of the plugin: an estate file, features, and a fake drill unless the real one is wanted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

FEATURES = Path(__file__).parents[1] / "features"
FAKES = Path(__file__).parent / "plugin"
ESTATE = """\
estate: clinic
sites:
  east: {campus: East}
  south: {campus: South}
vantage: {client: {at: fake}}
hosts:
  east-db1: {site: east, role: database, power: fake, links: fake, freeze: fake}
  south-db1: {site: south, role: database, power: fake, links: fake, freeze: fake}
  desk: {role: client}
services:
  registration:
    endpoints: {east: "http://east.example", south: "http://south.example"}
    database: clinical
    served_by: {writer: clinical}
    probe: {path: /healthz}
    write: {path: /registrations, body: '{\"key\": \"{key}\"}'}
    rto: 15 s
    latency: 1 s
    stable: 3 s
databases:
  clinical:
    engine: fake
    rpo: 0 s
    fencing: 5 s
    recovery: 1 min
    tables: {registrations: {key: key}}
    nodes: {east-db1: {dsn: a}, south-db1: {dsn: b}}
    write: writer
limits: {campuses_down: 1, sites_down: 1, hosts_down: 1, longest_fault: 10 min, quorum_loss: true}
"""
GOOD = """\
Feature: A data center is cut off
  Scenario: The east campus is isolated
    Given the estate is healthy
    When site "east" is isolated
    Then no acknowledged write is lost
"""

CHINESE = """\
# language: zh-CN
功能: 隔离
  场景: 隔离
    假如环境处于健康状态
    当数据中心“east”被隔离
    那么没有丢失任何已确认的写入
"""


class Team:
    """A folder with an estate and features, and pytest in a process of its own."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.write("clinic.yaml", ESTATE)
        self.write("clinic.fake.json", "")  # The guardian is another process, and sees the same estate.

    def write(self, name: str, text: str, encoding: str = "utf-8") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding=encoding)
        return path

    def script(self, **what: Any) -> None:
        self.write("script.json", json.dumps({key.replace("__", "."): value for key, value in what.items()}))

    def pytest(self, *args: str, estate: str | None = "clinic.yaml", fake: bool = True) -> pytest.RunResult:
        plugins: Sequence[str] = ("-p", "fakedrill") if fake else ()
        named = ("--estate", estate) if estate else ()
        # Hypothesis takes 0.8 s of each start and has no part in this.
        without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
        return self.pytester.runpytest_subprocess(*plugins, *named, *without, *args)

    def log(self) -> list[str]:
        path = self.path / "log.txt"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def team(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Team:
    path = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKES), *([path] if path else [])]))
    monkeypatch.delenv("DRDRILL_ESTATE", raising=False)
    return Team(pytester)
