# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts by nftables on real hosts: what is cut, what is not, and everything by which a cut ends."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from waiting import eventually

from drdrill.connect import nftables
from drdrill.connect.nftables import NftLinks
from drdrill.errors import BadInput, WayInFailed
from drdrill.estate.select import hosts_at, linked_at, pairs_across
from drdrill.faults.looks import with_traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.connect.capabilities import Links, Look
    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate

pytestmark = pytest.mark.network
ARB = "witness-arb1"


@pytest.fixture
def links(ways: Ways) -> Links:
    return ways.links([ARB, "client"])


@pytest.fixture
def pairs(network_estate: Estate) -> tuple[tuple[str, str], ...]:
    return tuple(pairs_across(network_estate, "witness"))


@pytest.fixture
def hold(links: Links) -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    yield name
    links.restore(name)


def test_hosts_are_ready_and_an_address_that_one_does_not_have_is_told(links: Links, network_estate: Estate):
    assert isinstance(links, NftLinks)
    hosts = linked_at(network_estate, "east")
    look = links.ready(hosts)
    assert look.answer is True, look.words
    wrong = replace(network_estate.hosts[ARB], addresses=("10.73.0.99",))
    other = NftLinks(replace(network_estate, hosts={**network_estate.hosts, ARB: wrong}))
    look = other.ready([ARB])
    other.close()
    assert look.answer is False
    assert look.words == f"{ARB}: it does not have the address 10.73.0.99 of the estate file"


def test_a_site_is_cut_old_connections_too_while_management_and_what_is_inside_it_go_on(
    ways: Ways, links: Links, network_estate: Estate, hold: str
):
    pairs = pairs_across(network_estate, "east")
    traffic = links.traffic(pairs)
    inside = links.traffic([("east-app1", "east-db1")])
    assert traffic is not None
    assert inside is not None
    try:
        assert traffic.look().answer is True
        links.cut(hold, "t", pairs, 20.0, 60.0)
        assert links.is_cut(hold, pairs).answer is True
        look = traffic.look()
        assert (look.answer, look.counts["old_offered"]) == (False, 2 * len(pairs) / 2)
        assert traffic.look().answer is False
        assert int(links.is_cut(hold, pairs).counts["packets"]) > 0
        assert inside.look().answer is True
        assert ways.shell(["east-db1"]).ready(hosts_at(network_estate, "east")).answer is True
        assert (hold in links.holds("t"), hold in links.holds("u"), hold in links.holds()) == (True, False, True)
        links.restore(hold)
        assert links.is_cut(hold, pairs).answer is False
        assert hold not in links.holds()
        eventually(lambda: traffic.look().answer is True)
    finally:
        links.restore(hold)
        traffic.close()
        inside.close()


def test_one_direction_alone_is_cut_and_the_other_carries(ways: Ways, links: Links, hold: str):
    links.cut(hold, "t", [("client", ARB)], 20.0, 60.0)
    shell = ways.shell([ARB])
    rules = {host: shell.run(host, f"nft list table inet drdrill_{hold}", root=True).out for host in (ARB, "client")}
    assert "10.74.0.100" in rules[ARB]
    assert "set to4" not in rules[ARB]
    assert "set from4" not in rules["client"]


def test_a_cut_ends_by_its_lease_and_a_late_renewal_strikes_nothing(links: Links, pairs, hold: str):
    struck = links.cut(hold, "t", pairs, 1.0, 60.0)
    eventually(lambda: links.is_cut(hold, pairs).answer is False, 5.0)
    answer = links.renew(hold, 30.0)
    assert answer.state == "lapsed"
    assert answer.at_ns is not None
    # The first host that was cut is the first that is whole again; it got its command between the first and the last.
    assert struck.first_ns + 0.9e9 < answer.at_ns < struck.last_ns + 1.5e9
    assert links.is_cut(hold, pairs).answer is False
    assert hold not in links.holds()


def test_the_kernel_itself_refuses_to_renew_what_ran_out(ways: Ways, links: Links, hold: str):
    links.cut(hold, "t", [("client", ARB)], 0.5, 60.0)
    eventually(lambda: links.is_cut(hold, [("client", ARB)]).answer is False, 5.0)
    text = f"delete element inet drdrill_{hold} from4 {{ 10.74.0.100 }}; add element inet drdrill_{hold} from4 {{ 10.74.0.100 }}"
    ran = ways.shell([ARB]).run(ARB, f"nft '{text}'", root=True)
    assert ran.status != 0
    assert links.is_cut(hold, [("client", ARB)]).answer is False


