# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The supervisor's side of the protocol: one line in, one line out. `drdrill.lab.protocol` says what the lines mean."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drdrill.lab import protocol, serving
from drdrill.lab.log import log
from drdrill.lab.pocket import owner
from drdrill.lab.pocket.freezer import all_still
from drdrill.lab.pocket.layout import HOSTS, SITES, VANTAGES, ends

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from drdrill.lab.pocket.supervisor import Supervisor
    from drdrill.lab.serving import Message

_ENDS: Final = dict.fromkeys(ends())
_SCHEMES: Final = {"postgresql": "pg", "postgres": "pg"}
"""What the scheme of a URL is called here; every other service has the name of its scheme."""


async def serve(supervisor: Supervisor) -> asyncio.Server:
    """Answer on the socket of the lab's folder. Raises OSError."""
    return await serving.serve(supervisor.layout.folder, _Answers(supervisor).known, supervisor.end, log)


class _Answers:
    """The answers of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.known: Mapping[str, Callable[[Message], Awaitable[Message]]] = {
            "hello": self._hello,
            "strike": self._strike,
            "renew": self._renew,
            "heal": self._heal,
            "revoke": self._revoke,
            "holds": self._holds,
            "links": self._links,
            "hosts": self._hosts,
            "address": self._address,
            "audit": self._audit,
            "down": self._down,
        }

    async def _hello(self, _message: Message) -> Message:
        layout = self._supervisor.layout
        return {
            "lab": "pocket",
            "protocol": protocol.PROTOCOL,
            "version": serving.version(),
            "pid": os.getpid(),
            "started_ns": self._supervisor.started_ns,
            "sites": list(SITES),
            "hosts": {
                host.name: {"site": host.site, "role": host.role, "services": list(host.services)}
                for host in HOSTS.values()
            },
            "vantages": dict(VANTAGES),
            "links": "user-space",
            "flaws": list(layout.flaws),
            "notes": list(layout.notes),
            "folder": str(layout.folder),
        }

    async def _strike(self, message: Message) -> Message:
        strike = protocol.strike_of(message, _ENDS, HOSTS)
        hold = await self._supervisor.strike(strike)
        return {
            "hold": strike.hold,
            "lease_s": min(strike.lease_s, strike.hard_end_s),
            "first_ns": hold.struck_ns,
            "last_ns": hold.last_ns,
        }

    async def _renew(self, message: Message) -> Message:
        hold, lease_s = protocol.text(message, "hold"), protocol.seconds(message, "lease_s")
        answer = self._supervisor.holds.renew(hold, lease_s, time.monotonic_ns())
        self._supervisor.apply()
        return answer

    async def _heal(self, message: Message) -> Message:
        first_ns = time.monotonic_ns()
        answer = await self._supervisor.heal(protocol.text(message, "hold"))
        return answer | {"first_ns": first_ns, "last_ns": time.monotonic_ns()}

    async def _revoke(self, message: Message) -> Message:
        self._supervisor.holds.revoke(protocol.text(message, "drill"))
        return {}

    async def _holds(self, message: Message) -> Message:
        drill = protocol.text(message, "drill") if message.get("drill") is not None else None
        return {"holds": self._supervisor.holds.show(drill, time.monotonic_ns())}

    async def _links(self, message: Message) -> Message:
        net = self._supervisor.net
        asked = message.get("pairs")
        return {"links": net.show(net.links if asked is None else protocol.pairs_of(asked, _ENDS))}

    async def _hosts(self, message: Message) -> Message:
        machines = self._supervisor.machines
        health = message.get("health", True)
        missing = await asyncio.gather(
            *(machine.missing() if health else machine.missing_processes() for machine in machines.values())
        )
        freezer = self._supervisor.freezer
        counts, stopped = dict.fromkeys(machines, 0), dict.fromkeys(machines, 0)
        for process in owner.processes(self._supervisor.layout.folder):
            if process.host in counts:
                counts[process.host] += 1
                with contextlib.suppress(OSError):
                    stopped[process.host] += all_still(process.pid)
        # What a frozen host lacks is that it is frozen, not that its daemons do not answer.
        missing = [["it is frozen"] if n in freezer.hosts else m for n, m in zip(machines, missing, strict=True)]
        return {
            "hosts": {
                name: {
                    "site": machine.host.site,
                    "role": machine.host.role,
                    "on": machine.on,
                    "processes": counts[name],
                    "ready": not lacks,
                    "missing": lacks,
                    "frozen": name in freezer.hosts,
                    "stopped": stopped[name],
                    "woke": freezer.woke(name),
                }
                for (name, machine), lacks in zip(machines.items(), missing, strict=True)
            }
        }

    async def _address(self, message: Message) -> Message:
        layout = self._supervisor.layout
        source = protocol.text(message, "from")
        if source not in _ENDS:
            raise protocol.BadRequest(f"nobody is at {source!r}; there are {', '.join(_ENDS)}")
        url = urlsplit(protocol.text(message, "url")) if message.get("url") is not None else None
        host = protocol.known_host(url.hostname if url else message.get("host"), HOSTS)
        service = _SCHEMES.get(url.scheme, url.scheme) if url else protocol.text(message, "service")
        try:
            port = layout.private(host, service) if source == host else layout.link(source, host, service)
        except KeyError:
            raise protocol.BadRequest(f"{source} does not reach a service {service!r} of {host}") from None
        answer: Message = {"host": "127.0.0.1", "port": port}
        if url:
            answer["url"] = url._replace(netloc=f"127.0.0.1:{port}").geturl()
        return answer

    async def _audit(self, _message: Message) -> Message:
        return self._supervisor.audit.show() | {"unknown_callers": self._supervisor.net.unknown_callers}

    async def _down(self, _message: Message) -> Message:
        await self._supervisor.down()
        return {"down": True}
