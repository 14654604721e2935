# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every way in keeps. `fake` always, `lab` with the pocket lab, `network` with the network lab: links by nftables there."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate
from waiting import eventually

from drdrill.connect.capabilities import Entry, Freeze, Inventory, Links, Power, Shell, Vantages
from drdrill.connect.registry import WAYS_IN, Ways
from drdrill.estate.select import hosts_at, linked_at, pairs_across

if TYPE_CHECKING:
    from drdrill.estate.model import Estate

WAYS = ("fake", pytest.param("lab", marks=pytest.mark.lab), pytest.param("network", marks=pytest.mark.network))
HARD_S = 60.0


@pytest.fixture(params=WAYS)
def ways(request: pytest.FixtureRequest) -> Ways:
    if request.param == "fake":
        return Ways(fake_estate(request.getfixturevalue("tmp_path")))
    return Ways(request.getfixturevalue("pocket_estate" if request.param == "lab" else "network_estate"))


@pytest.fixture
def estate(ways: Ways) -> Estate:
    return ways.estate


@pytest.fixture
def hold() -> str:
    return f"test-{secrets.token_hex(4)}"


def test_every_way_in_of_ours_is_loaded_by_name() -> None:
    kinds = {
        "links": Links,
        "power": Power,
        "freeze": Freeze,
        "entry": Entry,
        "shell": Shell,
        "vantages": Vantages,
        "inventory": Inventory,
    }
    for name in WAYS_IN.names():
        found = WAYS_IN.load(name)
        wanted = {m for m in vars(kinds[name.split(".")[0]]) if not m.startswith("_")}
        assert {m for m in wanted if callable(getattr(found, m, None)) or m == "name"} == wanted


def test_hosts_of_the_estate_are_supported_and_ready(ways: Ways, estate: Estate) -> None:
    linked, hosts = linked_at(estate, "east"), powered(estate, "east")
    assert ways.links(linked).ready(linked).answer is True
    assert ways.power(hosts).ready(hosts).answer is True


def test_links_are_cut_seen_to_be_cut_and_restored(ways: Ways, estate: Estate, hold: str) -> None:
    links = ways.links(linked_at(estate, "witness"))
    pairs = pairs_across(estate, "witness")
    traffic = links.traffic(pairs)
    assert traffic is not None
    try:
        assert traffic.look().answer is True
        assert links.is_cut(hold, pairs).answer is False
        lease = links.cut(hold, "t", pairs, 5.0, HARD_S)
        assert lease.lease_s > 0
        assert lease.first_ns <= lease.last_ns
        assert links.is_cut(hold, pairs).answer is True
        assert traffic.look().answer is False
        assert hold in links.holds()
        assert hold in links.holds("t")
        assert hold not in links.holds("somebody-else")
        links.restore(hold)
        assert links.is_cut(hold, pairs).answer is False
        assert hold not in links.holds()
        eventually(lambda: traffic.look().answer is True, 30.0)
        links.restore(hold)
    finally:
        links.restore(hold)
        traffic.close()


def test_a_cut_ends_by_its_lease_and_a_late_renewal_says_when(ways: Ways, estate: Estate, hold: str) -> None:
    links = ways.links(linked_at(estate, "witness"))
    pairs = pairs_across(estate, "witness")
    struck = links.cut(hold, "t", pairs, 0.5, HARD_S)
    eventually(lambda: links.is_cut(hold, pairs).answer is False, 5.0)
    answer = links.renew(hold, 30.0)
    assert answer.state == "lapsed"
    assert answer.at_ns is not None
    assert 0.3e9 < answer.at_ns - struck.first_ns < 2e9
    assert links.is_cut(hold, pairs).answer is False


def test_a_renewal_extends_and_never_beyond_the_hard_end(ways: Ways, estate: Estate, hold: str) -> None:
    links = ways.links(linked_at(estate, "witness"))
    pairs = pairs_across(estate, "witness")
    try:
        links.cut(hold, "t", pairs, 1.0, 2.0)
        answer = links.renew(hold, 30.0)
        assert answer.state == "held"
        assert answer.left_s <= 2.0
        eventually(lambda: links.renew(hold, 30.0).state == "lapsed", 5.0)
    finally:
        links.restore(hold)


