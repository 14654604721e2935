# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What differs between two pictures of an estate: one case in which nothing does, and for each thing one in which it does."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.connect.capabilities import Look, Ran
from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import baseline, host_looks
from drdrill.drill.host_looks import ASKED, ASKED_FIRST, HostLook, read
from drdrill.engines.registry import engine_for
from drdrill.faults.fault import Undo

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate

GOOD = HostLook(frozenset({"nginx.service", "dbus.service"}), frozenset(), frozenset({"nginx.service"}), (100.0, 100.1))
BEFORE = baseline.Picture(
    hosts={"a": Look(True, "it is up")},
    databases={"d": Look(True, "in step")},
    writers={"d": "a"},
    members={"d on a": Look(True, "writer")},
    roles={"d": "1 replica, 1 writer"},
    servers={"s behind e": "up", "t behind e": "drained"},
    running={"a": GOOD},
)


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def test_two_equal_pictures_have_no_difference(estate: Estate) -> None:
    assert baseline.differences(estate, BEFORE, BEFORE) == []


@pytest.mark.parametrize(
    ("after", "what", "certain"),
    [
        ({"hosts": {"a": Look(False, "it is off")}}, "host a", True),
        ({"databases": {"d": Look(None, "silent")}}, "database d", False),
        ({"members": {"d on a": Look(False, "unknown; refused")}}, "member d on a", True),
        ({"members": {}}, "member d on a", False),
        ({"roles": {"d": "2 replica"}}, "roles of database d", True),
        ({"servers": {"s behind e": "drained", "t behind e": "drained"}}, "server s behind e", True),
        ({"servers": {"s behind e": "up", "t behind e": "up"}}, "server t behind e", True),
        ({"running": {"a": replace(GOOD, running=frozenset())}}, "service nginx.service on a", True),
        ({"running": {"a": replace(GOOD, failed=frozenset({"cron.service"}))}}, "unit cron.service on a", True),
        ({"running": {"a": replace(GOOD, clock=(101.0, 101.1))}}, "the clock of a", True),
        ({"running": {"a": replace(GOOD, clock=(98.0, 98.1))}}, "the clock of a", True),
        ({"running": {"a": HostLook(words="it is off")}}, "what runs on a", False),
        ({"running": {}}, "what runs on a", False),
    ],
)
def test_what_is_not_as_it_was_is_one_difference(
    estate: Estate, after: dict[str, Any], what: str, *, certain: bool
) -> None:
    found = baseline.differences(estate, BEFORE, replace(BEFORE, **after))
    assert [(d.what, d.certain) for d in found] == [(what, certain)]


@pytest.mark.parametrize(
    "after",
    [
        {"running": {"a": replace(GOOD, running=frozenset({"nginx.service"}))}},  # A bus had started the other one.
        {"running": {"a": replace(GOOD, clock=(99.7, 101.0))}},  # The answer took long: nobody can tell.
        {"running": {"a": replace(GOOD, clock=None)}},
        {"writers": {"d": "b"}},
    ],
)
def test_what_only_looks_like_a_difference_is_none(estate: Estate, after: dict[str, Any]) -> None:
    assert baseline.differences(estate, BEFORE, replace(BEFORE, **after)) == []


def test_what_had_failed_before_is_no_difference(estate: Estate) -> None:
    failed = replace(BEFORE, running={"a": replace(GOOD, failed=frozenset({"cron.service"}))})
    assert baseline.differences(estate, failed, failed) == []


def test_a_difference_names_the_strike_that_it_comes_from(estate: Estate) -> None:
    found = baseline.differences(estate, BEFORE, replace(BEFORE, hosts={"a": Look(False, "it is off")}))
    undo = Undo("site-lost", "d-1", "d", "fake", 'site "east" loses power', ("a",), ("east",), "", {}, "")
    assert [d.cause for d in baseline.with_causes(found, [undo])] == ['after site "east" loses power']
    assert [d.cause for d in baseline.with_causes(found, [replace(undo, hosts=("b",))])] == [""]
    assert 'after site "east" loses power' in str(baseline.with_causes(found, [undo])[0])


def test_the_answer_of_a_host_is_read() -> None:
    out = (
        "1764374400.250000000\n=running\nnginx.service loaded active running A web server\n"
        "=failed\ncron.service loaded failed failed Cron\n=enabled\nnginx.service enabled enabled\n"
    )
    seen = read(out, 1000.0, 1000.5)
    assert seen.running == {"nginx.service"}
    assert seen.failed == {"cron.service"}
    assert seen.enabled == {"nginx.service"}
    assert seen.clock == (1764373399.75, 1764373400.25)


@pytest.mark.parametrize("out", ["", "=running\n=failed\n", "1764374400.N\n=running\n", "garbage\n"])
def test_a_host_that_tells_little_is_no_error(out: str) -> None:
    seen = read(out, 1.0, 2.0)
    assert (seen.clock, seen.running, seen.enabled) == (None, frozenset(), None)


def test_a_picture_of_the_fake_has_everything_and_touches_nothing(estate: Estate) -> None:
    world = World.of(estate)
    ran = "5.0\n=running\nx.service loaded\n=failed\n"
    for host in estate.hosts:
        world.ran[host, ASKED] = Ran(0, ran, "", 0.0)
        world.ran[host, ASKED_FIRST] = Ran(0, f"{ran}=enabled\nx.service enabled\n", "", 0.0)
    ways = Ways(estate)
    engine = engine_for(estate, "clinical")
    before = baseline.look(estate, ways, lambda _: engine, first=True)
    assert set(before.running) == set(estate.hosts)
    assert before.running["east-db1"].enabled == {"x.service"}
    assert before.servers["east-app1 behind east-entry1"] == "up"
    assert before.roles["clinical"]
    assert set(before.members) == {"clinical on east-db1", "clinical on south-db1"}
    assert baseline.differences(estate, before, baseline.look(estate, ways, lambda _: engine)) == []
    assert world.changes == 0
    world.strike("entry", "d-1", "d", targets=[["east-entry1", "east-app1"]], lease_s=60, hard_s=60)
    world.ran["east-db1", ASKED] = Ran(0, "5.0\n=running\n=failed\n", "", 0.0)
    found = baseline.differences(estate, before, baseline.look(estate, ways, lambda _: engine))
    assert {d.what for d in found} >= {
        "server east-app1 behind east-entry1",
        "service x.service on east-db1",
        "hold d-1",
    }


def test_a_silent_host_holds_up_no_other(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = Ways(estate)
    shell = ways.named("shell", "fake")
    real = shell.run

    def slow(host: str, command: str, **options: Any) -> Ran:
        time.sleep(0.3)
        ran: Ran = real(host, command, **options)
        return ran

    monkeypatch.setattr(shell, "run", slow)
    begun = time.monotonic()
    assert set(host_looks.look(estate, ways, first=True)) == set(estate.hosts)
    assert time.monotonic() - begun < 1.0


def test_a_host_that_is_not_well_is_one_difference(estate: Estate) -> None:
    after = replace(BEFORE, hosts={"a": Look(False, "it is off")}, running={"a": HostLook(words="it is off")})
    assert [d.what for d in baseline.differences(estate, BEFORE, after)] == ["host a"]
