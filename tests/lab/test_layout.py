# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from drdrill.errors import LabError
from drdrill.lab.pocket import layout
from drdrill.lab.pocket.layout import HOSTS, Layout


def ephemeral() -> int:
    return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])


def test_the_ports_are_different_free_and_below_those_of_outgoing_connections(tmp_path: Path):
    ports = layout.free_ports(tmp_path)
    assert len(set(ports.values())) == len(ports)
    assert max(ports.values()) < ephemeral()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # Connections of a lab before may linger.
        sock.bind(("127.0.0.1", ports["east-db1:pg"]))


def test_a_block_with_one_port_taken_is_passed_over(tmp_path: Path):
    first = layout.free_ports(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["client>south-entry1:http"]))
        taken.listen()
        second = layout.free_ports(tmp_path)
    assert not set(first.values()) & set(second.values())


def test_no_free_block_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layout, "_is_free", lambda _port: False)
    with pytest.raises(LabError, match="free ports in a row"):
        layout.free_ports(tmp_path)


def test_votes_call_in_the_order_in_which_they_are_started(tmp_path: Path):
    # pysyncobj compares addresses as text; the larger calls the smaller, and tries again only 5 s after a refusal.
    ports = layout.free_ports(tmp_path)
    started = [host for host in HOSTS.values() if "raft" in host.services]
    advertised = [f"127.0.0.1:{ports[f'>{host.name}:raft']}" for host in started]
    assert advertised == sorted(advertised)


def test_a_client_at_a_site_reaches_its_own_site_and_the_databases_of_the_others(tmp_path: Path):
    ports = layout.free_ports(tmp_path)
    assert "east>east-entry1:http" in ports
    assert "east>south-entry1:http" not in ports
    assert "client>south-entry1:http" in ports
    assert [name for name in ports if name.startswith("east>") and ">east-" not in name] == ["east>south-db1:pg"]


def pairs(site: str, far: str) -> set[tuple[str, str]]:
    """What every host of a site sends to a host elsewhere."""
    return {(host.name, far) for host in HOSTS.values() if host.site == site}


def test_a_client_at_a_site_has_lost_a_host_elsewhere_once_its_whole_site_has():
    whole = pairs("south", "east-db1")
    assert layout.follow(whole) == {("south", "east-db1")}
    assert layout.follow({(b, a) for a, b in whole}) == {("east-db1", "south")}
    assert layout.follow(whole - {("south-db1", "east-db1")}) == set()


def test_a_cut_between_two_single_hosts_takes_nothing_from_the_clients():
    assert layout.follow({("east-db1", "south-db1"), ("south-db1", "east-db1")}) == set()


def test_what_is_saved_is_for_the_owner_only_and_comes_back_the_same(tmp_path: Path):
    made = Layout(tmp_path, layout.free_ports(tmp_path), layout.new_passwords(), 6, ("short-leases",), ("a note",))
    previous = os.umask(0)
    try:
        made.save()
    finally:
        os.umask(previous)
    assert Layout.load(tmp_path) == made
    for name in ("lab.json", "layout.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    named = json.loads((tmp_path / "lab.json").read_text())
    assert named["east_db1_pg"] == made.private("east-db1", "pg")
    assert named["drdrill_password"] == made.passwords["drdrill"]
    assert all(isinstance(value, int | str) for value in named.values())


def test_every_lab_has_passwords_of_its_own():
    assert not set(layout.new_passwords().values()) & set(layout.new_passwords().values())