def test_a_healed_hold_cannot_be_renewed(ways: Ways, estate: Estate, hold: str) -> None:
    links = ways.links(linked_at(estate, "witness"))
    links.cut(hold, "t", pairs_across(estate, "witness"), 5.0, HARD_S)
    links.restore(hold)
    assert links.renew(hold, 30.0).state == "healed"


def test_a_hold_that_nobody_made_is_unknown(ways: Ways, estate: Estate) -> None:
    assert ways.links(linked_at(estate, "witness")).renew("never", 30.0).state == "unknown"
    assert ways.power(powered(estate, "witness")).renew("never", 30.0).state == "unknown"


def test_a_revoked_drill_cannot_renew(ways: Ways, estate: Estate, hold: str) -> None:
    links = ways.links(linked_at(estate, "witness"))
    try:
        links.cut(hold, f"drill-{hold}", pairs_across(estate, "witness"), 5.0, HARD_S)
        links.revoke(f"drill-{hold}")
        assert links.renew(hold, 30.0).state == "revoked"
    finally:
        links.restore(hold)


def test_two_cuts_of_one_link_need_two_heals(ways: Ways, estate: Estate, hold: str) -> None:
    links = ways.links(linked_at(estate, "witness"))
    pairs = pairs_across(estate, "witness")
    traffic = links.traffic(pairs)
    assert traffic is not None
    other = f"{hold}-2"
    try:
        links.cut(hold, "t", pairs, 5.0, HARD_S)
        links.cut(other, "t", pairs, 5.0, HARD_S)
        links.restore(hold)
        assert links.is_cut(other, pairs).answer is True
        assert traffic.look().answer is False
    finally:
        links.restore(hold)
        links.restore(other)
        traffic.close()


def test_power_goes_off_is_seen_to_be_off_and_comes_back(ways: Ways, estate: Estate, hold: str) -> None:
    hosts = powered(estate, "witness")
    power = ways.power(hosts)
    inventory = ways.inventory()
    assert inventory is not None
    try:
        assert power.is_off(hosts).answer is False
        lease = power.off(hold, "t", hosts, 5.0, HARD_S)
        assert lease.lease_s > 0
        assert power.is_off(hosts).answer is True
        assert inventory.states()["witness-arb1"].answer is not True
        assert hold in power.holds()
        power.on(hold, hosts)
        assert power.is_off(hosts).answer is False
        assert hold not in power.holds()
        power.on(hold, hosts)
        eventually(lambda: inventory.states()["witness-arb1"].answer is True, 30.0)
    finally:
        power.on(hold, hosts)


def test_power_comes_back_by_its_lease(ways: Ways, estate: Estate, hold: str) -> None:
    hosts = powered(estate, "witness")
    power = ways.power(hosts)
    inventory = ways.inventory()
    assert inventory is not None
    power.off(hold, "t", hosts, 0.5, HARD_S)
    eventually(lambda: power.is_off(hosts).answer is False, 10.0)
    assert power.renew(hold, 30.0).state == "lapsed"
    eventually(lambda: inventory.states()["witness-arb1"].answer is True, 30.0)


def powered(estate: Estate, site: str) -> tuple[str, ...]:
    """The hosts of a site that have a switch; its routers stay."""
    return tuple(h for h in linked_at(estate, site) if estate.hosts[h].ways.get("power"))


def entry_host(estate: Estate) -> tuple[str, ...]:
    """Nothing of the database moves for the entry of the site that does not write."""
    return tuple(host for host in hosts_at(estate, "south") if estate.hosts[host].role == "entry")


