# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The network lab that is up: its hosts, their power, their freeze, and who holds what."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.connect.capabilities import Freeze, Inventory, Power, Vantages
from drdrill.connect.lab import LabInventory, LabPower, LabVantages
from drdrill.connect.lab_freeze import LabFreeze
from drdrill.connect.lab_supervisor import Denied, Supervisor
from drdrill.errors import WayInFailed
from drdrill.lab.network import topology
from drdrill.lab.network.topology import ENTRY_ADDRESS, HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.estate.model import Estate

pytestmark = pytest.mark.network

PROBE = "east-app1"
"""Nothing of the database moves for this host."""


def fresh(name: str) -> str:
    return f"{name}-{time.monotonic_ns()}"


def until(there: Callable[[], Any], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not there():
        assert time.monotonic() < deadline, f"not so within {within_s} s"
        time.sleep(0.05)


def well(estate: Estate) -> bool:
    return all(look.answer for look in LabInventory(estate).states().values())


@pytest.fixture
def supervisor(network_estate: Estate) -> Iterator[Supervisor]:
    """Of a lab that is whole, and is whole again afterwards."""
    yield Supervisor.of(network_estate)
    until(lambda: well(network_estate))


@contextlib.contextmanager
def struck(way: Any, host: str, lease_s: float = 20.0) -> Iterator[str]:
    hold = fresh("test")
    strike, heal = (way.off, way.on) if way.kind == "power" else (way.freeze, way.thaw)
    strike(hold, "test", [host], lease_s, 60.0)
    try:
        yield hold
    finally:
        heal(hold, [host])


def on(supervisor: Supervisor, host: str, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the networks of a host, on this machine's own file system."""
    netns = supervisor.ask("place", host=host)["netns"]
    argv = ["nsenter", f"--net={netns}", "--", sys.executable, "-c", code, *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


def test_it_keeps_the_contracts(network_estate: Estate):
    assert isinstance(LabPower(network_estate), Power)
    assert isinstance(LabFreeze(network_estate), Freeze)
    assert isinstance(LabVantages(network_estate), Vantages)
    assert isinstance(LabInventory(network_estate), Inventory)


def test_every_host_has_its_own_systemd_and_nothing_failed_on_it(supervisor: Supervisor):
    hosts = supervisor.ask("hosts")["hosts"]
    assert set(hosts) == set(HOSTS)
    assert [name for name, host in hosts.items() if host["missing"]] == []
    assert min(host["processes"] for host in hosts.values()) >= 3


def test_no_address_of_the_lab_is_routed_out_of_the_machine(supervisor: Supervisor):
    ended = on(supervisor, "client", "print(open('/proc/net/route').read().strip())")
    rows = [line.split() for line in ended.stdout.splitlines()[1:]]
    assert {row[0] for row in rows if row[1] == "00000000"} == {"data0"}, "the client's way out is its own router"
    with socket.socket() as outside:
        outside.settimeout(1)
        # The runner stands in the outer namespace: there is a management network, and no way to the data.
        with pytest.raises(OSError, match="unreachable"):
            outside.connect((HOSTS["east-app1"].data, 8080))


def test_management_is_no_way_from_host_to_host(supervisor: Supervisor):
    ended = on(
        supervisor,
        "east-app1",
        "import socket, sys; s = socket.create_connection((sys.argv[1], 22), 1); print(s.recv(3))",
        HOSTS["south-app1"].management,
    )
    assert ended.returncode != 0, f"a host reaches another over the management network: {ended.stdout}"


def test_power_that_is_cut_says_no_goodbye_and_comes_back_with_the_same_disk(
    network_estate: Estate, supervisor: Supervisor
):
    exec_on(supervisor, PROBE, "echo here > /root/mark; sync")
    power = LabPower(network_estate)
    # A connection that is open across the cut: it must hear neither FIN nor RST.
    listening = (
        "import socket, sys, time\n"
        "s = socket.create_connection((sys.argv[1], 8080), 2)\n"
        "print('open', flush=True)\n"
        "s.settimeout(3)\n"
        "try: print('heard', s.recv(1))\n"
        "except TimeoutError: print('heard nothing')\n"
    )
    netns = supervisor.ask("place", host="client")["netns"]
    argv = ["nsenter", f"--net={netns}", "--", sys.executable, "-u", "-c", listening, HOSTS[PROBE].data]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "open\n"
        with struck(power, PROBE):
            assert power.is_off([PROBE]).answer is True
            assert client.stdout.readline() == "heard nothing\n"
            with pytest.raises(Denied, match="is off"):
                supervisor.ask("place", host=PROBE)
    until(lambda: well(network_estate))
    assert exec_on(supervisor, PROBE, "cat /root/mark").stdout == "here\n"


def exec_on(supervisor: Supervisor, host: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a host itself."""
    pid, outside = supervisor.ask("place", host=host)["pid"], supervisor.hello()["pid"]
    argv = ["nsenter", "-t", str(outside), "-m", "-p", "--", "nsenter", "-t", str(pid), "-a", "--", "sh", "-c", command]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended


def test_a_host_that_hangs_answers_nothing_and_goes_on_where_it_stood(network_estate: Estate, supervisor: Supervisor):
    freeze = LabFreeze(network_estate)
    ask = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"
    ports = [(HOSTS[PROBE].data, str(HOSTS[PROBE].port(service))) for service in ("http", "ssh")]
    before = exec_on(supervisor, PROBE, "systemctl show --property=MainPID registration").stdout
    assert all(on(supervisor, "client", ask, *port).returncode == 0 for port in ports)
    with struck(freeze, PROBE):
        assert freeze.is_frozen([PROBE]).answer is True
        assert all(on(supervisor, "client", ask, *port).returncode != 0 for port in ports)
        assert LabInventory(network_estate).states()[PROBE].words == "it is frozen"
    assert freeze.is_frozen([PROBE]).answer is False
    assert exec_on(supervisor, PROBE, "systemctl show --property=MainPID registration").stdout == before


@pytest.mark.usefixtures("supervisor")
def test_a_lease_that_is_not_renewed_ends_by_itself(network_estate: Estate):
    freeze = LabFreeze(network_estate)
    hold = fresh("lapsing")
    freeze.freeze(hold, "test", [PROBE], 1.0, 60.0)
    until(lambda: freeze.is_frozen([PROBE]).answer is False, 5.0)
    assert freeze.renew(hold, 5.0).state == "lapsed"
    assert hold not in freeze.holds()
    with pytest.raises(WayInFailed, match="lapsed already"):
        freeze.freeze(hold, "test", [PROBE], 1.0, 60.0)


@pytest.mark.usefixtures("supervisor")
def test_a_power_cut_ends_a_freeze(network_estate: Estate):
    freeze, power = LabFreeze(network_estate), LabPower(network_estate)
    with struck(freeze, PROBE):
        with struck(power, PROBE):
            assert power.is_off([PROBE]).answer is True
        until(lambda: power.is_off([PROBE]).answer is False)
        assert freeze.is_frozen([PROBE]).answer is False, "the next PID 1 was born frozen"
    until(lambda: well(network_estate))


def test_a_way_around_the_cables_is_told(network_estate: Estate, supervisor: Supervisor):
    """The test's own thread stands in the lab's outer network, where such a way would be."""
    inventory, cable = LabInventory(network_estate), topology.nics(PROBE)[0].outer
    assert inventory.audit().answer is True
    ip("link", "add", "around", "type", "bridge")
    try:
        assert "around to nothing" in inventory.audit().words
    finally:
        ip("link", "del", "around")
    ip("link", "set", cable, "type", "bridge_slave", "isolated", "off")
    try:
        assert f"{PROBE} to mgmt (port {cable})" in inventory.audit().words
    finally:
        ip("link", "set", cable, "type", "bridge_slave", "isolated", "on")
    assert supervisor.ask("audit")["unexplained"] == []


def ip(*words: str) -> None:
    argv = ["ip", *words]
    subprocess.run(argv, check=True, timeout=10)


def test_an_address_that_leads_nowhere_is_refused(supervisor: Supervisor):
    asked = {"url": "http://10.71.0.100/x", "from": "client"}
    assert supervisor.ask("address", **asked) == {"ok": True, "host": "10.71.0.100", "port": 80, "url": asked["url"]}
    for url in ("http://10.71.0.100:x/", "east-lb1", "gopher://east"):
        with pytest.raises(Denied, match="no URL|where it leads"):
            supervisor.ask("address", **{**asked, "url": url})


def test_links_are_refused_and_it_says_whose_they_are(supervisor: Supervisor):
    with pytest.raises(Denied, match=r"links: \[nftables\]"):
        supervisor.ask(
            "strike", hold=fresh("h"), drill="test", lease_s=1, hard_end_s=2,
            links={"pairs": [["east-db1", "south-db1"]], "state": "frozen"},
        )  # fmt: skip


def test_a_command_is_run_at_the_place_of_a_vantage_point(network_estate: Estate):
    vantages = LabVantages(network_estate)
    code = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('10.71.0.100', 1)); "
        "print(s.getsockname()[0])"
    )
    found = {
        place: subprocess.run(
            vantages.command(place, [sys.executable, "-c", code]), capture_output=True, text=True, check=False
        ).stdout.strip()
        for place in network_estate.vantage
    }
    assert found == {name: HOSTS[str(place.host)].data for name, place in network_estate.vantage.items()}


def test_each_site_answers_for_itself(supervisor: Supervisor):
    code = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=3).headers['X-Site'])"
    found = {
        site: on(supervisor, "client", code, f"http://{address}/healthz").stdout.strip()
        for site, address in ENTRY_ADDRESS.items()
    }
    assert found == {site: site for site in ENTRY_ADDRESS}
