# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is said to be missing of a host, asked of servers that the test plays: each look has an answer at which it must complain."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.lab.network import readiness
from drdrill.lab.network.layout import Layout
from drdrill.lab.network.topology import HOSTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.lab.network.topology import Host

SSHD = b"SSH-2.0-OpenSSH_9.2p1\r\n"
MEMBER = {
    "wsrep_ready": "ON",
    "wsrep_cluster_status": "Primary",
    "wsrep_local_state_comment": "Synced",
    "wsrep_cluster_size": "3",
    "wsrep_cluster_conf_id": "7",
}
READY = json.dumps({"ready": True, "site": "east"})


def http(status: int, body: str, site: str | None = None) -> bytes:
    signed = f"X-Site: {site}\r\n" if site else ""
    return f"HTTP/1.1 {status} words\r\n{signed}Connection: close\r\n\r\n{body}".encode()


def status_of(**changed: str) -> bytes:
    return http(200, "".join(f"{name}\t{value}\n" for name, value in (MEMBER | changed).items()))


@dataclass
class Played:
    """A host of which the test plays every service, on loopback. What it answers by service; None never answers."""

    role: str
    answers: dict[str, bytes | None]
    site: str = "east"
    management: str = "127.0.0.1"
    asked: list[bytes] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    over: list[asyncio.Event] = field(default_factory=list)

    def port(self, service: str) -> int:
        return self.ports[service]

    async def serve(self, stack: contextlib.AsyncExitStack) -> None:
        for service, answer in self.answers.items():
            self.over.append(asyncio.Event())
            server = await asyncio.start_server(self._answer(answer, self.over[-1]), "127.0.0.1", 0)
            stack.callback(server.close)
            self.ports[service] = server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """Every service was asked once; its connection is closed at both ends."""
        async with asyncio.timeout(20):
            await asyncio.gather(*(event.wait() for event in self.over))

    def _answer(self, answer: bytes | None, over: asyncio.Event) -> Any:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if answer is None:
                await reader.read()  # Until whoever asked gives up.
            else:
                if answer.startswith(b"HTTP/"):
                    self.asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            over.set()

        return handle


def lacks(monkeypatch: pytest.MonkeyPatch, host: Played) -> Sequence[str]:
    if None in host.answers.values():
        monkeypatch.setattr(readiness, "_LONGEST_S", 0.3)

    async def run() -> list[str]:
        async with contextlib.AsyncExitStack() as stack:
            await host.serve(stack)
            monkeypatch.setattr(readiness, "STATUS_PORT", host.ports.get("status", 9))
            found = await readiness._of_host(cast("Host", host))
            await host.end()
            return found

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("role", "service", "answer", "said"),
    [
        ("router", "ssh", SSHD, []),
        ("router", "ssh", b"220 mail\r\n", ["its port of sshd says b'220 mail\\r\\n'"]),
        ("router", "ssh", None, ["sshd does not answer"]),
        ("database", "status", status_of(), []),
        (
            "database",
            "status",
            status_of(wsrep_local_state_comment="Donor/Desynced"),
            ["mariadb: wsrep_local_state_comment is Donor/Desynced"],
        ),
        (
            "database",
            "status",
            status_of(wsrep_ready="OFF", wsrep_cluster_status="non-Primary"),
            ["mariadb: wsrep_ready is OFF, wsrep_cluster_status is non-Primary"],
        ),
        ("database", "status", status_of(wsrep_cluster_size="2"), ["mariadb: wsrep_cluster_size is 2"]),
        ("database", "status", http(503, "ERROR 2002 (HY000): Can't connect\n"), ["mariadb does not answer"]),
        ("database", "status", None, ["mariadb does not answer"]),
        ("arbitrator", "galera", b"\0", []),
        ("application", "http", http(200, READY, "east"), []),
        ("application", "http", http(503, json.dumps({"ready": False, "why": "no commit"}), "east"), ["no commit"]),
        ("application", "http", http(503, "not JSON"), ["the application does not answer"]),
        ("application", "http", None, ["the application does not answer"]),
        ("entry", "http", http(200, READY, "east"), []),
        ("entry", "http", http(200, READY, "south"), ["haproxy sends requests to the application of site south"]),
        ("entry", "http", http(503, "<html>"), ["haproxy answers 503"]),
        ("entry", "http", b"SSH-2.0-x\r\n", ["haproxy does not answer"]),
    ],
)
def test_what_a_host_lacks(
    monkeypatch: pytest.MonkeyPatch, role: str, service: str, answer: bytes | None, said: list[str]
):
    host = Played(role, {"ssh": SSHD, service: answer})
    assert lacks(monkeypatch, host) == said


def test_a_host_that_is_gone_lacks_everything_that_it_is_there_for(monkeypatch: pytest.MonkeyPatch):
    host = Played("arbitrator", {}, ports={"ssh": 9, "galera": 9})  # Nobody listens there.
    assert lacks(monkeypatch, host) == ["sshd does not answer", "garbd does not listen"]


@pytest.mark.parametrize(
    ("answer", "site"),
    [
        (http(201, '{"key": "k"}', "south"), "south"),
        (http(503, "{}", "south"), None),
        (http(409, "{}", "south"), None),
        (None, None),
    ],
)
def test_only_a_write_that_was_acknowledged_names_a_site(answer: bytes | None, site: str | None):
    host = Played("entry", {"http": answer})

    async def run() -> str | None:
        async with contextlib.AsyncExitStack() as stack:
            await host.serve(stack)
            found = await readiness._application_of("127.0.0.1", host.ports["http"])
            await host.end()
            return found

    assert asyncio.run(run()) == site
    if answer is not None:
        assert host.asked[0].startswith(b"POST /registrations ")


def test_every_host_of_the_lab_is_spoken_of(tmp_path: Path):
    """Outside of the lab none of them answers."""
    found = readiness.missing(Layout(tmp_path, {}))
    assert list(found) == list(HOSTS)
    assert all("sshd does not answer" in lacking for lacking in found.values())
