# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.connect.fake_world import World
from drdrill.drill.call import Call
from drdrill.drill.preflight import findings, probe_ways
from drdrill.estate.durations import Deadline
from drdrill.estate.model import Limits
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def calls(*said: tuple[str, str, tuple[Any, ...]]) -> list[Call]:
    return [Call(noun, verb, args, {}, f"a.feature:{n}") for n, (noun, verb, args) in enumerate(said, 1)]


STRIKE = ("drill", "strike", (SiteIsolated("east"),))
HEAL = ("drill", "heal", (SiteIsolated, "east"))
RTO = Deadline(promise="rto")


def test_a_good_plan_has_no_findings_and_touches_nothing(estate: Estate) -> None:
    plan = calls(
        ("estate", "require_healthy", ()),
        ("estate", "require_served_by", ("registration", "primary site")),
        ("workload", "write_through", ("registration", 25)),
        STRIKE,
        ("availability", "await_again", ("registration", RTO, "south")),
        ("consistency", "no_ack_while_cut", ("east",)),
        ("drill", "hold_for", (20.0,)),
        HEAL,
        ("consistency", "await_same", ("clinical", Deadline(promise="recovery"))),
        ("operations", "switch_over", ("registration", "east")),
        ("availability", "never_longer", ("registration", Deadline(seconds=15.0))),
    )
    assert findings(estate, plan) == []
    assert World.of(estate).calls == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("drill", "strike", (SiteIsolated("west"),)), 'no site is called "west"'),
        (("drill", "strike", (SiteIsolated("east", peer="west"),)), 'no site is called "west"'),
        (("drill", "strike", (SiteIsolated("east", peer="primary site"),)), "no host with a link"),
        (("drill", "strike", (HostLosesPower("database", "billing", "east"),)), 'no service is called "billing"'),
        (("drill", "strike", (HostLosesPower("entry", "registration", "witness"),)), 'no entry host at site "witness"'),
        (("estate", "require_served_by", ("registration", "west")), 'no site is called "west"'),
        (("workload", "write_through", ("billing", 25)), 'no service is called "billing"'),
        (("workload", "write_through", ("registration", 5)), "too few"),
        (("availability", "await_again", ("registration", Deadline(seconds=16.0))), "laxer than the RTO"),
        (("availability", "await_again", ("registration", RTO, "witness")), "no endpoint"),
        (("availability", "never_longer", ("registration", Deadline(seconds=60.0))), "laxer than the RTO"),
        (("consistency", "await_same", ("billing", RTO)), 'no database is called "billing"'),
        (("operations", "switch_over", ("registration", "witness")), "no member at site"),
        (("operations", "await_in_step", ("billing", RTO)), 'no database is called "billing"'),
        (HEAL, "none was struck before"),
        (("drill", "hold_for", (3.0,)), "none is open"),
    ],
)
def test_what_is_wrong_is_found_with_its_place(estate: Estate, said: tuple[str, str, Any], words: str) -> None:
    found = findings(estate, calls(said))
    assert len(found) == 1
    assert found[0].startswith("a.feature:1: ")
    assert words in found[0]


def test_every_finding_is_given_at_once(estate: Estate) -> None:
    assert len(findings(estate, calls(HEAL, ("workload", "write_through", ("billing", 1)), HEAL))) == 3


def test_two_sites_at_once_are_too_many(estate: Estate) -> None:
    found = findings(estate, calls(STRIKE, ("drill", "strike", (SiteLost("south"),))))
    assert len(found) == 1
    assert "limits.sites_down" in found[0]


def test_a_site_may_follow_another_that_was_healed(estate: Estate) -> None:
    assert findings(estate, calls(STRIKE, HEAL, ("drill", "strike", (SiteLost("south"),)))) == []


def test_more_hosts_than_the_limit_are_too_many(estate: Estate) -> None:
    estate = replace(estate, limits=Limits(hosts_down=1))
    plan = calls(
        ("drill", "strike", (HostLosesPower("entry", "registration", "east"),)),
        ("drill", "strike", (HostLosesPower("application", "registration", "east"),)),
    )
    assert "limits.hosts_down" in findings(estate, plan)[0]


