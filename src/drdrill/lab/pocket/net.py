# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""All links of a lab: the ports behind which they stand, and which of them are frozen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from drdrill.lab.log import log
from drdrill.lab.pocket import links, owner
from drdrill.lab.pocket.layout import HOSTS, ends, follow
from drdrill.lab.pocket.session import Session

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from drdrill.lab.pocket.layout import Layout
    from drdrill.lab.protocol import Pair


class Net:
    """Every link between two ends, and the listeners that lead to them.

    Args:
        layout: the lab's ports.
        booting: whether callers of this host should wait a little instead of being refused.
    """

    def __init__(self, layout: Layout, booting: Callable[[str], bool]) -> None:
        self.links = {(a, b): links.Link() for a in ends() for b in ends() if a != b}
        self.unknown_callers = 0
        self._layout = layout
        self._booting = booting
        self._listeners: list[socket.socket] = []
        self._lookups: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Listen on every port that leads to a link. Raises OSError when somebody else has one."""
        for name, port in self._layout.ports.items():
            source, arrow, rest = name.partition(">")
            if arrow:
                target, _, service = rest.partition(":")
                self._listeners.append(links.listen(port, self._arrival(source, target, service, port)))

    def close(self) -> None:
        """Stop listening and end every session with a reset."""
        for listener in self._listeners:
            links.close_listener(listener)
        self._listeners.clear()
        for link in self.links.values():
            for session in list(link.sessions):
                session.abort()

    def freeze(self, pairs: set[Pair]) -> None:
        """Exactly these pairs are frozen when this returns, and what the clients at the sites lose by it."""
        pairs = pairs | follow(pairs)
        for pair, link in self.links.items():
            link.set_frozen(pair in pairs)

    def host_died(self, hosts: Iterable[str]) -> None:
        """These hosts lost their power: what was in the air from and to them is gone."""
        for host in hosts:
            for pair, link in self.links.items():
                if pair[0] == host:
                    for session in list(link.sessions):
                        session.host_died(host)

    def show(self, pairs: Iterable[Pair]) -> dict[str, Any]:
        """The answer to `links`."""
        return {f"{a}>{b}": self.links[a, b].show() for a, b in pairs}

    def _arrival(self, source: str, target: str, service: str, port: int) -> Callable[[socket.socket], None]:
        if source:
            return lambda sock: self._carry(sock, source, target, service)

        def ask(sock: socket.socket) -> None:
            task = asyncio.create_task(self._ask(sock, target, service, port))
            self._lookups.add(task)
            task.add_done_callback(self._lookups.discard)

        return ask

    async def _ask(self, sock: socket.socket, target: str, service: str, port: int) -> None:
        try:
            caller = sock.getpeername()[1]
        except OSError:
            links.refuse(sock)  # Gone already.
            return
        source = await asyncio.to_thread(owner.host_of, caller, port, self._layout.folder)
        if source == target:
            source = None  # A host does not reach itself through the network.
        if source in HOSTS:
            self._carry(sock, source, target, service)
            return
        self.unknown_callers += 1
        log(f"refused an unknown caller of {target}:{service} (its port {caller})")
        links.refuse(sock)

    def _carry(self, sock: socket.socket, source: str, target: str, service: str) -> None:
        Session(
            (source, target),
            sock,
            out=self.links[source, target],
            back=self.links[target, source],
            port=self._layout.private(target, service),
            patient=lambda: self._booting(target),
        )
