# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from drdrill.errors import BadInput, Findings, Refused
from drdrill.estate import select
from drdrill.estate.load import find, load
from drdrill.estate.model import Away
from drdrill.estate.windows import Closing, Opening, Windows

HOSPITAL = Path(__file__).with_name("hospital.yaml")
NETWORK = Path(__file__).parents[2] / "fixtures" / "estates" / "network.yaml"


@pytest.fixture
def variant(tmp_path, monkeypatch):
    """Write the hospital with some text replaced, and give the path."""
    monkeypatch.setenv("DB_HOST", "10.0.0.1")
    monkeypatch.setenv("DRDRILL_STATE", str(tmp_path / "state"))

    def write(*changes: tuple[str, str]) -> str:
        text = HOSPITAL.read_text()
        for old, new in changes:
            assert old in text, f"the hospital has no {old!r}"
            text = text.replace(old, new, 1)
        path = tmp_path / "variant.yaml"
        path.write_text(text)
        return str(path)

    return write


def findings(path: str) -> list[str]:
    with pytest.raises(Findings) as caught:
        load(path)
    return [f.removeprefix(f"{path}:") for f in caught.value.findings]


def test_a_good_file_becomes_an_estate(variant):
    estate = load(variant())
    assert estate.services["registration"].rto_s == 15.0
    assert estate.services["registration"].probe.expect_json == {"ready": True}
    assert estate.databases["clinical"].recovery_s == 60.0
    assert estate.databases["clinical"].nodes["east-db1"]["dsn"] == "host=10.0.0.1 port=1"
    assert estate.hosts["east-app1"].ways == {"power": ("redfish",)}
    assert estate.site_named("东院区").name == "east"
    assert estate.limits.longest_fault_s == 600.0


