# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A plan is a pure function of compiled sentences and an estate, and its digest changes with all that decides what is struck."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.cli.plan_words import lines
from drdrill.connect.fake_world import World
from drdrill.drill.call import Call
from drdrill.drill.plan import Scenario, Written, plan
from drdrill.drill.planned_estate import bare
from drdrill.estate.model import Approvals, Limits
from drdrill.faults.entry_drained import EntryDrained
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate

EAST = SiteIsolated("east")
APP = HostLosesPower("application", "registration", "east")


def strike(fault: Any) -> Written:
    return Written(
        f"When {fault.title}", "folder/a.feature:3", "steps/faults.py:17", (Call("drill", "strike", (fault,)),)
    )


def heal(kind: Any, site: str = "") -> Written:
    return Written("When healed", "folder/a.feature:4", "steps/faults.py:60", (Call("drill", "heal", (kind, site)),))


def scenario(*sentences: Written) -> Scenario:
    return Scenario("s", "folder/a.feature:2", sentences)


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def test_a_strike_says_whom_for_how_long_and_who_heals(estate: Estate) -> None:
    planned = plan(estate, [scenario(strike(EAST), heal(SiteIsolated, "east"))], {"a.feature": "00"})
    (one,) = planned.drills[0].strikes
    assert (one.hosts, one.sites, one.most) == (("east-db1", "east-app1", "east-entry1"), ("east",), 3)
    assert one.ways == {"links": ("fake",)}
    assert one.healer == "target"
    words = "\n".join(lines(planned))
    assert "step       steps/faults.py:17" in words
    assert "STRIKES    the whole of site east: east-db1, east-app1, east-entry1" in words
    assert "for at most 600 s" in words
    assert "by itself where the fault is" in words
    assert planned.digest in words
    assert World.of(estate).calls == []


def test_what_keeps_no_lease_is_healed_by_the_guardian(estate: Estate) -> None:
    host = replace(estate.hosts["east-app1"], ways={"power": ("fake-bmc",)})
    board = replace(estate, hosts={**estate.hosts, host.name: host})
    planned = plan(board, [scenario(strike(APP))], {})
    assert planned.drills[0].strikes[0].healer == "guardian"
    assert "by its guardian, since there is no lease for power through fake-bmc" in " ".join(
        "\n".join(lines(planned)).split()
    )


def test_of_several_candidates_all_are_named_and_one_is_struck(estate: Estate) -> None:
    service = replace(estate.services["registration"], hosts={"application": ("east-app1", "east-app2")})
    two = replace(estate.hosts["east-app1"], name="east-app2")
    more = replace(estate, services={"registration": service}, hosts={**estate.hosts, two.name: two})
    planned = plan(more, [scenario(strike(APP))], {})
    assert planned.drills[0].strikes[0].hosts == ("east-app1", "east-app2")
    assert planned.drills[0].most == 1
    assert "1 of east-app1, east-app2, decided at the moment of the strike" in "\n".join(lines(planned))


def test_the_most_at_once_follows_strikes_and_heals(estate: Estate) -> None:
    frozen = HostFrozen("database", "registration", "south")
    assert plan(estate, [scenario(strike(APP), strike(frozen))], {}).drills[0].most == 2
    healed = scenario(strike(APP), heal(HostLosesPower), strike(frozen))
    assert plan(estate, [healed], {}).drills[0].most == 1
    assert plan(estate, [scenario(strike(EAST), strike(APP))], {}).drills[0].most == 3


def test_a_move_is_said_and_a_drain_is_a_strike(estate: Estate) -> None:
    move = Written(
        "When moved", "a.feature:3", "o.py:1", (Call("operations", "switch_over", ("registration", "south")),)
    )
    planned = plan(estate, [scenario(move)], {})
    assert planned.drills[0].sentences[0].moves == (
        "the writer of database clinical moves to south-db1, and stays there",
    )
    service = replace(estate.services["registration"], served_by_writer=None, served_by_header="X-Site")
    drained = plan(replace(estate, services={"registration": service}), [scenario(move)], {})
    assert drained.drills[0].strikes[0].fault == EntryDrained.name
    assert drained.drills[0].strikes[0].hosts == ("east-entry1",)


def test_the_same_is_the_same_wherever_it_lies(estate: Estate, tmp_path: Path) -> None:
    here = plan(estate, [scenario(strike(EAST))], {"/here/a.feature": "00"})
    moved = replace(strike(EAST), where="/else/a.feature:3", step="/site-packages/faults.py:17")
    there = [Scenario("s", "/else/a.feature:2", (moved,))]
    assert plan(replace(estate, path=tmp_path / "x.yaml"), there, {"/else/a.feature": "00"}).digest == here.digest


@pytest.mark.parametrize("what", ["feature", "fault", "order", "limits", "host", "way in", "approvals", "step"])
def test_the_digest_changes_with(what: str, estate: Estate) -> None:
    sentences, files = [strike(EAST), heal(SiteIsolated)], {"a.feature": "00"}
    before = plan(estate, [scenario(*sentences)], files).digest
    host = estate.hosts["east-app1"]
    match what:
        case "feature":
            files = {"a.feature": "01"}
        case "fault":
            sentences[0] = strike(SiteIsolated("east", "south"))
        case "order":
            sentences.reverse()
        case "limits":
            estate = replace(estate, limits=Limits(hosts_down=3, longest_fault_s=601.0))
        case "host":
            estate = replace(estate, hosts={**estate.hosts, "x": replace(host, name="x")})
        case "way in":
            estate = replace(estate, hosts={**estate.hosts, host.name: replace(host, ways={"power": ("fake-bmc",)})})
        case "approvals":
            estate = replace(estate, approvals=Approvals(1, {"anna": "ed25519:x"}))
        case "step":
            sentences[0] = replace(sentences[0], step="steps/faults.py:18")
    assert plan(estate, [scenario(*sentences)], files).digest != before


def test_no_secret_is_in_a_plan() -> None:
    assert bare("ssh://root:hunter2@10.0.0.1:22/x?password=hunter2") == "ssh://root@10.0.0.1:22/x"
    assert bare("lab") == "lab"


def test_a_plan_can_be_read_at_100_columns(estate: Estate) -> None:
    planned = plan(estate, [scenario(strike(EAST), strike(APP))], {})
    assert max(len(line) for line in lines(planned)) <= 100
