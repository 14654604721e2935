# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What HAProxy says of its servers, in our words, by a socket that says what a real one said; and who can be asked by ARP."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.connect import arp, haproxy_agent
from drdrill.connect.haproxy import HaproxyEntry, _state
from drdrill.estate.model import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

STAT = (
    "# pxname,svname,qcur,qmax,scur,smax,status,bck,\n"
    "apps,own,0,0,3,5,DRAIN,0,\napps,other,0,0,0,0,UP 1/2,1,\napps,third,0,0,,0,MAINT,0,\napps,BACKEND,0,0,3,5,UP,0,\n"
)
COLUMNS = "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_fqdn srv_port"
STATE = (
    f"1\n# {COLUMNS}\n4 apps 1 own 10.1.0.21 2 8 1 - 8080\n4 apps 2 other 10.2.0.21 2 0 1 - 8080\n"
    "4 apps 3 third 10.3.0.21 0 1 1 - 8080\n"
)


@pytest.fixture
def said(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "admin.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    asked = one.recv(999).decode().strip()
                    answers = {"show stat": STAT, "show servers state": STATE}
                    one.sendall(answers.get(asked, "Permission denied\n").encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield path
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_servers_are_read_from_both_of_its_lists(said: str):
    own, other, third = haproxy_agent.servers(said)
    assert (own["backend"], own["server"], own["address"], own["sessions"]) == ("apps", "own", "10.1.0.21", 3)
    assert [_state(s) for s in (own, other, third)] == ["drained", "up", "stopped"]
    assert [s["backup"] for s in (own, other, third)] == [False, True, False]
    assert _state({"status": "DOWN", "admin": 0}) == "down"
    assert _state({"status": "DOWN", "admin": 8}) == "drained"
    assert _state({"status": "UP", "admin": 8}) == "up", "show stat has the last word"


def test_a_socket_that_may_not_drain_and_none_at_all_are_told(said: str, tmp_path: Path, monkeypatch):
    with pytest.raises(haproxy_agent.Wrong, match="does not set apps/own to drain: Permission denied"):
        haproxy_agent.set_state(said, ["apps", "own"], "drain")
    with pytest.raises(haproxy_agent.Wrong, match="HAProxy does not answer on .*/nowhere: No such file"):
        haproxy_agent.servers(str(tmp_path / "nowhere"))
    monkeypatch.setattr(haproxy_agent, "SOCKETS", (str(tmp_path / "no.sock"),))
    with pytest.raises(haproxy_agent.Wrong, match="there is no runtime socket of HAProxy at"):
        haproxy_agent.servers("")


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    found = fake_estate(tmp_path)
    addresses = {"east-app1": "10.1.0.21", "east-entry1": "10.1.0.31", "east-db1": "10.1.0.11", "client": "10.4.0.1"}
    hosts = {n: replace(h, addresses=(addresses[n],) if n in addresses else ()) for n, h in found.hosts.items()}
    hosts["east-probe"] = replace(hosts["east-app1"], name="east-probe", role="probe", addresses=("10.1.0.41",))
    return replace(found, hosts=hosts, sites={**found.sites, "east": Site("east", "East", networks=("10.1.0.0/24",))})


def test_a_server_is_known_by_its_address_or_its_name(estate: Estate):
    way = HaproxyEntry(estate)
    assert way._host_of({"address": "10.1.0.21", "server": "own"}) == "east-app1"
    assert way._host_of({"address": "192.0.2.1", "server": "south-app1"}) == "south-app1"
    assert way._host_of({"address": "192.0.2.1", "server": "web7"}) is None


def test_who_is_beside_an_address_is_asked_probes_first_and_never_the_asked_themselves(estate: Estate):
    assert arp.neighbours(estate, "10.1.0.100", ["east-entry1"]) == ["east-probe", "east-db1", "east-app1"]
    assert arp.neighbours(estate, "10.9.0.100", ["east-entry1"]) == []
    assert arp.neighbours(estate, "not-an-address", ["east-entry1"]) == []
