# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Entries and shells of the fake estate do what a real one promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.connect.capabilities import Ran
from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.errors import Unreachable, WayInFailed

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.connect.capabilities import Entry

ENTRY = "east-entry1"
OWN = [(ENTRY, "east-app1")]


@pytest.fixture
def ways(tmp_path: Path) -> Ways:
    return Ways(fake_estate(tmp_path))


@pytest.fixture
def entry(ways: Ways) -> Entry:
    return ways.entry([ENTRY])


def states(entry: Entry, host: str = ENTRY) -> dict[str, tuple[str, bool]]:
    return {server.name: (server.state, server.backup) for server in entry.servers(host)}


def test_a_server_is_drained_at_its_own_entry_only_and_gets_work_again(entry: Entry) -> None:
    assert states(entry) == {"east-app1": ("up", False), "south-app1": ("up", True)}
    entry.drain("h", "d", OWN, 5.0, 60.0)
    assert states(entry)["east-app1"] == ("drained", False)
    assert states(entry, "south-entry1")["east-app1"] == ("up", True)
    assert entry.is_drained("h", OWN).answer is True
    assert entry.is_drained("h", [*OWN, (ENTRY, "south-app1")]).answer is None
    assert entry.is_drained("another", OWN).answer is False
    assert entry.holds("d") == ("h",)
    entry.restore("h")
    entry.restore("h")
    assert entry.is_drained("h", OWN).answer is False
    assert states(entry)["east-app1"] == ("up", False)
    assert entry.holds() == ()


def test_a_drain_ends_by_its_lease(ways: Ways, entry: Entry) -> None:
    world = World.of(ways.estate)
    struck = world.now_ns()
    entry.drain("h", "d", OWN, 5.0, 60.0)
    world.now_ns = lambda: struck + int(6e9)
    assert entry.is_drained("h", OWN).answer is False
    assert entry.renew("h", 5.0).state == "lapsed"


def test_one_host_answers_for_an_address_unless_the_world_says_otherwise(ways: Ways, entry: Entry) -> None:
    hosts = [ENTRY, "south-entry1"]
    assert entry.holders("10.0.0.100", hosts) == [ENTRY]
    World.of(ways.estate).answering["10.0.0.100"] = hosts
    assert entry.holders("10.0.0.100", hosts) == hosts
    ways.power([ENTRY]).off("p", "d", [ENTRY], 5.0, 60.0)
    assert entry.holders("10.0.0.100", hosts) == ["south-entry1"]


def test_a_command_ends_as_the_world_was_told(ways: Ways) -> None:
    shell, world = ways.shell([ENTRY]), World.of(ways.estate)
    world.ran[ENTRY, "hostname"] = Ran(3, "x\n", "", 0.0)
    assert shell.run(ENTRY, "hostname").status == 3
    assert shell.run(ENTRY, "true") == Ran(0, "", "", 0.0)
    assert world.calls[-1] == ("shell.run", (ENTRY, "true", False, ""))
    with shell.talk(ENTRY, "agent") as talk:
        assert talk.communicate(b"hello") == (b"hello", None)


def test_a_host_that_is_off_or_stands_still_runs_no_command(ways: Ways) -> None:
    shell = ways.shell([ENTRY])
    assert shell.ready([ENTRY]).answer is True
    ways.freeze([ENTRY]).freeze("f", "d", [ENTRY], 5.0, 60.0)
    with pytest.raises(WayInFailed, match="did not end"):
        shell.run(ENTRY, "true")
    ways.power([ENTRY]).off("p", "d", [ENTRY], 5.0, 60.0)
    with pytest.raises(Unreachable, match="it is off"):
        shell.run(ENTRY, "true")
    assert shell.ready([ENTRY]).answer is False
