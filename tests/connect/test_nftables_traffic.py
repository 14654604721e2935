# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hold's own traffic between hosts, with real agents on addresses of the loopback interface."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.connect.fake_entry import FakeShell
from drdrill.connect.nftables_traffic import NftTraffic
from drdrill.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

ADDRESS = {"client": "127.0.5.1", "east-app1": "127.0.5.2", "east-db1": "127.0.5.3"}
PAIRS = [("client", "east-app1"), ("east-app1", "client"), ("client", "east-db1")]


class Here(FakeShell):
    """Hosts whose commands run here."""

    def __init__(self, estate: Estate) -> None:
        super().__init__(estate)
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def talk(self, host: str, command: str, *, root: bool = False) -> subprocess.Popen[bytes]:
        del root
        if host == "witness-arb1":
            raise Unreachable(f"{host}: it is off")
        self.running[host] = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self.running[host]


@pytest.fixture
def shell(tmp_path: Path) -> Here:
    estate = fake_estate(tmp_path)
    hosts = {n: replace(h, addresses=(ADDRESS.get(n, "127.0.5.9"),)) for n, h in estate.hosts.items()}
    return Here(replace(estate, hosts=hosts))


@pytest.fixture
def traffic(shell: Here) -> Iterator[NftTraffic]:
    made = NftTraffic(lambda _: shell, shell.estate, PAIRS)
    yield made
    made.close()


def test_traffic_flows_on_old_connections_and_on_new_ones(traffic: NftTraffic):
    look = traffic.look()
    assert look.answer is True, look.words
    counts = look.counts
    assert (counts["pairs"], counts["old_offered"], counts["old_answered"], counts["new_answered"]) == (3, 4, 4, 4)
    assert traffic.look().answer is True


def test_an_agent_that_is_gone_makes_silence_prove_nothing(shell: Here, traffic: NftTraffic):
    shell.running["east-db1"].kill()
    look = traffic.look()
    assert look.answer is None
    assert "our agent on east-db1" in look.words


def test_hosts_that_stand_still_are_silence_on_what_leads_to_them(shell: Here, traffic: NftTraffic):
    """Not a cut, but what one looks like: nothing is refused, and nothing is answered."""
    shell.running["east-db1"].send_signal(signal.SIGSTOP)
    began = time.monotonic()
    look = traffic.look()
    shell.running["east-db1"].send_signal(signal.SIGCONT)
    assert look.answer is None
    assert time.monotonic() - began < 20


def test_a_host_that_cannot_be_reached_is_told_and_its_traffic_never_flowed(shell: Here):
    traffic = NftTraffic(lambda _: shell, shell.estate, [("client", "witness-arb1")])
    look = traffic.look()
    traffic.close()
    assert look.answer is None
    assert "witness-arb1: it is off" in look.words


def test_agents_end_with_the_traffic(shell: Here):
    traffic = NftTraffic(lambda _: shell, shell.estate, PAIRS)
    assert all(agent.poll() is None for agent in shell.running.values())
    traffic.close()
    assert all(agent.poll() is not None for agent in shell.running.values())


@pytest.mark.usefixtures("traffic")
def test_an_agent_ends_with_its_input(shell: Here):
    agent = shell.running["client"]
    assert agent.stdin is not None
    agent.stdin.close()
    assert agent.wait(10) == 0


def test_an_address_that_the_host_does_not_have_is_not_offered(shell: Here):
    wrong = replace(shell.estate.hosts["client"], addresses=("192.0.2.7",))
    estate = replace(shell.estate, hosts={**shell.estate.hosts, "client": wrong})
    traffic = NftTraffic(lambda _: shell, estate, PAIRS)
    look = traffic.look()
    traffic.close()
    assert look.answer is None
    assert "our agent on client has ended" in look.words