def test_every_error_is_told_at_once_with_its_line(variant):
    path = variant(
        ("rto: 15 s", "rto: 15"),
        ("{campus: South}", "{campus: South, colour: red}"),
        ("sites_down: 1", "sites_down: many"),
        ("role: arbitrator", "role: abitrator"),
    )
    found = findings(path)
    assert len(found) == 4
    assert any(f.startswith("4: sites.south.colour: nobody knows this key") for f in found)
    assert any(f.startswith("15: hosts.witness-arb.role: input should be") and "'abitrator'" in f for f in found)
    assert any(f.startswith("25: services.registration.rto: a duration has a unit") for f in found)
    assert any(f.startswith("39: limits.sites_down:") for f in found)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{site: east, role: database", "{site: west, role: database", 'there is no site "west"'),
        ("application: [east-app1", "application: [east-db1", 'host "east-db1" has role database'),
        ("database: clinical", "database: clincal", 'there is no database "clincal"'),
        ("sites:", "lock: witness-ab\nsites:", 'there is no host "witness-ab"'),
        ("sites:", "lock: witness-arb\nsites:", 'host "witness-arb" has no `shell`'),
        ("served_by: {writer: clinical}", "served_by: {}", "exactly one of"),
        ("south-db1: {dsn", "south-app1: {dsn", "has role application, not database"),
        ("aka: [primary site, 东院区]", "aka: [south]", '"south" already means east'),
        ("{at: local}", "{at: local, site: east}", "no place on the client network"),
        ('south: "http://south.example"', 'witness: "http://w.example"', "only votes"),
        ("{role: client}", "{role: probe}", 'has no "site"'),
        ('"{key}"', '"7"', "{key}"),
        ("latency: 1 s", "latency: 20 s", "shorter than the RTO"),
        ("${DB_HOST}", "${NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE is not set"),
        ("limits: {sites_down: 1, hosts_down: 3, longest_fault: 10 min}", "", '"limits" is missing'),
    ],
)
def test_a_name_that_points_at_nothing_is_found(variant, old, new, words):
    found = findings(variant((old, new)))
    assert len(found) == 1, found
    assert words in found[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sites: {a: [", ":1: is not YAML"),
        ("- a\n- b\n", "is a mapping"),
        ("", "is a mapping"),
        ("a: 1\na: 2\n", ":2: is not YAML"),
    ],
)
def test_broken_yaml_is_told_with_its_line(tmp_path, text, words):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        load(str(path))
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_file_that_is_not_utf8_is_told(tmp_path):
    path = tmp_path / "gbk.yaml"
    path.write_bytes("estate: 数据中心".encode("gbk"))
    with pytest.raises(BadInput, match="is not UTF-8"):
        load(str(path))


def test_yaml_1_1_traps_do_not_bite(variant):
    estate = load(variant(("  south:   {campus: South}", "  south:   {campus: no}")))
    assert estate.sites["south"].campus == "no"


def test_a_lab_that_is_not_up_is_refused_with_the_line_to_type(variant):
    path = variant(("estate: hospital", "estate: hospital\nlab: pocket"), ("host=b port=2", "port=${lab.south_pg}"))
    with pytest.raises(Refused, match="drdrill lab up pocket"):
        load(path)
    assert load(path, lab=False).databases["clinical"].nodes["south-db1"]["dsn"] == "port=${lab.south_pg}"


def test_values_of_the_lab_are_filled_in_and_an_unknown_one_is_found(variant, tmp_path):
    path = variant(("estate: hospital", "estate: hospital\nlab: pocket"), ("host=b port=2", "port=${lab.south_pg}"))
    written = tmp_path / "state" / "pocket" / "lab" / "lab.json"
    written.parent.mkdir(parents=True)
    written.write_text(json.dumps({"south_pg": 21021}))
    assert load(path).databases["clinical"].nodes["south-db1"]["dsn"] == "port=21021"
    written.write_text(json.dumps({"north_pg": 21021}))
    assert "the lab knows no south_pg" in findings(path)[0]


def test_a_name_is_looked_up_in_the_folder_and_then_among_the_shipped(tmp_path):
    shelf = tmp_path / "fixtures" / "estates"
    shelf.mkdir(parents=True)
    (shelf / "ours.yaml").write_text("x: 1")
    assert find("ours", tmp_path) == shelf / "ours.yaml"
    with pytest.raises(BadInput, match='there is no estate "theirs".*ours'):
        find("theirs", tmp_path)
    with pytest.raises(BadInput, match="no such estate file"):
        find(str(tmp_path / "gone.yaml"))


def test_an_isolated_site_is_cut_from_every_other_place_and_the_client(variant):
    estate = load(variant())
    pairs = select.pairs_across(estate, "east")
    assert len(pairs) == 2 * 2 * 4
    assert ("desk", "east-db1") in pairs
    assert ("east-db1", "witness-arb") in pairs
    assert ("east-db1", "east-app1") not in pairs
    assert set(select.pairs_across(estate, "east", "south")) == {
        (a, b) for x in ("east-db1", "east-app1") for y in ("south-db1", "south-app1") for a, b in ((x, y), (y, x))
    }


def test_a_role_that_no_host_has_is_told(variant):
    estate = load(variant())
    service = estate.service_named("registration")
    assert select.candidates(estate, "database", service, "east") == ("east-db1",)
    with pytest.raises(BadInput, match='has no entry host at site "east"'):
        select.candidates(estate, "entry", service, "east")


LIMITS = "limits: {sites_down: 1, hosts_down: 3, longest_fault: 10 min}"


def test_what_a_file_does_not_allow_is_not_allowed(variant):
    allowed = load(variant()).limits
    assert (allowed.campuses_down, allowed.longest_drill_s, allowed.quorum_loss) == (0, 3600.0, False)
    assert (allowed.services, allowed.never_struck, allowed.forbidden_faults, allowed.windows) == (None, (), (), None)


def test_limits_windows_and_abort_conditions_are_read(variant):
    text = """limits:
  campuses_down: 1
  longest_drill: 2 h
  services: registration
  never_struck: [east-db1]
  forbidden_faults: [host-frozen]
  quorum_loss: true
  windows:
    zone: Europe/Zurich
    open:
      - {days: [sat, holidays], from: "22:00", to: "05:30"}
      - {dates: [2026-12-05]}
    closed:
      - {from: 2026-12-20, to: 2027-01-06, why: change freeze}
    holidays: [2026-12-25]
abort:
  - {service: registration, away: 20 s}
  - {service: registration, away: 1 min, site: south}"""
    estate = load(variant((LIMITS, text)))
    allowed = estate.limits
    assert (allowed.campuses_down, allowed.longest_drill_s, allowed.quorum_loss) == (1, 7200.0, True)
    assert (allowed.services, allowed.never_struck) == (("registration",), ("east-db1",))
    assert allowed.forbidden_faults == ("host-frozen",)
    assert allowed.windows == Windows(
        "Europe/Zurich",
        (
            Opening(22 * 60, 5 * 60 + 30, days=frozenset({5}), holidays=True),
            Opening(dates=frozenset({date(2026, 12, 5)})),
        ),
        (Closing(date(2026, 12, 20), date(2027, 1, 6), "change freeze"),),
        frozenset({date(2026, 12, 25)}),
    )
    assert estate.abort == (Away("registration", 20.0), Away("registration", 60.0, "south"))
    assert estate.sites_of("South") == ("south", "witness")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("limits: {services: [billing]}", 'there is no service "billing"'),
        ("limits: {never_struck: [west-db1]}", 'there is no host "west-db1"'),
        ("limits: {campus_down: 1}", "nobody knows this key"),
        ("limits: {windows: {zone: Mars/Olympus}}", 'no time zone "Mars/Olympus"'),
        ('limits: {windows: {zone: UTC, open: [{from: "25:00"}]}}', 'from "00:00" to "24:00"'),
        ("limits: {windows: {zone: UTC, open: [{days: [someday]}]}}", "found 'someday'"),
        ("limits: {windows: {zone: UTC, closed: [{from: 2026-12-24, to: 2026-12-20}]}}", "before it begins"),
        ("limits: {windows: {zone: UTC, holidays: [soon]}}", "holidays.0"),
        ("limits: {}\nabort: [{service: billing, away: 20 s}]", 'there is no service "billing"'),
        ("limits: {}\nabort: [{service: registration, away: 20}]", "a duration has a unit"),
        ("limits: {}\nabort: [{service: registration, away: 20 s, site: witness}]", "has no endpoint"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_found_with_its_line(variant, text, words):
    (found,) = findings(variant((LIMITS, text)))
    assert words in found
    assert found.startswith(("39: ", "40: "))


def test_a_date_that_is_none_is_told_with_its_line(variant):
    path = variant((LIMITS, "limits: {windows: {zone: UTC, holidays: [2026-12-25, 2026-11-31]}}"))
    with pytest.raises(BadInput, match=r":39: there is no such date: 2026-11-31 \(day is out of range for month\)"):
        load(path)


def test_what_a_site_carries_names_a_site(variant):
    service = "rto: 15 s\n    carries: {east: 60, south: 100}"
    assert load(variant(("rto: 15 s", service))).services["registration"].carries == {"east": 60.0, "south": 100.0}
    (found,) = findings(variant(("rto: 15 s", service.replace("south", "west"))))
    assert 'there is no site "west"' in found


def test_a_routed_estate_says_where_its_hosts_are_and_how_they_are_reached() -> None:
    estate = load(str(NETWORK), lab=False)
    assert estate.enter == "network"
    assert estate.sites["east"].networks == ("10.71.0.0/24",)
    holder = estate.hosts["east-lb1"]
    assert holder.addresses == ("10.71.0.31",)
    assert holder.ways_in("shell") == ("ssh",)
    assert holder.url_of("shell", "ssh") == "ssh://root@10.79.1.31"
    assert holder.url_of("entry", "haproxy") is None
    assert select.address_at(estate.services["registration"], "east") == "10.71.0.100"


def test_routers_are_no_ends_of_links_and_probe_hosts_keep_their_power() -> None:
    estate = load(str(NETWORK), lab=False)
    pairs = select.pairs_across(estate, "east")
    assert {host for pair in pairs for host in pair if estate.hosts[host].role == "router"} == set()
    assert ("east-probe", "client") in pairs
    assert len(pairs) == 2 * 5 * 8
    assert set(select.hosts_at(estate, "east")) - set(select.powered_at(estate, "east")) == {"east-probe"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("networks: 10.71.0.0/24", "networks: 10.71.0.9/24", "has host bits set"),
        ("address: 10.71.0.11,", "address: east-db1,", "does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_a_wrong_network_or_address_is_found_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = NETWORK.read_text()
    assert old in text
    path = tmp_path / "network.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(Findings) as found:
        load(str(path), lab=False)
    assert words in str(found.value)
    assert f"{path}:{next(n for n, line in enumerate(path.read_text().splitlines(), 1) if new in line)}" in str(
        found.value
    )
