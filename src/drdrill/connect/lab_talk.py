# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Many short conversations at once: a question on each connection, and what comes back within a given time."""

from __future__ import annotations

import contextlib
import secrets
import selectors
import socket
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ECHO_BYTES: Final = 16


class Talk:
    """One connection to a service of the lab and the question that is open on it.

    Args:
        port: where it leads. The connection is begun at once.
        question: what is asked each time; any byte counts as an answer. None asks an echo, each time something new, and only
            that counts as an answer.
        host: whose port it is: an address, not a name. The loopback interface where nothing else is said.
    """

    def __init__(self, port: int, question: bytes | None = None, host: str = "127.0.0.1") -> None:
        self._fixed = question
        self.question = b""
        self.answered = False
        self.broken = False
        self._heard = b""
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._asked = False
        self.sock.connect_ex((host, port))

    def begin(self) -> None:
        """A new question. What still comes in of an echo's earlier ones is read and counts as nothing.

        Any other service is asked once on each connection: a second question before the answer to the first is a breach of its
        protocol, which PostgreSQL takes for an attack. An answer that is late is still one.
        """
        if self._fixed and self._asked:
            return
        self.question = self._fixed or secrets.token_bytes(_ECHO_BYTES)
        self.answered = self._asked = False
        if self._fixed:
            self._drain()
        self._heard = b""

    def _drain(self) -> None:
        """Forget what came unasked, such as the first line of an SSH server: it was said before, and answers nothing."""
        try:
            while data := self.sock.recv(1 << 16):
                del data
            self.broken = True
        except OSError:
            pass  # Nothing there; a connection that is not there yet, or broke, is found out by asking.

    def send(self) -> None:
        """Ask, once the connection is there."""
        if not self._asked:
            try:
                self.sock.send(self.question)
                self._asked = True
            except BlockingIOError:
                pass
            except OSError:
                self.broken = True

    def receive(self) -> None:
        """Read what came back."""
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.broken = True
        self._heard += data
        known = bool(self._heard) if self._fixed else self.question in self._heard
        self.answered = self.answered or known

    @property
    def wants(self) -> int:
        """What to wait for: to be able to ask, or an answer; 0 for neither."""
        if self.answered or self.broken:
            return 0
        return selectors.EVENT_READ if self._asked else selectors.EVENT_WRITE

    def close(self) -> None:
        """Close."""
        with contextlib.suppress(OSError):
            self.sock.close()


def exchange(talks: Iterable[Talk], within_s: float) -> None:
    """Ask on every connection at the same time and wait for the answers, for so long at most."""
    deadline = time.monotonic() + within_s
    with selectors.DefaultSelector() as selector:
        for talk in talks:
            talk.begin()
            if talk.wants:
                selector.register(talk.sock, talk.wants, talk)
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                talk = key.data
                if talk.wants == selectors.EVENT_WRITE:
                    talk.send()
                else:
                    talk.receive()
                if talk.wants:
                    selector.modify(talk.sock, talk.wants, talk)
                else:
                    selector.unregister(talk.sock)
