# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Shells by SSH on hosts with a real sshd, sudo and systemd."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from drdrill.connect.ssh import SshShell
from drdrill.errors import Unreachable, WayInFailed
from drdrill.estate.model import Ssh

if TYPE_CHECKING:
    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate

pytestmark = pytest.mark.network
HOST = "witness-arb1"


def test_every_host_runs_a_command(ways: Ways, network_estate: Estate):
    hosts = [name for name, host in network_estate.hosts.items() if host.ways_in("shell")]
    shell = ways.shell(hosts)
    look = shell.ready(hosts)
    assert look.answer is True, look.words
    assert [shell.run(host, "hostname").out.strip() for host in hosts] == hosts


def test_testinfra_sees_the_services_of_a_host(ways: Ways):
    shell = ways.shell([HOST])
    assert isinstance(shell, SshShell)
    infra = shell.host(HOST)
    assert infra.service("ssh").is_running
    assert not infra.service("haproxy").is_running
    assert infra.file("/etc/hostname").content_string.strip() == HOST


def test_a_host_without_power_is_given_up_and_answers_again_afterwards(ways: Ways):
    shell, power, hold = ways.shell([HOST]), ways.power([HOST]), f"ssh-{time.monotonic_ns()}"
    assert shell.run(HOST, "true").status == 0
    power.off(hold, "t", [HOST], 20.0, 60.0)
    try:
        with pytest.raises((WayInFailed, Unreachable), match=HOST):
            shell.run(HOST, "true", within_s=10)
        with pytest.raises(Unreachable, match=HOST):
            shell.run(HOST, "true", within_s=10)
    finally:
        power.on(hold, [HOST])
    end = time.monotonic() + 30
    while shell.ready([HOST]).answer is not True:
        assert time.monotonic() < end, "it does not answer"


def as_engineer(estate: Estate, *, sudo: bool) -> Estate:
    url = str(estate.hosts[HOST].url_of("shell", "ssh")).replace("root@", "engineer@")
    host = replace(estate.hosts[HOST], ways={**estate.hosts[HOST].ways, "shell": (url,)})
    return replace(estate, hosts={**estate.hosts, HOST: host}, ssh=Ssh(estate.ssh.config, sudo))


def test_root_by_sudo_and_a_sudo_that_asks_for_a_password(ways: Ways, network_estate: Estate):
    shell = SshShell(as_engineer(network_estate, sudo=True))
    try:
        assert shell.run(HOST, "id -un").out == "engineer\n"
        assert shell.run(HOST, "id -un", root=True).out == "root\n"
        assert shell.ready([HOST]).answer is True
        root = ways.shell([HOST])
        root.run(HOST, "mv /etc/sudoers.d/engineer /etc/engineer.away")
        try:
            with pytest.raises(Unreachable, match="sudo asks engineer for a password"):
                shell.run(HOST, "id -un", root=True)
            assert "NOPASSWD" in shell.ready([HOST]).words
        finally:
            root.run(HOST, "mv /etc/engineer.away /etc/sudoers.d/engineer")
    finally:
        shell.close()
