# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Links in user space: every connection between two hosts is carried by a session here, one flow for each direction.

A link is an ordered pair of hosts. While it is frozen nothing leaves the proxy on it: no byte, no end, no reset, and no new
connection comes about over it in either direction (a handshake needs both). What was under way is delivered after the thaw, as
the retransmissions of a real network would be.

Frozen is not the silence of a cable: the kernel still accepts and acknowledges, so connect() succeeds and TCP keepalive sees
nothing. Only time-outs of the application show. Reports of a drill on such links say so.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.lab.pocket.session import Session

_ABORT: Final = struct.pack("ii", 1, 0)


class Link:
    """One ordered pair of hosts. `bytes` counts what left the proxy, `connections` what came about over it."""

    def __init__(self) -> None:
        self.frozen = False
        self.bytes = 0
        self.connections = 0
        self.refused = 0
        self.sessions: set[Session] = set()

    def set_frozen(self, frozen: bool) -> None:
        """Freeze or thaw, at once: when this returns nothing more leaves, or everything that waited is on its way."""
        if frozen == self.frozen:
            return
        self.frozen = frozen
        for session in list(self.sessions):
            session.link_changed()

    def show(self) -> dict[str, Any]:
        """The answer to `links` for this pair."""
        return {
            "state": "frozen" if self.frozen else "open",
            "bytes": self.bytes,
            "connections": self.connections,
            "refused": self.refused,
        }


def listen(port: int, arrived: Callable[[socket.socket], None]) -> socket.socket:
    """Listen on a port of the loopback interface and hand over every connection.

    Raises:
        OSError: somebody else has the port.
    """
    loop = asyncio.get_running_loop()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise

    def ready() -> None:
        try:
            accepted, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        arrived(accepted)

    loop.add_reader(listener, ready)
    return listener


def close_listener(listener: socket.socket) -> None:
    """Stop listening: from here on the kernel refuses."""
    with contextlib.suppress(RuntimeError):  # The loop is closed already: the end of the process.
        asyncio.get_running_loop().remove_reader(listener)
    listener.close()


def abort_on_close(sock: socket.socket) -> None:
    """When this socket closes, its peer gets a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)


def refuse(sock: socket.socket) -> None:
    """Turn a caller away with a reset: nobody we know."""
    abort_on_close(sock)
    sock.close()
