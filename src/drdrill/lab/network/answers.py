# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the network lab's supervisor answers of its own hosts."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drdrill.lab import answers, protocol
from drdrill.lab.network import cables, cgroups, readiness
from drdrill.lab.network.topology import HOSTS, SITES, VANTAGES

if TYPE_CHECKING:
    from drdrill.lab.answers import Message
    from drdrill.lab.network.supervisor import Supervisor

_PORTS: Final = {"http": 80, "https": 443, "mariadb": 3306}
"""Where a URL leads that names no port."""
_HEALTH_S: Final = 4.0
_LONGEST: Final = 1 << 16


async def serve(supervisor: Supervisor) -> asyncio.Server:
    """Answer on the socket of the lab's folder. Raises OSError."""
    return await _Answers(supervisor).serve(supervisor.layout.folder)


class _Answers(answers.Answers):
    """The answers of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        super().__init__(supervisor, HOSTS, HOSTS)
        self._supervisor = supervisor
        self._looks = 0
        self.known |= {
            "strike": self._no_links,
            "links": self._links,
            "hosts": self._hosts,
            "address": self._address,
            "place": self._place,
            "audit": self._audit,
        }

    async def _hello(self, _message: Message) -> Message:
        layout = self._supervisor.layout
        return {
            "lab": "network",
            **self.about(),
            "pid": self._supervisor.outside,
            "sites": list(SITES),
            "hosts": {
                host.name: {"site": host.site, "role": host.role, "services": list(host.services)}
                for host in HOSTS.values()
            },
            "vantages": {name: HOSTS[host].site for name, host in VANTAGES.items()},
            "links": "nftables on each host",
            "flaws": list(layout.flaws),
            "notes": list(layout.notes),
            "folder": str(layout.folder),
        }

    async def _no_links(self, message: Message) -> Message:
        if message.get("links") is not None:
            raise protocol.BadRequest(
                "this lab's supervisor cuts no links: its hosts have firewalls of their own; `links: [nftables]`"
            )
        return await self._strike(message)

    async def _links(self, _message: Message) -> Message:
        return {"links": {}}

    async def _hosts(self, message: Message) -> Message:
        of = self._supervisor
        lacking = await self._health() if message.get("health", True) else {}
        found = {}
        for name, host in HOSTS.items():
            there = len(cgroups.pids(of.place.cgroup_of(name)))
            frozen, on = name in of.still, name in of.on
            lacks = ["it is off"] if not on else ["it is frozen"] if frozen else lacking.get(name, [])
            still = there if frozen and cgroups.is_frozen(of.place.cgroup_of(name)) else 0
            found[name] = {
                "site": host.site, "role": host.role, "on": on, "processes": there, "ready": not lacks, "missing": lacks,
                "frozen": frozen, "stopped": still, "woke": 0,
            }  # fmt: skip
        return {"hosts": found}

    async def _health(self) -> dict[str, list[str]]:
        """What each host lacks, asked by a child: whoever does not answer must not keep the supervisor from its leases."""
        told, tell = os.pipe()
        asking = os.fork()
        if asking == 0:
            try:
                os.write(tell, json.dumps(readiness.missing(self._supervisor.layout)).encode())
            finally:
                os._exit(0)
        os.close(tell)
        os.set_blocking(told, False)
        try:
            async with asyncio.timeout(_HEALTH_S):
                text = await _read(told)
        except TimeoutError:
            os.kill(asking, 9)
            text = b""
        finally:
            os.close(told)
        if not text:
            return {name: [f"nobody said within {_HEALTH_S:g} s how it is"] for name in HOSTS}
        lacking: dict[str, list[str]] = json.loads(text)
        return lacking

    async def _address(self, message: Message) -> Message:
        """A URL is its own address here: whoever stands at a place of this lab is routed."""
        if message.get("url") is not None:
            return self._routed(protocol.text(message, "url"))
        host = HOSTS[protocol.known_host(message.get("host"), HOSTS)]
        service = protocol.text(message, "service")
        try:
            return {"host": host.management, "port": host.port(service)}
        except KeyError:
            raise protocol.BadRequest(f"{host.name} has no service {service!r}") from None

    def _routed(self, text: str) -> Message:
        try:
            url = urlsplit(text)
            port = url.port or _PORTS.get(url.scheme)
        except ValueError as error:
            raise protocol.BadRequest(f"{text!r} is no URL: {error}") from error
        if not url.hostname or port is None:
            raise protocol.BadRequest(f"{text!r} does not say where it leads: write it as http://ADDRESS:PORT")
        return {"host": url.hostname, "port": port, "url": text}

    async def _place(self, message: Message) -> Message:
        """Where a process has to go to stand on a host: asked each time, since a power cycle makes a new one."""
        name = protocol.known_host(message.get("host"), HOSTS)
        if name not in self._supervisor.on:
            raise protocol.BadRequest(f"{name} is off, so nobody can stand there")
        pid = self._supervisor.on[name]
        outside = f"/proc/{self._supervisor.outside}"
        return {"pid": pid, "netns": f"{outside}/root/proc/{pid}/ns/net"}

    async def _audit(self, _message: Message) -> Message:
        """Every host has a network stack of its own, so a way around the cables is something else in the outer namespace."""
        seen, around = cables.around()
        self._looks += 1
        return {
            "looks": self._looks, "last_ns": time.monotonic_ns(), "seen": seen, "unexplained": around, "unseen": [],
        }  # fmt: skip


async def _read(descriptor: int) -> bytes:
    """All that comes out of a pipe, in this loop and without a thread."""
    loop, text = asyncio.get_running_loop(), b""
    while True:
        readable = loop.create_future()
        loop.add_reader(descriptor, readable.set_result, None)
        try:
            await readable
        finally:
            loop.remove_reader(descriptor)
        more = os.read(descriptor, _LONGEST)
        if not more:
            return text
        text += more
