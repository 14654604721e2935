# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Who exists and who is wired to what: nothing here touches the machine."""

from __future__ import annotations

import ipaddress
import itertools

import pytest

from drdrill.estate.load import load
from drdrill.lab.network import topology
from drdrill.lab.network.topology import HOSTS, NUMBER, SERVING, SITES


def test_every_site_has_what_the_hospital_has_there():
    roles = {site: sorted(h.role for h in HOSTS.values() if h.site == site) for site in SITES}
    serving = ["application", "database", "entry", "entry", "probe", "router"]
    assert roles == {"east": serving, "south": serving, "witness": ["arbitrator", "probe", "router"]}
    assert sorted(h.role for h in HOSTS.values() if h.site is None) == ["client", "router"]


def test_no_address_and_no_card_is_there_twice():
    nics = [nic for host in HOSTS for nic in topology.nics(host)]
    for what in ("outer", "mac", "address"):
        values = [getattr(nic, what) for nic in nics]
        assert len(set(values)) == len(values), what
    # IFNAMSIZ of <linux/if.h> is 16, with the final zero.
    assert (
        max(len(name) for name in (*topology.bridges(), *(nic.outer for nic in nics), *(nic.name for nic in nics))) < 16
    )


def test_every_card_is_plugged_into_a_network_that_is_there():
    assert {nic.bridge for host in HOSTS for nic in topology.nics(host)} == set(topology.bridges())


@pytest.mark.parametrize(("here", "there"), list(itertools.permutations(NUMBER, 2)))
def test_every_network_is_reached_from_every_other_over_one_link(here: str, there: str):
    (router,) = (h.name for h in HOSTS.values() if h.role == "router" and h.network == here)
    hop = dict(topology.routes(router))[topology.network(there)]
    own = [ipaddress.ip_interface(nic.address) for nic in topology.nics(router) if nic.name == f"wan-{there}"]
    assert ipaddress.ip_address(hop) in own[0].network
    assert hop == topology.wan_address(there, here)


def test_the_estate_file_says_of_the_hosts_what_is_so():
    estate = load("network", lab=False)
    assert {name: (h.site, h.role) for name, h in estate.hosts.items()} == {
        name: (h.site, h.role) for name, h in HOSTS.items() if name != "client-router"
    }
    for name, host in estate.hosts.items():
        assert host.addresses == (HOSTS[name].data,)
        assert host.url_of("shell", "ssh") == f"ssh://root@{HOSTS[name].management}"
    assert {v.name: v.host for v in estate.vantage.values()} == topology.VANTAGES
    for site in SERVING:
        assert estate.services["registration"].endpoints[site] == f"http://{topology.ENTRY_ADDRESS[site]}"


def test_a_service_that_a_host_does_not_have_has_no_port():
    assert HOSTS["east-app1"].port("http") == 8080
    with pytest.raises(KeyError):
        HOSTS["east-app1"].port("mariadb")
