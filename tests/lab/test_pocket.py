# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The pocket lab itself, up on this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner

from drdrill.cli.lab import lab as lab_command
from drdrill.cli.lab import table
from drdrill.connect.registry import Ways
from drdrill.errors import LabError, Unreachable, WayInFailed
from drdrill.estate import state
from drdrill.lab import pocket
from drdrill.lab.ask_supervisor import ask
from drdrill.lab.pocket.layout import Layout
from drdrill.lab.pocket.owner import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

pytestmark = pytest.mark.lab


def until(holds: Callable[[], bool], within_s: float) -> float:
    """Wait for what another process does; the seconds that it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, f"not within {within_s} s"
        time.sleep(0.02)
    return time.monotonic() - began


def http(
    port: int, path: str, body: dict[str, Any] | None = None, deadline_s: float = 5
) -> tuple[int, dict[str, Any], str]:
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=deadline_s) as answer:
            return answer.status, json.load(answer), answer.headers["X-Site"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers["X-Site"]


def test_both_sites_acknowledge_and_east_is_the_writer(lab: Path):
    layout = Layout.load(lab)
    for site in ("east", "south"):
        port = layout.link("client", f"{site}-entry1", "http")
        assert http(port, "/registrations", {"key": f"first-{site}"}) == (201, {"key": f"first-{site}"}, site)
        assert http(port, "/registrations", {"key": f"first-{site}"})[0] == 409
        assert http(port, "/healthz")[:2] == (200, {"ready": True, "site": site})
    with psycopg.connect(dsn(layout, "east-db1")) as east, psycopg.connect(dsn(layout, "south-db1")) as south:
        assert east.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
        assert south.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        assert east.execute("SELECT application_name, sync_state FROM pg_stat_replication").fetchall() == [
            ("south-db1", "sync")
        ]
        rows = "SELECT key FROM registrations WHERE key LIKE 'first-%' ORDER BY key"
        assert east.execute(rows).fetchall() == south.execute(rows).fetchall() == [("first-east",), ("first-south",)]


def dsn(layout: Layout, host: str, password: str | None = None) -> str:
    password = password or layout.passwords["drdrill"]
    return f"host=127.0.0.1 port={layout.private(host, 'pg')} user=drdrill password={password} dbname=clinical"


def test_a_second_up_says_that_it_is_up(lab: Path):
    again = pocket.up(folder=lab)
    assert again.already
    assert again.seconds < 3


def test_an_up_with_another_flaw_is_told_to_take_it_down_first(lab: Path):
    with pytest.raises(LabError, match="up with no flaw, and the flaw short-leases was asked for"):
        pocket.up(flaws=["short-leases"], folder=lab)


def test_only_the_owner_can_read_its_files_and_reach_its_socket(lab: Path):
    assert stat.S_IMODE(lab.stat().st_mode) == 0o700
    assert stat.S_IMODE((lab / "supervisor.sock").stat().st_mode) == 0o600
    for path in (
        lab / "lab.json",
        lab / "layout.json",
        lab / "east-db1" / "patroni.json",
        lab / "east-db1" / "seed.sql",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((lab / "east-db1").stat().st_mode) == 0o700


def test_a_wrong_password_is_refused(lab: Path):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn(Layout.load(lab), "east-db1", "wrong"))


def test_nobody_without_the_account_changes_what_patroni_does(lab: Path):
    port = Layout.load(lab).private("east-db1", "rest")
    change = urllib.request.Request(f"http://127.0.0.1:{port}/config", b"{}", method="PATCH")
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(change, timeout=5)  # noqa: S310 - our own port
    refused.value.close()


def test_everything_listens_on_the_loopback_interface_only(lab: Path):
    ports = set(Layout.load(lab).ports.values())
    for table_file in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table_file) as lines:  # noqa: PTH123
            for line in lines.readlines()[1:]:
                address, port = line.split()[1].split(":")
                if line.split()[3] == "0A" and int(port, 16) in ports:
                    assert address == "0100007F"


def test_an_unknown_caller_of_an_advertised_port_is_refused(lab: Path):
    port = Layout.load(lab).advertised("east-db1", "pg")
    with socket.create_connection(("127.0.0.1", port), 5) as sock, pytest.raises(ConnectionResetError):
        sock.recv(1)
    assert asked(lab, "audit")["unknown_callers"] >= 1


def asked(lab: Path, do: str, **what: Any) -> dict[str, Any]:
    answer = ask(lab, {"do": do, **what}, 30)
    assert answer is not None
    assert answer["ok"], answer
    return answer


def test_a_wrong_request_is_answered_with_what_would_be_right(lab: Path):
    for request, words in (
        ({"do": "dance"}, "there are hello, strike"),
        ({"do": "strike", "hold": "h", "drill": "d", "lease_s": 1, "hard_end_s": 1}, 'either "links" or "power"'),
        ({"do": "address", "from": "nowhere", "url": "http://east-entry1"}, "nobody is at 'nowhere'"),
        ({"do": "address", "from": "east", "url": "http://south-entry1"}, "east does not reach"),
        ({"do": "links", "pairs": [["client", "mars"]]}, "no host 'mars'"),
    ):
        answer = ask(lab, request)
        assert answer is not None
        assert not answer["ok"]
        assert words in answer["error"]


def test_a_host_without_power_is_silent_and_refuses_nothing_and_comes_back_with_its_data(lab: Path):
    layout = Layout.load(lab)
    port = layout.link("client", "south-entry1", "http")
    assert http(port, "/registrations", {"key": "before"})[0] in (201, 409)
    hosts = ["south-entry1", "south-app1"]
    struck = asked(lab, "strike", hold="p1", drill="t", power={"hosts": hosts}, lease_s=20, hard_end_s=60)
    assert struck["first_ns"] < struck["last_ns"]
    shown = asked(lab, "hosts", health=False)["hosts"]
    assert [(shown[name]["on"], shown[name]["processes"]) for name in hosts] == [(False, 0), (False, 0)]
    with socket.create_connection(("127.0.0.1", port), 1) as sock:
        sock.settimeout(1)
        sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        with pytest.raises(TimeoutError):
            sock.recv(1)
    healed = asked(lab, "heal", hold="p1")
    assert healed["state"] == "healed"
    until(lambda: all(host["ready"] for host in asked(lab, "hosts")["hosts"].values()), 60)
    assert http(port, "/registrations", {"key": "before"})[0] == 409


def test_a_lapsed_power_hold_gives_the_power_back_by_itself(lab: Path):
    asked(lab, "strike", hold="p2", drill="t", power={"hosts": ["south-entry1"]}, lease_s=0.5, hard_end_s=60)
    assert not asked(lab, "hosts", health=False)["hosts"]["south-entry1"]["on"]
    until(lambda: asked(lab, "hosts")["hosts"]["south-entry1"]["ready"], 60)
    answer = asked(lab, "renew", hold="p2", lease_s=30)
    assert answer["state"] == "lapsed"
    (hold,) = [h for h in asked(lab, "holds", drill="t")["holds"] if h["hold"] == "p2"]
    assert answer["at_ns"] == hold["ended_ns"] == hold["struck_ns"] + 500_000_000


def test_a_write_that_is_not_acknowledged_in_time_is_a_503_and_never_cancelled(lab: Path):
    layout = Layout.load(lab)
    port = layout.link("east", "east-entry1", "http")
    assert http(port, "/registrations", {"key": "warm"})[0] in (201, 409)
    pairs = [["south-db1", "east-db1"]]
    asked(lab, "strike", hold="w1", drill="t", links={"pairs": pairs, "state": "frozen"}, lease_s=3, hard_end_s=60)
    began = time.monotonic()
    status, body, _ = http(port, "/registrations", {"key": "waits"})
    assert (status, body["error"]) == (503, "not acknowledged within 2 s")
    assert 1.9 < time.monotonic() - began < 4
    asked(lab, "heal", hold="w1")
    # The standby has it after all: unknown was the truth, and a cancel would have left it on one side only.
    until(lambda: row(layout, "south-db1", "waits"), 10)
    assert row(layout, "east-db1", "waits")
    until(lambda: http(port, "/healthz")[0] == 200, 60)


def row(layout: Layout, host: str, key: str) -> bool:
    with psycopg.connect(dsn(layout, host)) as connection:
        return connection.execute("SELECT 1 FROM registrations WHERE key = %s", (key,)).fetchone() is not None


def test_the_status_is_a_table_that_names_every_host(lab: Path):
    until(lambda: all(host["ready"] for host in asked(lab, "hosts")["hosts"].values()), 60)
    found = pocket.status(lab)
    assert found is not None
    lines = list(table(found))
    assert lines[0].startswith("pocket lab, user-space links, supervisor ")
    for host in ("east-db1", "south-entry1", "witness-arb1", "client"):
        assert any(line.startswith(host) and line.endswith("ready") for line in lines)
    assert "nothing is struck" in lines
    assert lines[-1].startswith("audit: ")
    assert "0 connections around the links" in lines[-1]


def test_the_reaper_is_replaced_when_somebody_kills_it(lab: Path):
    supervisor = asked(lab, "hello")["pid"]
    (first,) = reapers(supervisor)
    os.kill(first, signal.SIGKILL)
    until(lambda: reapers(supervisor) not in ([], [first]), 5)


def reapers(supervisor: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208
        try:
            with open(f"/proc/{name}/cmdline", "rb") as line, open(f"/proc/{name}/stat") as about:  # noqa: PTH123
                if b"drdrill.lab.pocket.reaper" in line.read() and int(about.read().split()[3]) == supervisor:
                    found.append(int(name))
        except (OSError, ValueError):
            continue
    return found


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Path]:
    """The place of a lab of one test, that may break it. Its path is longer than a Unix socket's may be, on purpose."""
    folder = (
        tmp_path / ("a-state-folder-with-a-name-that-does-not-fit-into-the-address-of-a-socket" * 2) / "pocket" / "lab"
    )
    yield folder
    pocket.down(folder)


