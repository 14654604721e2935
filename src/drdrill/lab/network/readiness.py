# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the hosts of the network lab do what they are there for, by asking each of them over the network.

`missing` is asked in the lab's outer network namespace, `application_of` in the client's. Both answer within about a second and a
half whatever happens, and belong into a process that may wait as long: never into the supervisor's own.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from drdrill.lab.network.host_values import STATUS_PORT
from drdrill.lab.network.topology import ENTRY_ADDRESS, HOSTS, with_role

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from drdrill.lab.network.layout import Layout
    from drdrill.lab.network.topology import Host

_LONGEST_S: Final = 1.5
_VOTES: Final = len(with_role("database")) + len(with_role("arbitrator"))
_MEMBER: Final = {
    "wsrep_ready": "ON",
    "wsrep_cluster_status": "Primary",
    "wsrep_local_state_comment": "Synced",
    "wsrep_cluster_size": str(_VOTES),
}
"""What a member says of itself when nothing is missing."""


def missing(layout: Layout) -> dict[str, list[str]]:
    """What each host lacks, in words; an empty list for a host that has everything.

    Every host is asked for its sshd; a database how it stands in the cluster; the arbitrator for its port (that it votes is what
    the members count); an application for a commit; an entry for a commit by its own site's application.
    """
    del layout  # Where the hosts are is the same in every lab.
    return asyncio.run(_missing())


def application_of(site: str) -> str | None:
    """The site whose application acknowledged a write through a site's virtual address, or None. It leaves one registration."""
    return asyncio.run(_application_of(ENTRY_ADDRESS[site]))


async def _missing() -> dict[str, list[str]]:
    answers = await asyncio.gather(*(_of_host(host) for host in HOSTS.values()))
    return dict(zip(HOSTS, answers, strict=True))


async def _of_host(host: Host) -> list[str]:
    looks = [_within("sshd does not answer", _sshd(host))]
    if host.role in _BY_ROLE:
        silence, look = _BY_ROLE[host.role]
        looks.append(_within(silence, look(host)))
    return [lack for lack in await asyncio.gather(*looks) if lack]


async def _within(silence: str, look: Coroutine[Any, Any, str | None]) -> str | None:
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await look
    except (OSError, ValueError, TimeoutError):
        return silence


async def _sshd(host: Host) -> str | None:
    said = await _exchange(host.management, host.port("ssh"), b"", line=True)
    return None if said.startswith(b"SSH-2.0-") else f"its port of sshd says {said[:40]!r}"


async def _member(host: Host) -> str | None:
    _, _, body = await _http(host.management, STATUS_PORT, "GET", "/")
    said = dict(line.split("\t", 1) for line in body.decode().splitlines())
    wrong = [f"{name} is {said.get(name)}" for name, wanted in _MEMBER.items() if said.get(name) != wanted]
    return f"mariadb: {', '.join(wrong)}" if wrong else None


async def _votes(host: Host) -> str | None:
    _, writer = await asyncio.open_connection(host.management, host.port("galera"))
    writer.transport.abort()
    return None


async def _application(host: Host) -> str | None:
    status, _, body = await _http(host.management, host.port("http"), "GET", "/healthz")
    return None if status == HTTPStatus.OK else str(json.loads(body).get("why", f"/healthz answers {status}"))


async def _entry(host: Host) -> str | None:
    status, site, _ = await _http(host.management, host.port("http"), "GET", "/healthz")
    if status != HTTPStatus.OK:
        return f"haproxy answers {status}"
    return None if site == host.site else f"haproxy sends requests to the application of site {site}"


_BY_ROLE: Final[dict[str, tuple[str, Callable[[Host], Coroutine[Any, Any, str | None]]]]] = {
    "database": ("mariadb does not answer", _member),
    "arbitrator": ("garbd does not listen", _votes),
    "application": ("the application does not answer", _application),
    "entry": ("haproxy does not answer", _entry),
}
"""What is said of a role's host that gives no answer, and how it is asked."""


async def _application_of(address: str, port: int = 80) -> str | None:
    body = json.dumps({"key": f"ready-{uuid4()}"}).encode()
    try:
        async with asyncio.timeout(_LONGEST_S):
            status, site, _ = await _http(address, port, "POST", "/registrations", body)
    except (OSError, ValueError, TimeoutError):
        return None
    return site if status == HTTPStatus.CREATED else None


async def _http(address: str, port: int, method: str, path: str, body: bytes = b"") -> tuple[int, str | None, bytes]:
    """Status, `X-Site` and body of one request. Raises OSError, ValueError when it is no HTTP."""
    head = f"{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    answer, _, content = (await _exchange(address, port, head.encode() + body)).partition(b"\r\n\r\n")
    first, *fields = answer.decode("latin-1").split("\r\n")
    words = first.split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/"):  # noqa: PLR2004 - version and status
        raise ValueError(f"no HTTP: {first[:40]!r}")
    named = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return int(words[1]), named.get("x-site"), content


async def _exchange(address: str, port: int, request: bytes, *, line: bool = False) -> bytes:
    """Send and read to the end of the connection, or of the first line. Raises OSError."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(request)
        return await (reader.readline() if line else reader.read())
    finally:
        writer.transport.abort()  # The answer is in, or not wanted any more: no goodbye that could hang.
