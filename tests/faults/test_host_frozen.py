# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A frozen host: what proves it, what ends it, and what it counts as. The contract of every fault stands in tests/contract."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from estates import EastWrites, fake_estate

from drdrill.connect.capabilities import Look
from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill.limits import beyond
from drdrill.drill.reach import reach_for
from drdrill.errors import Unreachable
from drdrill.estate.model import Limits
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.looks import with_traffic

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Reach, Undo

FROZEN = HostFrozen("database", "registration", "east")


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def struck(estate: Estate, fault: Fault, hold: str) -> tuple[Reach, Undo]:
    targets = fault.choose(estate, EastWrites())
    reach = reach_for(Ways(estate), fault, targets, drill="d", hold=hold, lease_s=30.0)
    undo = fault.plan(reach, targets)
    reach.traffic = fault.offer(reach, undo)
    fault.inject(reach, undo)
    return reach, undo


class Heard:
    def __init__(self, answer: bool | None) -> None:
        self.answer = answer

    def look(self) -> Look:
        return Look(self.answer, "heard")

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("said", "heard", "answer"),
    [(True, False, True), (True, True, False), (True, None, None), (False, False, False), (None, False, None),
     (False, None, False), (None, None, None)],
)  # fmt: skip
def test_it_takes_two_witnesses_and_one_against_it_is_enough(
    said: bool | None, heard: bool | None, answer: bool | None
) -> None:
    assert with_traffic(Look(said, "said"), Heard(heard)).answer is answer


@pytest.mark.parametrize(("said", "answer"), [(True, None), (None, None), (False, False)])
def test_without_traffic_of_our_own_it_is_never_proven(said: bool | None, answer: bool | None) -> None:
    assert with_traffic(Look(said, "said"), None).answer is answer


def test_a_host_that_was_power_cycled_while_frozen_is_not_held_and_heals_whole(estate: Estate) -> None:
    reach, undo = struck(estate, FROZEN, "d-1")
    power = HostLosesPower("database", "registration", "east")
    power_reach, power_undo = struck(estate, power, "d-2")
    power.revert(power_reach, power_undo)
    assert FROZEN.held(reach, undo).answer is False
    assert FROZEN.healed(reach, undo).answer is False, "its hold is still open"
    FROZEN.revert(reach, undo)
    assert FROZEN.healed(reach, undo).answer is True
    assert World.of(estate).still_hosts() == set()


def test_it_counts_as_a_host_that_is_down(tmp_path: Path) -> None:
    none = fake_estate(tmp_path, limits=Limits(hosts_down=0))
    assert "limits.hosts_down is 0" in str(FROZEN.refuses(none))
    one = fake_estate(tmp_path, limits=Limits(hosts_down=1))
    first = FROZEN.choose(one, EastWrites())
    assert beyond(one, [], first) is None
    second = HostLosesPower("entry", "registration", "south").choose(one, EastWrites())
    assert "2 hosts would be struck at once" in str(beyond(one, [first], second))


def test_an_estate_that_names_no_way_in_to_freeze_is_told_which_line_is_missing(estate: Estate) -> None:
    old = replace(estate.hosts["east-db1"], ways={"power": ("fake",)})
    estate = replace(estate, hosts={**estate.hosts, "east-db1": old})
    with pytest.raises(Unreachable, match=r"no way in for freeze of east-db1 .*`freeze: \[lab\]`"):
        struck(estate, FROZEN, "d-1")
