# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The supervisor's side of the protocol. `drdrill.lab.protocol` says what the lines mean."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drdrill.lab import protocol, serving
from drdrill.lab.log import log
from drdrill.lab.network import cables, cgroups, readiness, rising
from drdrill.lab.network.in_child import in_child
from drdrill.lab.network.topology import HOSTS, SITES, VANTAGES

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping

    from drdrill.lab.network.supervisor import Supervisor
    from drdrill.lab.serving import Message

_ASKING_S: Final = 5.0
_PORTS: Final = {"http": 80, "https": 443, "mariadb": 3306, "ssh": 22}
"""Where a URL leads that names no port."""


async def serve(supervisor: Supervisor) -> asyncio.Server:
    """Answer on the socket of the lab's folder. Raises OSError."""
    answers = _Answers(supervisor)
    known: Mapping[str, Callable[[Message], Awaitable[Message]]] = {
        "hello": answers.hello,
        "strike": answers.strike,
        "renew": answers.renew,
        "heal": answers.heal,
        "revoke": answers.revoke,
        "holds": answers.holds,
        "links": answers.links,
        "hosts": answers.hosts,
        "address": answers.address,
        "audit": answers.audit,
        "place": answers.place,
        "whole": answers.whole,
        "down": answers.down,
    }
    return await serving.serve(supervisor.layout.folder, known, supervisor.end, log)


class _Answers:
    """The answers of one supervisor. Each may raise BadRequest."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    async def hello(self, _message: Message) -> Message:
        layout = self._supervisor.layout
        return {
            "lab": "network",
            "protocol": protocol.PROTOCOL,
            "version": serving.version(),
            "pid": self._supervisor.pid,
            "started_ns": self._supervisor.started_ns,
            "sites": list(SITES),
            "hosts": {
                host.name: {"site": host.site, "role": host.role, "services": list(host.services)}
                for host in HOSTS.values()
            },
            "vantages": {name: HOSTS[host].site for name, host in VANTAGES.items()},
            "links": "nftables on every host",
            "flaws": list(layout.flaws),
            "notes": list(layout.notes),
            "folder": str(layout.folder),
        }

    async def strike(self, message: Message) -> Message:
        if message.get("links") is not None:
            raise protocol.BadRequest(
                "links of this lab are cut by nftables on its hosts, and not by its supervisor: "
                "give the hosts `links: [nftables]` in the estate file"
            )
        strike = protocol.strike_of(message, {}, HOSTS)
        hold = await self._supervisor.strike(strike)
        return {
            "hold": strike.hold,
            "lease_s": min(strike.lease_s, strike.hard_end_s),
            "first_ns": hold.struck_ns,
            "last_ns": hold.last_ns,
        }

    async def renew(self, message: Message) -> Message:
        hold, lease_s = protocol.text(message, "hold"), protocol.seconds(message, "lease_s")
        answer = self._supervisor.holds.renew(hold, lease_s, time.monotonic_ns())
        self._supervisor.rearm()
        return answer

    async def heal(self, message: Message) -> Message:
        first_ns = time.monotonic_ns()
        answer = await self._supervisor.heal(protocol.text(message, "hold"))
        return answer | {"first_ns": first_ns, "last_ns": time.monotonic_ns()}

    async def revoke(self, message: Message) -> Message:
        self._supervisor.holds.revoke(protocol.text(message, "drill"))
        return {}

    async def holds(self, message: Message) -> Message:
        drill = protocol.text(message, "drill") if message.get("drill") is not None else None
        return {"holds": self._supervisor.holds.show(drill, time.monotonic_ns())}

    async def links(self, _message: Message) -> Message:
        return {"links": {}}

    async def hosts(self, message: Message) -> Message:
        machines = self._supervisor.machines
        asked: dict[str, list[str]] = {}
        if message.get("health", True):
            try:
                asked = await in_child(partial(readiness.missing, self._supervisor.layout), _ASKING_S)
            except TimeoutError:
                asked = {name: [f"it could not be asked within {_ASKING_S:g} s"] for name in HOSTS}
        answer = {}
        for name, host in HOSTS.items():
            # Counted once: `stopped` is compared with it.
            there = len(cgroups.processes(machines.group(name)))
            lacks = machines.lacks(name) or asked.get(name, [])
            answer[name] = {
                "site": host.site,
                "role": host.role,
                "on": machines.each[name].on,
                "processes": there,
                "ready": not lacks,
                "missing": lacks,
                "frozen": name in machines.still,
                "stopped": there if cgroups.says(machines.group(name), "frozen 1") else 0,
                "woke": 0,  # The kernel lets nothing in a frozen group run, whoever wakes it.
            }
        return {"hosts": answer}

    async def address(self, message: Message) -> Message:
        source = protocol.text(message, "from")
        if source not in HOSTS and source not in VANTAGES:
            raise protocol.BadRequest(f"nobody is at {source!r}; there are {', '.join((*VANTAGES, *HOSTS))}")
        if message.get("url") is None:
            host, service = HOSTS[protocol.known_host(message.get("host"), HOSTS)], protocol.text(message, "service")
            if service not in host.services:
                has = ", ".join(host.services)
                raise protocol.BadRequest(f"{host.name} has no service {service!r}; it has {has}")
            return {"host": host.management, "port": host.port(service)}
        # A client of this lab stands in the network itself: it goes where everybody goes.
        text = protocol.text(message, "url")
        try:
            url = urlsplit(text)
            port = url.port or _PORTS.get(url.scheme)
        except ValueError as error:
            raise protocol.BadRequest(f"{text!r} is no URL: {error}") from error
        if not url.hostname or port is None:
            raise protocol.BadRequest(f"{text!r} says neither by its scheme nor itself where it leads: write HOST:PORT")
        return {"host": url.hostname, "port": port, "url": text}

    async def audit(self, _message: Message) -> Message:
        """What joins the hosts' namespaces: they have network stacks of their own, so nothing else can carry anything."""
        seen, unexplained = cables.around()
        self._supervisor.looks += 1
        return {
            "looks": self._supervisor.looks,
            "last_ns": time.monotonic_ns(),
            "seen": seen,
            "unexplained": unexplained,
            "unseen": [],
        }

    async def place(self, message: Message) -> Message:
        name = protocol.known_host(message.get("host"), HOSTS)
        pid = self._supervisor.machines.each[name].pid
        if pid is None:
            raise protocol.BadRequest(f"{name} is off: nothing can be run there")
        # Our /proc is not the machine's, and our pids neither: the way leads through our root.
        return {"netns": f"/proc/{self._supervisor.pid}/root/proc/{pid}/ns/net", "pid": pid}

    async def whole(self, message: Message) -> Message:
        within_s = protocol.seconds(message, "within_s")
        client = f"/proc/{self._supervisor.machines.each['client'].pid}/ns/net"
        work = partial(rising.until_whole, self._supervisor.layout, client, within_s)
        return {"missing": await in_child(work, within_s + _ASKING_S)}

    async def down(self, _message: Message) -> Message:
        await self._supervisor.down()
        return {"down": True}
