# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the pocket lab's supervisor answers of its own hosts and links."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drdrill.lab import answers, protocol
from drdrill.lab.pocket import owner
from drdrill.lab.pocket.freezer import all_still
from drdrill.lab.pocket.layout import HOSTS, SITES, VANTAGES, ends

if TYPE_CHECKING:
    from drdrill.lab.answers import Message
    from drdrill.lab.pocket.supervisor import Supervisor

_ENDS: Final = dict.fromkeys(ends())
_SCHEMES: Final = {"postgresql": "pg", "postgres": "pg"}
"""What the scheme of a URL is called here; every other service has the name of its scheme."""


async def serve(supervisor: Supervisor) -> asyncio.Server:
    """Answer on the socket of the lab's folder. Raises OSError."""
    return await _Answers(supervisor).serve(supervisor.layout.folder)


class _Answers(answers.Answers):
    """The answers of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        super().__init__(supervisor, _ENDS, HOSTS)
        self._supervisor = supervisor
        self.known |= {
            "links": self._links,
            "hosts": self._hosts,
            "address": self._address,
            "audit": self._audit,
        }

    async def _hello(self, _message: Message) -> Message:
        layout = self._supervisor.layout
        return {
            "lab": "pocket",
            **self.about(),
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
