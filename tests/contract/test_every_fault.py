# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every fault keeps, whoever wrote it. A new fault is tested here once it has an example in `EXAMPLES`."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import pytest
from estates import EastWrites, fake_estate

from drdrill.connect.capabilities import STRIKING
from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill.reach import reach_for, reach_of
from drdrill.drill.undo_log import from_json, to_json
from drdrill.errors import WayInFailed
from drdrill.faults.campus_isolated import CampusIsolated
from drdrill.faults.campus_lost import CampusLost
from drdrill.faults.entry_drained import EntryDrained
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.registry import FAULTS, known, of_undo
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Reach, Undo

EXAMPLES: tuple[Fault, ...] = (
    SiteIsolated("east"),
    SiteIsolated("primary site", peer="south"),
    SiteLost("primary site"),
    CampusIsolated("South"),
    CampusLost("South"),
    HostLosesPower("database", "registration", "east"),
    HostLosesPower("application", "registration", "south"),
    HostLosesPower("entry", "registration", "east"),
    HostFrozen("database", "registration", "east"),
    HostFrozen("application", "registration", "south"),
    HostFrozen("entry", "registration", "east"),
    EntryDrained("registration", "primary site"),
)


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


@pytest.fixture(params=EXAMPLES, ids=lambda f: f.title)
def fault(request: pytest.FixtureRequest) -> Fault:
    found: Fault = request.param
    return found


def planned(estate: Estate, fault: Fault, hold: str = "d-1") -> tuple[Reach, Undo]:
    targets = fault.choose(estate, EastWrites())
    reach = reach_for(Ways(estate), fault, targets, drill="d", hold=hold, lease_s=30.0)
    return reach, fault.plan(reach, targets)


def strike(estate: Estate, fault: Fault) -> tuple[Reach, Undo]:
    reach, undo = planned(estate, fault)
    reach.traffic = fault.offer(reach, undo)
    fault.inject(reach, undo)
    return reach, undo


def truth(estate: Estate) -> tuple[set[tuple[str, str]], set[str], tuple[str, ...]]:
    world = World.of(estate)
    open_ = tuple(hold for capability in STRIKING for hold in world.open(capability))
    return world.cut_pairs(), world.off_hosts() | world.still_hosts(), open_


WHOLE: tuple[set[tuple[str, str]], set[str], tuple[str, ...]] = (set(), set(), ())


def test_every_known_fault_has_an_example() -> None:
    assert {f.name for f in known()} <= {f.name for f in EXAMPLES}
    assert set(FAULTS.names()) == {f.name for f in known()}


def test_planning_touches_nothing(estate: Estate, fault: Fault) -> None:
    planned(estate, fault)
    assert World.of(estate).changes == 0
    assert truth(estate) == WHOLE


def test_a_strike_breaks_something_and_is_seen(estate: Estate, fault: Fault) -> None:
    reach, undo = strike(estate, fault)
    assert truth(estate) != WHOLE
    assert fault.took_hold(reach, undo).answer is True
    assert fault.held(reach, undo).answer is True
    assert fault.healed(reach, undo).answer is False


def test_inject_then_revert_leaves_the_estate_as_it_was(estate: Estate, fault: Fault) -> None:
    reach, undo = strike(estate, fault)
    fault.revert(reach, undo)
    assert truth(estate) == WHOLE
    assert fault.healed(reach, undo).answer is True
    assert fault.held(reach, undo).answer is False


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_inject_that_dies_at_any_call_is_undone(tmp_path: Path, fault: Fault, when: str) -> None:
    estate = fake_estate(tmp_path)
    strike(estate, fault)
    made = World.of(estate).changes
    assert made >= 1
    for n in range(1, made + 1):
        estate = fake_estate(tmp_path)
        World.of(estate).trip = (n, when)  # type: ignore[assignment]
        reach, undo = planned(estate, fault)
        with pytest.raises(WayInFailed):
            fault.inject(reach, undo)
        World.of(estate).trip = None
        fault.revert(reach, undo)
        assert truth(estate) == WHOLE
        assert fault.healed(reach, undo).answer is True


def test_reverting_twice_is_reverting_once(estate: Estate, fault: Fault) -> None:
    reach, undo = strike(estate, fault)
    fault.revert(reach, undo)
    once = copy.deepcopy(truth(estate))
    fault.revert(reach, undo)
    assert truth(estate) == once == WHOLE


def test_reverting_what_was_never_struck_changes_nothing(estate: Estate, fault: Fault) -> None:
    reach, undo = planned(estate, fault)
    fault.revert(reach, undo)
    assert truth(estate) == WHOLE
    assert fault.healed(reach, undo).answer is True


def test_a_revert_leaves_the_hold_of_somebody_else(estate: Estate, fault: Fault) -> None:
    reach, undo = strike(estate, fault)
    other_reach, other = planned(estate, fault, hold="d-2")
    fault.inject(other_reach, other)
    fault.revert(reach, undo)
    assert fault.healed(other_reach, other).answer is False
    assert fault.held(other_reach, other).answer is not False


def test_the_undo_record_alone_is_enough(estate: Estate, fault: Fault) -> None:
    _, undo = strike(estate, fault)
    record = from_json(json.loads(json.dumps(to_json(undo))))
    assert record == undo
    again = of_undo(record)
    reach = reach_of(Ways(estate), record)
    again.revert(reach, record)
    assert again.healed(reach, record).answer is True
    assert truth(estate) == WHOLE
    assert "drdrill recover" in record.command


def test_looking_changes_nothing(estate: Estate, fault: Fault) -> None:
    reach, undo = strike(estate, fault)
    before, changes = copy.deepcopy(World.of(estate).strikes), World.of(estate).changes
    fault.took_hold(reach, undo)
    fault.held(reach, undo)
    fault.healed(reach, undo)
    assert World.of(estate).changes == changes
    assert World.of(estate).strikes == before


def test_a_renewal_extends(estate: Estate, fault: Fault) -> None:
    reach, undo = strike(estate, fault)
    answer = fault.renew(reach, undo, 60.0)
    assert answer.state == "held"
    assert 50 < answer.left_s <= 60


def test_a_late_renewal_strikes_nothing_and_says_when_it_ended(estate: Estate, fault: Fault) -> None:
    reach, undo = strike(estate, fault)
    world = World.of(estate)
    started = world.now_ns()
    world.now_ns = lambda: started + int(31e9)
    answer = fault.renew(reach, undo, 60.0)
    assert answer.state == "lapsed"
    assert answer.at_ns is not None
    assert answer.at_ns <= started + int(30e9)
    assert truth(estate) == WHOLE


def test_a_fault_that_is_ignored_is_not_believed(estate: Estate, fault: Fault) -> None:
    World.of(estate).flaws |= {"cut-is-ignored", "power-is-ignored", "freeze-is-ignored", "drain-is-ignored"}
    reach, undo = strike(estate, fault)
    assert fault.took_hold(reach, undo).answer is False


def test_a_heal_that_is_ignored_is_not_believed(estate: Estate, fault: Fault) -> None:
    World.of(estate).flaws |= {"heal-is-ignored"}
    reach, undo = strike(estate, fault)
    fault.revert(reach, undo)
    assert fault.healed(reach, undo).answer is False


def test_equal_sentences_are_equal_faults(fault: Fault) -> None:
    assert copy.deepcopy(fault) == fault
    assert hash(copy.deepcopy(fault)) == hash(fault)
