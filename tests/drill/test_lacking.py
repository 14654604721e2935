# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.drill.call import Call
from drdrill.drill.lacking import lacking
from drdrill.estate.durations import Deadline
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.site_isolated import SiteIsolated

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate

CUT = Call("drill", "strike", (SiteIsolated("east"),), {}, "a.feature:1")
FREEZE = Call("drill", "strike", (HostFrozen("database", "registration", "east"),), {}, "a.feature:2")
ONE_HOLDER = Call(
    "availability", "await_one_holder", ("registration", "east", Deadline(promise="rto")), {}, "a.feature:3"
)


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def without(estate: Estate, capability: str, *hosts: str) -> Estate:
    poorer = {
        name: replace(host, ways={c: names for c, names in host.ways.items() if c != capability})
        for name, host in estate.hosts.items()
        if name in hosts
    }
    return replace(estate, hosts={**estate.hosts, **poorer})


def test_an_estate_with_every_way_in_lacks_nothing(estate: Estate) -> None:
    assert lacking(estate, [CUT, FREEZE, ONE_HOLDER]) == []


def test_a_fault_lacks_a_way_in_to_what_it_may_strike(estate: Estate) -> None:
    (found,) = lacking(without(estate, "freeze", "east-db1", "south-app1"), [CUT, FREEZE])
    assert found.startswith("a.feature:2: ")
    assert "freeze" in found
    assert "for east-db1; add `freeze:` to this host" in found


def test_one_host_without_links_is_one_that_a_cut_would_miss(estate: Estate) -> None:
    (found,) = lacking(without(estate, "links", "east-app1"), [CUT])
    assert "east-app1" in found


def test_who_answers_for_an_address_is_asked_of_every_entry_host(estate: Estate) -> None:
    (found,) = lacking(without(estate, "entry", "east-entry1"), [ONE_HOLDER])
    assert "who answers for the address" in found
    assert "east-entry1" in found


def test_names_that_the_estate_does_not_have_are_for_others_to_tell(estate: Estate) -> None:
    unknown = Call("drill", "strike", (SiteIsolated("west"),), {}, "a.feature:1")
    assert lacking(estate, [unknown]) == []
