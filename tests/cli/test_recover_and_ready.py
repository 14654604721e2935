# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from estates import fake_estate

from drdrill.cli import ready, recover
from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import one_answer, state
from drdrill.drill.reach import reach_for
from drdrill.drill.undo_log import UndoLog
from drdrill.errors import Refused
from drdrill.faults.site_isolated import SiteIsolated

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    made = fake_estate(tmp_path)
    monkeypatch.setattr("drdrill.estate.load.load", lambda _name, **_options: made)
    return made


@pytest.fixture
def services_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake has no listener of its own."""
    monkeypatch.setattr("drdrill.drill.estate_noun.ask_from", lambda *_: one_answer.Answer(None))


def strike(estate: Estate) -> None:
    fault = SiteIsolated("east")
    targets = fault.candidates(estate)
    reach = reach_for(Ways(estate), fault, targets, drill="d", hold="d-1", lease_s=30.0)
    undo = fault.plan(reach, targets)
    UndoLog(state.folder(estate.name)).write(undo)
    fault.inject(reach, undo)


def test_recover_with_nothing_open_ends_with_0(estate: Estate) -> None:
    assert estate.name == "fake"
    ran = CliRunner().invoke(recover.command, ["--estate", "x"])
    assert (ran.exit_code, ran.output) == (0, "nothing is open\n")


def test_recover_heals_and_ends_with_0(estate: Estate) -> None:
    strike(estate)
    ran = CliRunner().invoke(recover.command, ["--estate", "x"])
    assert ran.exit_code == 0
    assert 'healing: site "east" is isolated' in ran.output
    assert World.of(estate).open("links") == ()


def test_recover_that_leaves_something_ends_with_8_and_says_what(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drdrill.drill.recover.HEALED_WITHIN_S", 0.2)
    strike(estate)
    World.of(estate).flaws.add("heal-is-ignored")
    ran = CliRunner().invoke(recover.command, ["--estate", "x"])
    assert ran.exit_code == 8
    assert 'LEFT: site "east" is isolated' in ran.output
    assert "drdrill recover --estate" in ran.output


@pytest.mark.usefixtures("services_answer")
def test_a_whole_estate_is_ready(estate: Estate) -> None:
    ran = CliRunner().invoke(ready.command, ["--estate", "fake"])
    assert ran.exit_code == 0, ran.output
    assert ran.output.rstrip().endswith("ready: fake can be drilled")
    for host in estate.hosts:
        assert host in ran.output
    assert "clinical on east-db1 (writer)" in ran.output
    assert World.of(estate).changes == 0


def test_an_estate_that_lacks_something_is_not_ready_and_says_all_of_it(estate: Estate) -> None:
    strike(estate)
    World.of(estate).broken["south-app1"] = "its daemon is gone"
    ran = CliRunner().invoke(ready.command, ["--estate", "fake"])
    assert ran.exit_code == 1
    assert "its daemon is gone" in ran.output
    assert 'site "east" is isolated' in ran.output
    assert "registration at east" in ran.output
    assert "not ready" in ran.output


def test_an_estate_whose_lab_is_down_is_not_ready_and_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_name: str) -> None:
        raise Refused("the pocket lab is not up: drdrill lab up pocket")

    monkeypatch.setattr("drdrill.estate.load.load", down)
    ran = CliRunner().invoke(ready.command, ["--estate", "pocket"])
    assert ran.exit_code == 1
    assert "drdrill lab up pocket" in ran.output


def test_recover_needs_no_lab_to_say_that_nothing_is_open() -> None:
    ran = CliRunner().invoke(recover.command, ["--estate", "pocket"])
    assert ran.exit_code == 0, ran.output
    assert "nothing is open" in ran.output
    assert "could not be asked" in ran.output


def test_recover_of_a_lab_that_is_down_leaves_what_was_open_with_8(tmp_path: Path) -> None:
    pocket = fake_estate(tmp_path, name="pocket")
    strike(pocket)
    log = UndoLog(state.folder("pocket"))
    undo = log.read().entries[0].undo
    log.done(undo.hold)
    log.write(replace(undo, way_in={"links": "lab"}))
    ran = CliRunner().invoke(recover.command, ["--estate", "pocket"])
    assert ran.exit_code == 8
    assert "does not answer" in ran.output
    assert len(log.read().entries) == 1