def test_a_renewal_only_extends_and_never_beyond_the_hard_end(ways: Ways, links: Links, pairs, hold: str):
    links.cut(hold, "t", pairs, 2.0, 3.0)
    answer = links.renew(hold, 30.0)
    assert answer.state == "held"
    assert answer.left_s <= 3.0
    assert links.renew(hold, 0.1).left_s > 1.0
    shell = ways.shell([ARB])
    # Past its end by the timer of systemd as well: the table itself is gone, with nobody who asked.
    eventually(lambda: f"drdrill_{hold}" not in shell.run(ARB, "nft list tables", root=True).out, 10.0)
    assert links.renew(hold, 30.0).state == "lapsed"


def test_who_healed_or_revoked_is_answered(links: Links, pairs, hold: str):
    links.cut(hold, f"drill-{hold}", pairs, 20.0, 60.0)
    links.revoke(f"drill-{hold}")
    assert links.renew(hold, 30.0).state == "revoked"
    assert links.is_cut(hold, pairs).answer is True
    links.restore(hold)
    assert links.renew(hold, 30.0).state == "healed"
    assert links.renew("never", 30.0).state == "unknown"
    with pytest.raises(WayInFailed, match="used already"):
        links.cut(hold, "t", pairs, 5.0, 60.0)


def test_another_process_finds_and_heals_what_one_left(network_estate: Estate, links: Links, pairs, hold: str):
    links.cut(hold, "t", pairs, 20.0, 60.0)
    other = NftLinks(network_estate)
    try:
        assert hold in other.holds("t")
        assert other.is_cut(hold, pairs).answer is True
        other.restore(hold)
        assert hold not in other.holds()
    finally:
        other.close()
    assert links.renew(hold, 5.0).state == "healed"


def test_two_cuts_of_one_link_need_two_heals(links: Links, pairs, hold: str):
    other = f"{hold}-2"
    try:
        links.cut(hold, "t", pairs, 20.0, 60.0)
        links.cut(other, "t", pairs, 20.0, 60.0)
        links.restore(hold)
        assert links.is_cut(other, pairs).answer is True
    finally:
        links.restore(other)


def test_a_runner_that_is_killed_loses_its_cut(network_estate: Estate, links: Links, hold: str):
    pair = [("client", ARB)]
    code = (
        "import sys; from pathlib import Path; from drdrill.estate.load import load\n"
        "from drdrill.connect.enter import enter; from drdrill.connect.nftables import NftLinks\n"
        "e = load('network'); enter(e); way = NftLinks(e)\n"
        "way.cut(sys.argv[1], 't', [('client', 'witness-arb1')], 2.0, 60.0); print('cut', flush=True)\n"
        "while True: way.renew(sys.argv[1], 2.0); print('renewed', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, hold], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    ) as runner:
        assert runner.stdout is not None
        assert [runner.stdout.readline() for _ in range(3)] == [b"cut\n", b"renewed\n", b"renewed\n"]
        assert links.is_cut(hold, pair).answer is True
        runner.send_signal(signal.SIGKILL)
    eventually(lambda: links.is_cut(hold, pair).answer is False, 10.0)
    assert links.renew(hold, 5.0).state == "lapsed"
    del network_estate


def test_a_rule_that_matches_nothing_is_no_cut_although_it_is_there(
    links: Links, hold: str, monkeypatch: pytest.MonkeyPatch
):
    pair = [("client", ARB), (ARB, "client")]
    right = nftables.cut_text

    def text_of_nothing(*what: Any, **more: Any) -> str:
        found = right(*what, **more).replace("saddr @", "saddr 192.0.2.9 ip saddr @")
        return found.replace("daddr @", "daddr 192.0.2.9 ip daddr @")

    monkeypatch.setattr(nftables, "cut_text", text_of_nothing)
    traffic = links.traffic(pair)
    assert traffic is not None
    try:
        links.cut(hold, "t", pair, 20.0, 60.0)
        assert links.is_cut(hold, pair).answer is True
        look: Look = with_traffic(links.is_cut(hold, pair), traffic)
        assert look.answer is not True, look.words
    finally:
        traffic.close()


def test_a_host_without_address_cannot_be_cut(network_estate: Estate):
    bare = replace(network_estate.hosts[ARB], addresses=())
    way = NftLinks(replace(network_estate, hosts={**network_estate.hosts, ARB: bare}))
    with pytest.raises(BadInput, match=f"host {ARB} has no `address`"):
        way.cut("h", "t", [("client", ARB)], 1.0, 5.0)
    assert way.ready([ARB]).answer is False
    way.close()