def no_port_is_taken(ports: dict[str, int]) -> bool:
    for port in ports.values():
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True


def test_a_killed_supervisor_takes_the_lab_with_it_and_the_next_up_starts_anew(own_lab: Path):
    pocket.up(folder=own_lab)
    ports = Layout.load(own_lab).ports
    os.kill(asked(own_lab, "hello")["pid"], signal.SIGKILL)
    assert until(lambda: not list(processes(own_lab)), 5) < 2
    # One look may fall between a process that is killed and the child that it just forked, and the kernel lets go of a dying
    # process's folder before it closes its sockets: the last port may be open a moment more.
    until(lambda: no_port_is_taken(ports), 5)
    assert pocket.status(own_lab) is None
    assert not pocket.up(folder=own_lab).already


def test_leftovers_of_a_killed_lab_are_swept_before_up(own_lab: Path):
    home = own_lab / "east-db1"
    home.mkdir(parents=True)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], cwd=home, start_new_session=True)
    try:
        said: list[str] = []
        assert pocket.up(folder=own_lab, say=said.append).swept == 1
        assert said[0] == "swept 1 processes that a killed lab had left"
        assert left.wait(1) == -signal.SIGKILL
    finally:
        left.kill()
        left.wait()


def test_down_leaves_no_process_no_port_and_only_logs(own_lab: Path):
    pocket.up(folder=own_lab)
    ports, supervisor = Layout.load(own_lab).ports, asked(own_lab, "hello")["pid"]
    # One of its hosts stands still, and goes like every other.
    asked(own_lab, "strike", hold="f", drill="t", freeze={"hosts": ["east-db1"]}, lease_s=20, hard_end_s=60)
    assert pocket.down(own_lab)
    assert list(processes(own_lab)) == []
    assert reapers(supervisor) == []
    assert no_port_is_taken(ports)
    assert {path.suffix for path in own_lab.iterdir()} == {".log", ""}
    assert [path.name for path in own_lab.iterdir() if not path.suffix] == ["lock"]
    assert not pocket.down(own_lab)


