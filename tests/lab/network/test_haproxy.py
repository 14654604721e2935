# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Entries that are a real HAProxy, and an address that real hosts hold by VRRP."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from waiting import eventually

from drdrill.connect.haproxy import HaproxyEntry
from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.connect.capabilities import Entry
    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate

pytestmark = pytest.mark.network
BOTH = ("east-lb1", "east-lb2")
OWN = [(entry, "east-app1") for entry in BOTH]
ADDRESS = "10.71.0.100"


@pytest.fixture
def entry(ways: Ways) -> Entry:
    return ways.entry(BOTH)


@pytest.fixture
def hold(entry: Entry) -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    yield name
    entry.restore(name)


def states(entry: Entry, host: str = BOTH[0]) -> dict[str, tuple[str, bool]]:
    return {server.name: (server.state, server.backup) for server in entry.servers(host)}


def test_a_server_is_drained_at_its_own_entries_only_and_gets_work_again(entry: Entry, hold: str):
    assert entry.ready(BOTH).answer is True, entry.ready(BOTH).words
    assert states(entry) == {"east-app1": ("up", False), "south-app1": ("up", True)}
    lease = entry.drain(hold, "t", OWN, 20.0, 60.0)
    assert lease.first_ns <= lease.last_ns
    assert states(entry)["east-app1"] == ("drained", False)
    assert states(entry, "south-lb1")["east-app1"] == ("up", True)
    assert entry.is_drained(hold, OWN).answer is True
    assert entry.is_drained(hold, [*OWN, (BOTH[0], "south-app1")]).answer is None
    assert entry.is_drained("another", OWN).answer is None, "they get no work, but by somebody else's hold"
    assert (hold in entry.holds("t"), hold in entry.holds("u")) == (True, False)
    entry.restore(hold)
    entry.restore(hold)
    assert entry.is_drained(hold, OWN).answer is False
    assert states(entry)["east-app1"] == ("up", False)
    assert hold not in entry.holds()
    assert entry.renew(hold, 5.0).state == "healed"


def test_a_drain_ends_by_the_timer_on_the_host(entry: Entry, hold: str):
    struck = entry.drain(hold, "t", OWN, 1.0, 60.0)
    eventually(lambda: entry.is_drained(hold, OWN).answer is False, 10.0)
    answer = entry.renew(hold, 5.0)
    assert answer.state == "lapsed"
    assert answer.at_ns is not None
    assert 0.5e9 < answer.at_ns - struck.first_ns < 3e9
    assert entry.is_drained(hold, OWN).answer is False


def test_a_renewal_extends_never_beyond_the_hard_end_and_leaves_one_timer(ways: Ways, entry: Entry, hold: str):
    entry.drain(hold, "t", OWN, 2.0, 4.0)
    for _ in range(3):
        answer = entry.renew(hold, 30.0)
        assert answer.state == "held"
        assert answer.left_s <= 4.0
    timers = ways.shell(BOTH).run(BOTH[0], f"systemctl list-units --no-legend 'drdrill-entry-{hold}-*.timer'").out
    assert len(timers.splitlines()) == 1
    eventually(lambda: entry.renew(hold, 30.0).state == "lapsed", 10.0)
    eventually(lambda: entry.is_drained(hold, OWN).answer is False, 5.0)


def test_one_of_two_drains_keeps_a_server_out_of_work(entry: Entry, hold: str):
    other = f"{hold}-2"
    try:
        entry.drain(hold, "t", OWN, 20.0, 60.0)
        entry.drain(other, "t", OWN, 20.0, 60.0)
        entry.restore(hold)
        assert entry.is_drained(other, OWN).answer is True
    finally:
        entry.restore(other)
    assert entry.is_drained(other, OWN).answer is False


def test_a_revoked_drain_cannot_be_renewed_and_another_process_heals_it(
    network_estate: Estate, entry: Entry, hold: str
):
    entry.drain(hold, f"drill-{hold}", OWN, 20.0, 60.0)
    other = HaproxyEntry(network_estate)
    try:
        other.revoke(f"drill-{hold}")
        assert entry.renew(hold, 30.0).state == "revoked"
        assert hold in other.holds(f"drill-{hold}")
        other.restore(hold)
        assert hold not in other.holds()
    finally:
        other.close()
    assert entry.is_drained(hold, OWN).answer is False
    assert entry.renew("never", 5.0).state == "unknown"


def test_what_somebody_else_drained_is_neither_taken_nor_given_back(ways: Ways, entry: Entry, hold: str):
    shell = ways.shell(BOTH)
    say = "printf 'set server registration/east-app1 state {}\\n' | socat - UNIX-CONNECT:/run/haproxy.sock"
    assert shell.run(BOTH[0], say.format("drain"), root=True).status == 0
    try:
        with pytest.raises(WayInFailed, match="out of work already, and not by a drill"):
            entry.drain(hold, "t", OWN, 20.0, 60.0)
        entry.restore(hold)
        assert states(entry)["east-app1"] == ("drained", False)
        assert states(entry, BOTH[1])["east-app1"] == ("up", False)
    finally:
        shell.run(BOTH[0], say.format("ready"), root=True)


def test_an_entry_without_haproxy_and_a_server_that_it_does_not_have_are_told(ways: Ways, entry: Entry, hold: str):
    with pytest.raises(WayInFailed, match="its HAProxy has no server witness-arb1"):
        entry.drain(hold, "t", [(BOTH[0], "witness-arb1")], 5.0, 60.0)
    shell = ways.shell(BOTH)
    shell.run(BOTH[1], "mv /run/haproxy.sock /run/haproxy.away", root=True)
    try:
        look = entry.ready(BOTH)
        assert look.answer is False
        assert look.words.startswith(f"{BOTH[1]}: ")
        with pytest.raises(WayInFailed, match="HAProxy"):
            entry.servers(BOTH[1])
    finally:
        shell.run(BOTH[1], "mv /run/haproxy.away /run/haproxy.sock", root=True)


def test_exactly_the_host_that_holds_an_address_answers_for_it(ways: Ways, entry: Entry):
    (holder,) = entry.holders(ADDRESS, BOTH)
    shell = ways.shell(BOTH)
    assert ADDRESS in shell.run(holder, "ip -4 address show").out
    (other,) = set(BOTH) - {holder}
    shell.run(other, f"ip address add {ADDRESS}/24 dev data0", root=True)
    try:
        assert set(entry.holders(ADDRESS, BOTH)) == set(BOTH)
    finally:
        shell.run(other, f"ip address del {ADDRESS}/24 dev data0", root=True)
    assert entry.holders(ADDRESS, BOTH) == (holder,)
    assert entry.holders("10.71.0.200", BOTH) == ()


def test_an_answer_that_is_nobodys_is_told(ways: Ways, entry: Entry):
    shell = ways.shell(["east-app1"])
    shell.run("east-app1", "ip address add 10.71.0.199/24 dev data0", root=True)
    try:
        with pytest.raises(WayInFailed, match="answers for 10.71.0.199, and is none of east-lb1, east-lb2"):
            entry.holders("10.71.0.199", BOTH)
    finally:
        shell.run("east-app1", "ip address del 10.71.0.199/24 dev data0", root=True)
    with pytest.raises(WayInFailed, match="nobody can be asked who answers for 192.0.2.1"):
        entry.holders("192.0.2.1", BOTH)