def test_no_site_may_be_lost_where_the_estate_says_so(estate: Estate) -> None:
    estate = replace(estate, limits=Limits(sites_down=0))
    assert "sites_down is 0" in findings(estate, calls(STRIKE))[0]


def test_a_heal_that_could_mean_two_is_found(estate: Estate) -> None:
    estate = replace(estate, limits=Limits(hosts_down=3))
    plan = calls(
        ("drill", "strike", (HostLosesPower("entry", "registration", "east"),)),
        ("drill", "strike", (HostLosesPower("application", "registration", "east"),)),
        ("drill", "heal", (HostLosesPower,)),
    )
    assert "not clear which" in findings(estate, plan)[0]


def test_holding_longer_than_the_longest_fault_is_found(estate: Estate) -> None:
    found = findings(estate, calls(STRIKE, ("drill", "hold_for", (300.0,)), ("drill", "hold_for", (300.0,))))
    assert len(found) == 1
    assert "a.feature:3" in found[0]
    assert "longest_fault" in found[0]


def test_ways_that_work_say_nothing_and_change_nothing(estate: Estate) -> None:
    assert probe_ways(estate, calls(STRIKE, ("drill", "strike", (SiteLost("east"),)))) == []
    assert World.of(estate).changes == 0


def test_a_way_that_does_not_work_is_said_with_its_sentence(estate: Estate) -> None:
    World.of(estate).broken["east-db1"] = "its controller does not answer"
    found = probe_ways(estate, calls(STRIKE, STRIKE))
    assert len(found) == 1
    assert "a.feature:1" in found[0]
    assert "its controller does not answer" in found[0]


def test_a_host_without_a_way_in_is_said(estate: Estate) -> None:
    bare = replace(estate.hosts["east-app1"], ways={})
    estate = replace(estate, hosts={**estate.hosts, "east-app1": bare})
    found = probe_ways(estate, calls(STRIKE))
    assert "east-app1 have none" in found[0]


def test_equal_calls_are_equal_wherever_they_stand() -> None:
    here = Call("drill", "strike", (SiteIsolated("east"),), {}, "a.feature:3")
    there = Call("drill", "strike", (SiteIsolated("east"),), {}, "a.zh.feature:9")
    assert here == there
    assert hash(here) == hash(there)


@pytest.mark.parametrize(
    ("call", "text", "fix"),
    [
        (
            ("availability", "await_again", ("registration", Deadline(seconds=3600.0))),
            'service "2 h" is available again within 1 h',
            'service "2 h" is available again within its RTO',
        ),
        (
            ("availability", "await_again", ("registration", Deadline(seconds=120.0), "south")),
            '服务"registration"在数据中心"south"于 2 分钟 内恢复可用',
            '服务"registration"在数据中心"south"于 其 RTO 内恢复可用',
        ),
        (
            ("consistency", "await_same", ("clinical", Deadline(seconds=61.0))),
            'every replica of database "clinical" holds the same data within 61 s',
            'every replica of database "clinical" holds the same data within its recovery time',
        ),
        (
            ("operations", "await_in_step", ("clinical", Deadline(seconds=3600.0))),
            '数据库"clinical"的所有成员在 1 小时 内恢复同步',
            '数据库"clinical"的所有成员在 其恢复时间 内恢复同步',
        ),
        (
            ("drill", "await_baseline", (Deadline(seconds=90.5),)),
            "the estate is as it was before within 90.5 s",
            "the estate is as it was before within its recovery time",
        ),
    ],
)
def test_what_is_laxer_than_promised_comes_with_the_sentence_to_type(estate: Estate, call, text: str, fix: str):
    noun, verb, args = call
    (found,) = [f for f in findings(estate, [Call(noun, verb, args, {}, "a.feature:7", text)]) if "laxer" in f]
    assert found.startswith("a.feature:7: ")
    assert found.splitlines()[1] == f"  type: {fix}"


def test_of_a_part_of_a_scenario_nothing_is_said_of_what_is_open(estate: Estate):
    heal = Call("drill", "heal", (SiteIsolated, "east"), {}, "a.feature:7")
    hold = Call("drill", "hold_for", (3.0,), {}, "a.feature:8")
    assert len(findings(estate, [heal, hold])) == 2
    assert findings(estate, [heal, hold], whole=False) == []
