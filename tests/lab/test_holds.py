# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drdrill.lab.holds import Holds
from drdrill.lab.protocol import BadRequest, Strike

S = 1_000_000_000
A, B, C = ("a", "b"), ("b", "a"), ("a", "c")


def links(name: str = "h1", *pairs: tuple[str, str], drill: str = "d", lease_s: float = 3, hard_s: float = 600):
    return Strike(name, drill, "links", pairs or (A, B), (), lease_s, hard_s)


def power(name: str, *hosts: str, lease_s: float = 3):
    return Strike(name, "d", "power", (), hosts, lease_s, 600)


def freeze(name: str, *hosts: str):
    return Strike(name, "d", "freeze", (), hosts, 3, 600)


def test_a_strike_is_in_force_until_its_lease_has_run_out():
    holds = Holds()
    holds.strike(links(), 0)
    assert holds.frozen() == {A, B}
    assert holds.lapse(3 * S - 1) == []
    assert holds.frozen() == {A, B}
    assert [hold.strike.hold for hold in holds.lapse(3 * S)] == ["h1"]
    assert holds.frozen() == set()


def test_a_lapsed_lease_answers_lapsed_and_when():
    holds = Holds()
    holds.strike(links(lease_s=3), 10 * S)
    assert holds.renew("h1", 30, 20 * S) == {"state": "lapsed", "at_ns": 13 * S}
    assert holds.heal("h1", 21 * S) == {"state": "lapsed", "at_ns": 13 * S}
    assert holds.frozen() == set()


def test_a_renewal_extends_and_never_shortens():
    holds = Holds()
    holds.strike(links(lease_s=10), 0)
    assert holds.renew("h1", 2, S) == {"state": "held", "left_s": 9.0}
    assert holds.renew("h1", 30, S) == {"state": "held", "left_s": 30.0}


def test_a_renewal_never_goes_beyond_the_hard_end():
    holds = Holds()
    holds.strike(links(lease_s=3, hard_s=5), 0)
    assert holds.renew("h1", 30, S) == {"state": "held", "left_s": 4.0}
    assert holds.renew("h1", 30, 6 * S) == {"state": "lapsed", "at_ns": 5 * S}


def test_a_lease_longer_than_the_hard_end_is_cut_to_it():
    hold, _ = Holds().strike(links(lease_s=30, hard_s=5), 0)
    assert hold.until_ns == 5 * S


def test_the_state_of_a_link_is_the_worst_of_its_open_holds_and_a_heal_ends_one():
    holds = Holds()
    holds.strike(links("h1", A, B), 0)
    holds.strike(links("h2", A, C), 0)
    assert holds.heal("h1", S)["state"] == "healed"
    assert holds.frozen() == {A, C}


def test_power_is_off_while_any_open_hold_says_so():
    holds = Holds()
    holds.strike(power("h1", "a", "b"), 0)
    holds.strike(power("h2", "b", lease_s=9), 0)
    holds.lapse(4 * S)
    assert holds.off() == {"b"}


def test_a_heal_asked_twice_gives_the_same_answer():
    holds = Holds()
    holds.strike(links(), 0)
    assert holds.heal("h1", S) == holds.heal("h1", 2 * S) == {"state": "healed", "at_ns": S}
    assert holds.renew("h1", 30, 3 * S) == {"state": "healed", "at_ns": S}


def test_an_unknown_hold_is_answered_as_unknown():
    assert Holds().renew("nobody", 1, 0) == {"state": "unknown"}
    assert Holds().heal("nobody", 0) == {"state": "unknown"}


def test_a_revoked_drill_renews_and_strikes_no_more_and_its_lease_runs_out():
    holds = Holds()
    holds.strike(links(drill="d"), 0)
    holds.revoke("d")
    assert holds.renew("h1", 30, S) == {"state": "revoked"}
    assert holds.frozen() == {A, B}
    assert [hold.strike.hold for hold in holds.lapse(3 * S)] == ["h1"]
    with pytest.raises(BadRequest, match="revoked"):
        holds.strike(links("h2", drill="d"), 4 * S)


def test_the_same_strike_again_is_no_second_strike():
    holds = Holds()
    first, new = holds.strike(links(), 0)
    again, new_again = holds.strike(links(), S)
    assert (new, new_again) == (True, False)
    assert again is first
    with pytest.raises(BadRequest, match="something else"):
        holds.strike(links("h1", A), S)


def test_the_name_of_an_ended_hold_is_refused():
    holds = Holds()
    holds.strike(links(), 0)
    holds.heal("h1", S)
    with pytest.raises(BadRequest, match="new name"):
        holds.strike(links(), 2 * S)


def test_with_short_leases_every_hold_ends_early_whatever_was_answered():
    holds = Holds(longest_s=4)
    holds.strike(links(lease_s=3), 0)
    assert holds.renew("h1", 30, 2 * S)["state"] == "held"
    assert holds.next_end_ns() == 4 * S
    assert holds.renew("h1", 30, 5 * S) == {"state": "lapsed", "at_ns": 4 * S}


def test_the_list_shows_what_is_left_and_what_has_ended():
    holds = Holds()
    holds.strike(links("h1"), 0)
    holds.strike(power("h2", "a", lease_s=8), 0)
    first, second = holds.show(None, 5 * S)
    assert (first["state"], first["ended_ns"], first["pairs"]) == ("lapsed", 3 * S, [["a", "b"], ["b", "a"]])
    assert (second["state"], second["left_s"], second["hosts"]) == ("open", 3.0, ["a"])
    assert holds.show("other", 5 * S) == []


def test_a_freeze_is_no_power_cut_and_ends_with_its_hold():
    holds = Holds()
    holds.strike(freeze("h1", "a", "b"), 0)
    holds.strike(power("h2", "c"), 0)
    assert (holds.still(), holds.off()) == ({"a", "b"}, {"c"})
    holds.heal("h1", S)
    assert holds.still() == set()


def test_a_host_that_was_switched_off_stays_awake_while_its_freeze_is_open():
    holds = Holds()
    holds.strike(freeze("h1", "a", "b"), 0)
    holds.power_went({"a"})
    assert holds.still() == {"b"}
    holds.strike(freeze("h2", "a"), S)
    assert holds.still() == {"a", "b"}


def test_one_name_cannot_freeze_and_cut_power():
    holds = Holds()
    holds.strike(freeze("h1", "a"), 0)
    with pytest.raises(BadRequest, match="something else"):
        holds.strike(power("h1", "a"), 0)
