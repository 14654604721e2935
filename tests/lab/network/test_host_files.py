# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What makes the root into a host: complete, private where it has to be, and wrong only where a flaw says so."""

from __future__ import annotations

import ast
import json
import re
import stat
from pathlib import Path

import pytest

import drdrill
from drdrill.lab.network import host_files, keys
from drdrill.lab.network.flaws import FLAWS
from drdrill.lab.network.host_files import File, Symlink
from drdrill.lab.network.layout import Layout, new_passwords
from drdrill.lab.network.topology import HOSTS

CONFIG = "/etc/mysql/mariadb.conf.d/99-lab.cnf"
SQL = "/etc/mysql/first-boot.sql"
BY_LAB = {"freeze-is-ignored", "frozen-hosts-answer", "power-is-ignored", "short-leases"}
"""Flaws of the supervisor."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(tmp_path, new_passwords())
    keys.make(found)
    return found


def flawed(layout: Layout, *flaws: str) -> Layout:
    return Layout(layout.folder, layout.passwords, flaws)


def everything(layout: Layout) -> dict[str, dict[str, File | Symlink]]:
    return {name: host_files.files(layout, host) for name, host in HOSTS.items()}


def text(files: dict[str, File | Symlink], name: str) -> str:
    file = files[name]
    assert isinstance(file, File)
    return file.text.decode() if isinstance(file.text, bytes) else file.text


def test_every_host_has_a_name_keys_of_its_own_and_starts_what_it_is_there_for(layout: Layout):
    started = {
        "router": set(),
        "probe": set(),
        "client": set(),
        "database": {"mariadb.service", "member-status.socket"},
        "arbitrator": {"garb.service"},
        "application": {"registration.service"},
        "entry": {"haproxy.service", "keepalived.service"},
    }
    found = everything(layout)
    for name, files in found.items():
        assert text(files, "/etc/hostname") == f"{name}\n"
        wanted = {Path(path).name for path in files if "/multi-user.target.wants/" in path}
        assert wanted == {"ssh.service"} | started[HOSTS[name].role]
        assert text(files, "/etc/ssh/authorized_keys/root").startswith("ssh-ed25519 ")
    for unique in ("/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key"):
        assert len({text(files, unique) for files in found.values()}) == len(HOSTS)
    assert re.fullmatch(r"[0-9a-f]{32}\n", text(found["client"], "/etc/machine-id"))


def test_a_unit_that_starts_is_one_that_there_is(layout: Layout):
    for files in everything(layout).values():
        for link in files.values():
            if isinstance(link, Symlink) and link.to.startswith("/etc/"):
                assert link.to in files


def test_what_holds_a_secret_is_for_one_account_only(layout: Layout):
    secrets = [*layout.passwords.values(), "PRIVATE KEY"]
    seen = 0
    for files in everything(layout).values():
        for name, file in files.items():
            if isinstance(file, File) and any(secret in text(files, name) for secret in secrets):
                seen += 1
                assert file.mode & 0o077 == 0, name
    assert seen >= len(HOSTS) + 2 + 2 + 1


def test_no_value_is_left_open_and_none_is_missing(layout: Layout):
    for files in everything(layout).values():
        for name, file in files.items():
            if isinstance(file, File) and "/bin/" not in name and not name.endswith(".py"):
                assert "$" not in text(files, name), name


def test_only_the_founder_founds_and_makes_accounts(layout: Layout):
    found = everything(layout)
    assert [name for name, files in found.items() if "/etc/mysql/first-boot.env" in files] == ["east-db1"]
    assert [name for name, files in found.items() if SQL in files] == ["east-db1"]
    for account, password in layout.passwords.items():
        assert f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{password}';" in text(found["east-db1"], SQL)


def test_each_application_wants_its_own_sites_database_first_and_knows_the_other(layout: Layout):
    found = everything(layout)
    for site, other in (("east", "south"), ("south", "east")):
        config = json.loads(text(found[f"{site}-app1"], "/etc/registration.json"))
        assert list(config["databases"]) == [f"{site}-db1", f"{other}-db1"]
        assert config["site"] == site


def test_each_entry_serves_its_own_sites_application_and_has_the_other_as_backup(layout: Layout):
    found = everything(layout)
    for site, other, number in (("east", "south", 1), ("south", "east", 2)):
        for host in (f"{site}-lb1", f"{site}-lb2"):
            config = text(found[host], "/etc/haproxy/haproxy.cfg")
            servers = re.findall(r"^  server (\S+) \S+:8080 check ?(\S*)$", config, re.MULTILINE)
            assert servers == [(f"{site}-app1", ""), (f"{other}-app1", "backup")]
            assert f"10.7{number}.0.100/24" in text(found[host], "/etc/keepalived/keepalived.conf")
    one, two = (text(found[f"east-lb{n}"], "/etc/keepalived/keepalived.conf") for n in (1, 2))
    assert re.findall(r"priority (\d+)", one + two) == ["150", "100"]


def test_the_timers_leave_room_to_replace_a_relay_that_died(layout: Layout):
    """suspect_timeout > peer_timeout + 0.5 s + keepalive_period; else a cluster of more hosts a site falls apart."""
    config = text(everything(layout)["south-db1"], CONFIG)
    timer = {name: float(value) for name, value in re.findall(r"(\w+)=PT([0-9.]+)S", config)}
    assert timer["suspect_timeout"] > timer["peer_timeout"] + 0.5 + timer["keepalive_period"]
    assert timer["keepalive_period"] <= timer["suspect_timeout"] / 3


def test_the_arbitrator_gets_no_option_that_it_does_not_know(layout: Layout):
    """Garbd exits on gcache options and on options that are not its own."""
    options = text(everything(layout)["witness-arb1"], "/etc/default/garb")
    for flaws in ((), ("ignore-quorum",)):
        options = text(host_files.files(flawed(layout, *flaws), HOSTS["witness-arb1"]), "/etc/default/garb")
        assert "gcache" not in options
        assert set(re.findall(r"(\w+)\.\w+=", options)) <= {"gmcast", "evs", "pc"}


def differences(layout: Layout, flaw: str) -> set[tuple[str, str]]:
    plain, wrong = everything(layout), everything(flawed(layout, flaw))
    return {
        (host, name)
        for host in HOSTS
        for name in plain[host].keys() | wrong[host].keys()
        if plain[host].get(name) != wrong[host].get(name)
    }


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_a_flaw_is_wrong_where_it_says_and_nowhere_else(layout: Layout, flaw: str):
    haproxy, keepalived = "/etc/haproxy/haproxy.cfg", "/etc/keepalived/keepalived.conf"
    expected = {
        "drops-rows": {("south-db1", SQL), ("south-db1", CONFIG)},
        "ignore-quorum": {("east-db1", CONFIG), ("south-db1", CONFIG)},
        "flush-later": {("east-db1", CONFIG), ("south-db1", CONFIG)},
        "entry-keeps-dead-server": {(f"{site}-lb{n}", haproxy) for site in ("east", "south") for n in (1, 2)},
        "two-holders": {("east-lb2", keepalived)},
    } | {name: set() for name in BY_LAB}
    assert differences(layout, flaw) == expected[flaw]


def test_the_application_of_a_host_needs_no_module_that_it_does_not_get(layout: Layout):
    """At its start: what a host imports late is chosen by its configuration."""
    files = host_files.files(layout, HOSTS["east-app1"])
    base = "/opt/registration/"
    given = {name.removeprefix(base) for name in files if name.startswith(base)}
    needed = {"drdrill/lab/registration.py", "drdrill/lab/mariadb_sessions.py"}
    for name in sorted(given):
        for node in ast.parse(text(files, base + name)).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("drdrill"):
                needed.add(f"{(node.module or '').replace('.', '/')}.py")
    assert needed <= given
    source = Path(drdrill.__file__).parent / "lab" / "registration.py"
    assert text(files, f"{base}drdrill/lab/registration.py") == source.read_text()


@pytest.mark.root
def test_files_are_written_with_mode_owner_and_over_what_was_there(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nmysql:x:100:101::/:/bin/false\n")
    (tmp_path / "etc/old").symlink_to("/dev/null")
    host_files.write(
        tmp_path,
        {
            "/etc/old": File("new"),
            "/etc/deep/er/secret": File(b"\0", 0o600, "mysql"),
            "/etc/link": Symlink("/lib/somewhere"),
        },
    )
    assert (tmp_path / "etc/old").read_text() == "new"
    assert not (tmp_path / "etc/old").is_symlink()
    secret = (tmp_path / "etc/deep/er/secret").stat()
    assert (stat.S_IMODE(secret.st_mode), secret.st_uid, secret.st_gid) == (0o600, 100, 101)
    assert (tmp_path / "etc/link").readlink() == Path("/lib/somewhere")
    with pytest.raises(KeyError, match="nobody-here"):
        host_files.write(tmp_path, {"/etc/x": File("", owner="nobody-here")})