def test_a_host_freezes_is_seen_to_stand_still_and_thaws(ways: Ways, estate: Estate, hold: str) -> None:
    hosts = entry_host(estate)
    freeze = ways.freeze(hosts)
    inventory = ways.inventory()
    assert inventory is not None
    assert freeze.ready(hosts).answer is True
    traffic = freeze.traffic(hosts)
    assert traffic is not None
    try:
        assert traffic.look().answer is True
        assert freeze.is_frozen(hosts).answer is False
        lease = freeze.freeze(hold, "t", hosts, 5.0, HARD_S)
        assert lease.lease_s > 0
        assert lease.first_ns <= lease.last_ns
        assert freeze.is_frozen(hosts).answer is True
        assert freeze.is_frozen((*hosts, "witness-arb1")).answer is None
        assert traffic.look().answer is False
        assert traffic.look().answer is False
        assert hold in freeze.holds("t")
        assert hold not in ways.power(hosts).holds()
        state = inventory.states()[hosts[0]]
        assert (state.answer, state.words) == (False, "it is frozen")
        freeze.thaw(hold, hosts)
        assert freeze.is_frozen(hosts).answer is False
        assert hold not in freeze.holds()
        eventually(lambda: traffic.look().answer is True, 30.0)
        freeze.thaw(hold, hosts)
        eventually(lambda: inventory.states()[hosts[0]].answer is True, 30.0)
    finally:
        freeze.thaw(hold, hosts)
        traffic.close()


def test_a_frozen_host_thaws_by_its_lease_and_a_late_renewal_says_when(ways: Ways, estate: Estate, hold: str) -> None:
    hosts = entry_host(estate)
    freeze = ways.freeze(hosts)
    struck = freeze.freeze(hold, "t", hosts, 0.5, HARD_S)
    eventually(lambda: freeze.is_frozen(hosts).answer is False, 10.0)
    answer = freeze.renew(hold, 30.0)
    assert answer.state == "lapsed"
    assert answer.at_ns is not None
    assert 0.3e9 < answer.at_ns - struck.first_ns < 2e9
    assert freeze.is_frozen(hosts).answer is False


def test_one_of_two_freezes_keeps_a_host_frozen(ways: Ways, estate: Estate, hold: str) -> None:
    hosts = entry_host(estate)
    freeze = ways.freeze(hosts)
    other = f"{hold}-2"
    try:
        freeze.freeze(hold, "t", hosts, 5.0, HARD_S)
        freeze.freeze(other, "t", hosts, 5.0, HARD_S)
        freeze.thaw(hold, hosts)
        assert freeze.is_frozen(hosts).answer is True
    finally:
        freeze.thaw(hold, hosts)
        freeze.thaw(other, hosts)
    assert freeze.is_frozen(hosts).answer is False


def test_a_frozen_host_that_loses_its_power_is_not_frozen_when_it_is_back(
    ways: Ways, estate: Estate, hold: str
) -> None:
    hosts = entry_host(estate)
    freeze, power = ways.freeze(hosts), ways.power(hosts)
    inventory = ways.inventory()
    assert inventory is not None
    try:
        freeze.freeze(hold, "t", hosts, 20.0, HARD_S)
        power.off(f"{hold}-power", "t", hosts, 20.0, HARD_S)
        assert power.is_off(hosts).answer is True
        assert freeze.is_frozen(hosts).answer is False
        power.on(f"{hold}-power", hosts)
        assert freeze.is_frozen(hosts).answer is False
        assert hold in freeze.holds()
        eventually(lambda: inventory.states()[hosts[0]].answer is True, 30.0)
    finally:
        power.on(f"{hold}-power", hosts)
        freeze.thaw(hold, hosts)
    assert hold not in freeze.holds()


def test_every_host_is_in_the_inventory(ways: Ways, estate: Estate) -> None:
    inventory = ways.inventory()
    assert inventory is not None
    # The router outside belongs to no site and nobody may strike it, so the estate file does not name it.
    outside = {"client-router"} if estate.lab == "network" else set()
    assert set(inventory.states()) == set(estate.hosts) | outside
    made_of = "nftables on each host" if estate.lab == "network" else "user-space"
    assert inventory.about()["links"] == made_of


def test_a_vantage_point_gives_an_address_and_a_command(ways: Ways, estate: Estate) -> None:
    vantages = ways.vantages()
    for site, url in estate.services["registration"].endpoints.items():
        assert vantages.address("client", url).startswith("http://")
        assert vantages.command(site, ["true"])[-1] == "true"
