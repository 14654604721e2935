# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What each host must drop for a cut, in the words of nft, and what several hosts' answers come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.connect.capabilities import Renewal
from drdrill.connect.nftables_rules import Drops, cut_text, drops, in_force, renew_text, table
from drdrill.connect.renewals import of_all, of_words
from drdrill.errors import BadInput, WayInFailed

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate

ADDRESS = {"client": "10.4.0.1", "east-entry1": "10.1.0.31", "east-entry2": "10.1.0.32", "east-app1": "10.1.0.21"}
SHARED = "10.1.0.100"


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """Two entry hosts at east that take turns with one address."""
    found = fake_estate(tmp_path)
    second = replace(found.hosts["east-entry1"], name="east-entry2")
    hosts = {**found.hosts, "east-entry2": second}
    hosts = {n: replace(h, addresses=(ADDRESS[n],) if n in ADDRESS else ()) for n, h in hosts.items()}
    service = replace(
        found.services["registration"],
        endpoints={"east": f"http://{SHARED}", "south": "http://by-name"},
        hosts={"entry": ("east-entry1", "east-entry2", "south-entry1")},
    )
    return replace(found, hosts=hosts, services={"registration": service})


def test_a_pair_is_dropped_at_both_of_its_ends_and_in_its_direction_only(estate: Estate):
    assert drops(estate, [("client", "east-app1")]) == {
        "client": Drops(to={"10.1.0.21"}),
        "east-app1": Drops(from_={"10.4.0.1"}),
    }


def test_the_address_that_hosts_share_goes_with_the_last_of_them_only(estate: Estate):
    one = [("client", "east-entry1"), ("east-entry1", "client")]
    assert drops(estate, one)["client"] == Drops({"10.1.0.31"}, {"10.1.0.31"})
    both = [*one, ("client", "east-entry2"), ("east-entry2", "client")]
    every = {"10.1.0.31", "10.1.0.32", SHARED}
    assert drops(estate, both)["client"] == Drops(every, every)
    assert drops(estate, both)["east-entry1"] == Drops({"10.4.0.1"}, {"10.4.0.1"})


def test_a_host_without_address_is_named(estate: Estate):
    with pytest.raises(BadInput, match="host witness-arb1 has no `address`"):
        drops(estate, [("client", "witness-arb1")])


def test_a_cut_is_one_table_with_times_in_its_elements():
    text = cut_text("h-1", 'd "1"', Drops({"10.0.0.2", "fd00::2"}, {"10.0.0.3"}), forwards=True)
    assert text.startswith("table inet drdrill_h-1 {\n\tcomment \"drill d '1' hold h-1\"\n")
    assert "set from4 { type ipv4_addr; flags timeout; elements = { 10.0.0.2 timeout @LEASE@ }; }" in text
    assert "set from6 { type ipv6_addr; flags timeout; elements = { fd00::2 timeout @LEASE@ }; }" in text
    assert (
        "chain input { type filter hook input priority -300; policy accept; ip saddr @from4 counter name from drop;"
        in text
    )
    assert (
        "chain output { type filter hook output priority -300; policy accept; ip daddr @to4 counter name to drop; }"
        in text
    )
    assert "chain forward" in text
    assert "chain forward" not in cut_text("h", "d", Drops({"10.0.0.2"}), forwards=False)
    assert len(cut_text("h", "d" * 500, Drops(), forwards=False).splitlines()[1]) < 140


def test_our_own_shell_is_let_through_where_it_comes_from_what_is_dropped():
    drop = Drops({"10.0.0.2"}, {"10.0.0.2"})
    text = cut_text("h", "d", drop, forwards=True, peer=("10.0.0.2", 2222))
    assert text.index("ip saddr 10.0.0.2 tcp dport 2222 accept") < text.index("ip saddr @from4")
    assert text.index("ip daddr 10.0.0.2 tcp sport 2222 accept") < text.index("ip daddr @to4")
    assert "accept" not in text.partition("chain forward")[2].replace("policy accept", "")
    assert "tcp" not in cut_text("h", "d", drop, forwards=True, peer=("10.0.0.9", 22))


def test_a_renewal_deletes_first_so_that_what_ran_out_makes_all_of_it_fail():
    assert renew_text("h", Drops({"10.0.0.2", "10.0.0.1"}, set())) == (
        "delete element inet drdrill_h from4 { 10.0.0.1, 10.0.0.2 }\n"
        "add element inet drdrill_h from4 { 10.0.0.1 timeout @LEASE@, 10.0.0.2 timeout @LEASE@ }\n"
    )


@pytest.mark.parametrize("hold", ["", "a b", "x;y", "$(reboot)", "../up", "a" * 300, "-r"])
def test_a_hold_that_could_be_more_than_a_name_is_refused(hold: str):
    with pytest.raises(BadInput, match="cannot be the name of a hold"):
        table(hold)


def test_what_nft_lists_is_read():
    listed = {
        "nftables": [
            {"metainfo": {}},
            {"counter": {"name": "from", "packets": 3}},
            {"counter": {"name": "to", "packets": 4}},
            {"set": {"name": "from4", "elem": [{"elem": {"val": "10.0.0.2", "timeout": 3, "expires": 2}}]}},
            {"set": {"name": "to4"}},
        ]
    }
    assert in_force(listed) == ({"10.0.0.2"}, set(), 7)
    assert in_force({}) == (set(), set(), 0)


HELD, LAPSED = Renewal("held", 5.0), Renewal("lapsed", at_ns=7)


@pytest.mark.parametrize(
    ("answers", "of"),
    [
        ([HELD, Renewal("held", 4.0)], Renewal("held", 4.0)),
        ([HELD, LAPSED, Renewal("lapsed", at_ns=5)], Renewal("lapsed", at_ns=5)),
        ([HELD, Renewal("unknown")], Renewal("lapsed")),
        ([Renewal("unknown")], Renewal("unknown")),
        ([], Renewal("unknown")),
        ([LAPSED, Renewal("healed", at_ns=9)], Renewal("healed", at_ns=9)),
        ([LAPSED, Renewal("revoked")], Renewal("revoked")),
    ],
)
def test_held_is_only_what_every_host_holds(answers: list[Renewal], of: Renewal):
    assert of_all(answers) == of


def test_what_a_host_says_of_a_renewal():
    assert of_words("held 2950", 0) == Renewal("held", 29.5)
    assert of_words("lapsed 12", 1_000_000_000) == Renewal("lapsed", at_ns=880_000_000)
    with pytest.raises(WayInFailed, match="answered with 'sh: not found'"):
        of_words("sh: not found", 0)
