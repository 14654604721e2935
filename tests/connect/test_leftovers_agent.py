# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The program that finds and takes away what strikes left on a host, against a host of files and two programs that it asks."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from drdrill.connect import leftovers_agent
from drdrill.connect.of_shells import leftovers

if TYPE_CHECKING:
    from pathlib import Path


class Host:
    """What systemctl and nft of a host say, and what they were told."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.units: list[str] = []
        self.tables: list[str] = []
        self.told: list[str] = []
        self.obeys = True

    def said(self, *words: str) -> list[str]:
        self.told.append(" ".join(words))
        if words[:2] == ("systemctl", "list-units"):
            return [f"{unit} loaded active waiting drdrill" for unit in self.units]
        if words[:3] == ("nft", "list", "tables"):
            return [f"table inet {table}" for table in self.tables]
        if words[:2] == ("systemctl", "stop") and self.obeys:
            self.units.remove(words[2])
        if words[:3] == ("nft", "delete", "table") and self.obeys:
            self.tables.remove(words[4])
        return []

    def folder(self, kind: str, tag: str, **files: str) -> None:
        path = self.base / kind / tag
        path.mkdir(parents=True)
        for name, text in files.items():
            (path / name.replace("_", ".")).write_text(text)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host(tmp_path)
    monkeypatch.setattr(leftovers_agent, "BASE", tmp_path)
    monkeypatch.setattr(leftovers_agent, "said", made.said)
    return made


def test_tables_timers_and_folders_of_cuts_are_found(host: Host) -> None:
    host.folder("links", "d-1", drill="d\n", hard="100")
    host.units = ["drdrill-links-d-1.timer", "drdrill-links-d-1.service", "drdrill-entry-x-1.timer", "sshd.service"]
    host.tables = ["drdrill_d-1", "drdrill_e-7", "filter"]
    found = leftovers_agent.found("links")
    assert [(what, tag, drill, force) for what, tag, drill, _, force in found] == [
        ("folder", "d-1", "d", False),
        ("timer", "d-1", "d", False),
        ("table", "d-1", "d", True),
        ("table", "e-7", "", True),
    ]
    assert json.loads(json.dumps(found))[3][3] is None


def test_folders_and_timers_of_drains_are_found(host: Host) -> None:
    host.folder("entry", "d-1", record_json='{"drill": "d"}')
    host.units = ["drdrill-entry-d-1-3.timer"]
    host.tables = ["drdrill_d-1"]
    assert [thing[:3] for thing in leftovers_agent.found("entry")] == [["folder", "d-1", "d"], ["timer", "d-1", "d"]]


def test_nothing_is_nothing(host: Host) -> None:
    assert leftovers_agent.found("links") == []
    leftovers_agent.remove("links", "d-1")
    assert not [words for words in host.told if "delete" in words or "stop" in words]


def test_what_carries_the_tag_goes_and_the_rest_stays(host: Host) -> None:
    for tag in ("d-1", "d-11"):
        host.folder("links", tag, drill="d")
    host.units = ["drdrill-links-d-1.timer", "drdrill-links-d-11.timer"]
    host.tables = ["drdrill_d-1", "drdrill_d-11", "filter"]
    leftovers_agent.remove("links", "d-1")
    assert {thing[1] for thing in leftovers_agent.found("links")} == {"d-11"}
    assert host.tables == ["drdrill_d-11", "filter"]
    assert sorted(path.name for path in (host.base / "links").iterdir()) == ["d-11"]


def test_what_does_not_go_is_said(host: Host) -> None:
    host.tables, host.obeys = ["drdrill_d-1"], False
    with pytest.raises(SystemExit, match="it does not go: table"):
        leftovers_agent.remove("links", "d-1")


@pytest.mark.parametrize("tag", ["..", "../x", "a/b", "a b", "a;b", "a\nb", ""])
def test_what_is_no_tag_removes_nothing(host: Host, tag: str) -> None:
    (host.base / "keep").mkdir()
    with pytest.raises(SystemExit, match="no tag"):
        leftovers_agent.remove("links", tag)
    assert (host.base / "keep").exists()
    assert host.told == []


def test_the_command_line_is_one_program_with_words() -> None:
    words = shlex.split(leftovers("remove", "links", "d-1"))
    assert words[:2] == ["python3", "-c"]
    assert words[3:] == ["remove", "links", "d-1"]
