# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.connect import parts
from drdrill.connect.fake import FakeLinks
from drdrill.connect.parts import Parts
from drdrill.connect.registry import Ways
from drdrill.errors import BadInput, Unreachable
from drdrill.estate.model import Estate, Vantage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def with_ways(estate: Estate, **ways: tuple[str, ...]) -> Estate:
    hosts = {name: replace(host, ways={**host.ways, **ways}) for name, host in estate.hosts.items()}
    return replace(estate, hosts=hosts)


def offer(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    def entry_points(**wanted: str) -> EntryPoints:
        return EntryPoints(points).select(**wanted)

    monkeypatch.setattr(parts, "entry_points", entry_points)


class Picky(FakeLinks):
    """A way in that supports only one host."""

    name = "picky"

    def supports(self, hosts: Any) -> bool:
        return list(hosts) == ["east-db1"]


PICKY = EntryPoint("links.picky", f"{__name__}:Picky", "drdrill.ways_in")


def test_the_first_way_that_supports_the_hosts_is_chosen(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, PICKY)
    ways = Ways(with_ways(estate, links=("picky", "fake")))
    assert ways.links(["east-db1"]).name == "picky"
    assert ways.links(["east-db1", "east-app1"]).name == "fake"


def test_what_is_installed_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def entry_points(*, group: str) -> EntryPoints:
        asked.append(group)
        return EntryPoints([PICKY])

    monkeypatch.setattr(parts, "entry_points", entry_points)
    found = parts.Parts("way in", "drdrill.ways_in", {})
    assert found.load("links.picky") is found.load("links.picky")
    assert found.names() == ("links.picky",)
    assert asked == ["drdrill.ways_in"]


def test_the_order_of_the_estate_file_decides(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, PICKY)
    assert Ways(with_ways(estate, links=("fake", "picky"))).links(["east-db1"]).name == "fake"


def test_a_way_in_is_made_once(estate: Estate) -> None:
    ways = Ways(estate)
    assert ways.links(["east-db1"]) is ways.links(["south-db1"])


def test_a_host_without_a_way_in_says_where_to_name_one(estate: Estate) -> None:
    with pytest.raises(Unreachable, match=r"power of east-db1 .*east-db1 have none.*estate\.yaml"):
        Ways(with_ways(estate, power=())).power(["east-db1"])


def test_an_unknown_way_in_says_which_there_are(estate: Estate) -> None:
    with pytest.raises(BadInput, match=r'"links\.carrier-pigeon"; there are .*links\.fake'):
        Ways(with_ways(estate, links=("carrier-pigeon",))).links(["east-db1"])


def test_vantage_points_of_two_kinds_are_told_apart(estate: Estate) -> None:
    mixed = replace(estate, vantage={**estate.vantage, "far": Vantage("far", "carrier-pigeon")})
    vantages = Ways(mixed).vantages()
    assert vantages.address("client", "http://x") == "http://x"
    with pytest.raises(BadInput, match="carrier-pigeon"):
        vantages.address("far", "http://x")
    with pytest.raises(BadInput, match='no vantage point is called "nowhere"'):
        vantages.command("nowhere", ["true"])


def test_an_estate_without_a_vantage_point_says_so(estate: Estate) -> None:
    with pytest.raises(BadInput, match="no vantage point"):
        Ways(replace(estate, vantage={})).vantages()


def test_an_estate_whose_ways_know_no_hosts_has_no_inventory(estate: Estate) -> None:
    bare = replace(with_ways(estate, links=(), power=(), freeze=(), entry=(), shell=()), vantage={})
    assert Ways(bare).inventory() is None


def test_two_parts_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, EntryPoint("flood", "a:B", "g"), EntryPoint("flood", "c:D", "g"))
    with pytest.raises(BadInput, match="a:B, c:D"):
        Parts("fault", "g", {}).load("flood")


def test_a_part_that_cannot_be_loaded_says_what_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, EntryPoint("flood", "no_such_module:Flood", "g"))
    with pytest.raises(BadInput, match=r'"flood" \(no_such_module:Flood\) cannot be loaded: No module'):
        Parts("fault", "g", {}).load("flood")


def test_parts_of_others_are_known_by_name_without_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, EntryPoint("flood", "no_such_module:Flood", "g"))
    assert Parts("fault", "g", {"ours": "x:Y"}).names() == ("ours", "flood")