def test_a_lab_that_does_not_come_up_says_why_and_leaves_nothing(own_lab: Path, monkeypatch: pytest.MonkeyPatch):
    # The lab is other processes: break what they import.
    broken = own_lab.parent.parent / "broken" / "patroni"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("")
    (broken / "config.py").write_text("raise SystemExit('this patroni is broken')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    # Three hosts run it; whichever of them ends first is the one that is named.
    with pytest.raises(LabError, match=r"(arb1: voter|db1: patroni) has ended \(status 1\): this patroni is broken"):
        pocket.up(folder=own_lab)
    assert list(processes(own_lab)) == []


def test_the_command_says_how_it_is_and_what_to_type(own_lab: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DRDRILL_STATE", str(own_lab.parent.parent))
    runner = CliRunner()
    nothing = runner.invoke(lab_command, ["status"])
    assert (nothing.exit_code, nothing.output) == (1, "the pocket lab is not up: drdrill lab up pocket\n")
    assert runner.invoke(lab_command, ["down"]).output == "the pocket lab was not up\n"
    wrong = runner.invoke(lab_command, ["up", "pocket", "--flaw", "sloth"])
    assert wrong.exit_code == 4
    assert "no flaw is called sloth" in wrong.output
    up = runner.invoke(lab_command, ["up", "--flaw", "asynchronous-replication"])
    assert up.exit_code == 0, up.output
    assert "registrations are acknowledged at both sites" in up.output
    assert "wrong on purpose: asynchronous-replication" in up.output
    layout = Layout.load(own_lab.resolve())
    with psycopg.connect(dsn(layout, "east-db1")) as east:
        assert east.execute("SELECT sync_state FROM pg_stat_replication").fetchall() == [("async",)]
    down = runner.invoke(lab_command, ["down"])
    assert (down.exit_code, down.output) == (0, "the pocket lab is down\n")


def test_hosts_are_reached_by_ssh_unless_they_have_no_power_or_stand_still(pocket_estate: Estate):
    with Ways(pocket_estate) as ways:
        host, hold = "south-entry1", f"ssh-{time.monotonic_ns()}"
        shell = ways.shell(list(pocket_estate.hosts))
        look = shell.ready(list(pocket_estate.hosts))
        assert look.answer is True, look.words
        assert shell.run(host, "pwd").out.strip() == str((state.folder("pocket") / "lab" / host).resolve())
        with shell.talk(host, "echo there; exec cat") as talk:
            assert talk.stdout is not None
            assert talk.stdout.readline() == b"there\n"
            ways.freeze([host]).freeze(hold, "t", [host], 20.0, 60.0)
            try:
                with pytest.raises(WayInFailed, match="did not end within"):
                    shell.run(host, "true", within_s=0.5)
            finally:
                ways.freeze([host]).thaw(hold, [host])
            assert shell.run(host, "true").status == 0
            ways.power([host]).off(f"{hold}-off", "t", [host], 20.0, 60.0)
            try:
                talk.wait(10)
                with pytest.raises((Unreachable, WayInFailed), match=host):
                    shell.run(host, "true", within_s=5)
            finally:
                ways.power([host]).on(f"{hold}-off", [host])
        assert shell.run(host, "true").status == 0
