# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One connection between two hosts as the proxy carries it: two flows, each behind the gate of its own link."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections import deque
from typing import TYPE_CHECKING, Final

from drdrill.lab.pocket.links import abort_on_close

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.lab.pocket.links import Link
    from drdrill.lab.protocol import Pair

_CHUNK: Final = 1 << 16
_IN_FLIGHT: Final = 1 << 19
"""Bytes of one direction that wait in the proxy before the sender is slowed down: about a large TCP window."""
_PATIENCE_S: Final = 0.05


class Flow:
    """What one end of a session sends to the other. Reads ahead a little; writes only while the link is open."""

    def __init__(self, session: Session, source: socket.socket, link: Link) -> None:
        self.session = session
        self.source = source
        self.sink: socket.socket | None = None
        self.link = link
        self.waiting: deque[bytes] = deque()
        self.held = 0
        self.reading = False
        self.writing = False
        self.ended = False
        self.broken = False
        self.done = False
        self.resume()

    def resume(self) -> None:
        """Read again, unless the source has ended or too much waits already."""
        if not (self.reading or self.ended or self.broken or self.held >= _IN_FLIGHT):
            self.reading = True
            self.session.loop.add_reader(self.source, self._readable)

    def pause(self) -> None:
        """Read no more for now."""
        if self.reading:
            self.reading = False
            self.session.loop.remove_reader(self.source)

    def _readable(self) -> None:
        try:
            data = self.source.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.fail()
            return
        if data:
            self.waiting.append(data)
            self.held += len(data)
            if self.held >= _IN_FLIGHT:
                self.pause()
        else:
            self.ended = True
            self.pause()
        self.push()

    def push(self) -> None:
        """Let go whatever may leave now."""
        if self.sink is None:
            if self.ended or self.broken:
                self.session.abort()  # Gave up before the connection came about: the other host never hears of it.
            return
        if self.link.frozen or (self.done and not self.broken):
            self._stop_writing()
            return
        if not self._drain(self.sink):
            return
        if self.broken:
            self.session.abort()
        elif self.ended:
            self.done = True
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)
            self.session.flow_done()
        else:
            self.resume()

    def _drain(self, sink: socket.socket) -> bool:
        while self.waiting:
            data = self.waiting[0]
            try:
                sent = sink.send(data)
            except (BlockingIOError, InterruptedError):
                if not self.writing:
                    self.writing = True
                    self.session.loop.add_writer(sink, self.push)
                return False
            except OSError:
                # The receiver is gone. The sender may hear of it only over the link that leads back.
                self.discard()
                self.session.other(self).fail()
                return False
            self.link.bytes += sent
            self.held -= sent
            if sent < len(data):
                self.waiting[0] = data[sent:]
            else:
                self.waiting.popleft()
        self._stop_writing()
        return True

    def _stop_writing(self) -> None:
        if self.writing and self.sink is not None:
            self.writing = False
            self.session.loop.remove_writer(self.sink)

    def fail(self) -> None:
        """The source is gone without a goodbye: the other end is reset, once the link lets it through."""
        self.broken = True
        self.pause()
        self.push()

    def discard(self) -> None:
        """Forget what waits: its receiver is gone, or its sender lost power with it in the air."""
        self.waiting.clear()
        self.held = 0
        self._stop_writing()

    def stop(self) -> None:
        """Leave the event loop."""
        self.done = True
        self.pause()
        self._stop_writing()


class Session:
    """One connection between two hosts.

    Args:
        accepted: the caller's end; the caller believes to be connected already.
        out: the link from the caller to the called host; `back` the one that leads back.
        port: the private port of the called service on the loopback interface.
        patient: asked when the service refuses: whether its host has only just been started, so that one waits instead.
    """

    def __init__(
        self,
        pair: Pair,
        accepted: socket.socket,
        *,
        out: Link,
        back: Link,
        port: int,
        patient: Callable[[], bool],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.pair = pair
        self.out, self.back = out, back
        self._port = port
        self._patient = patient
        self._accepted = accepted
        self._called: socket.socket | None = None
        self._closed = False
        self._retry: asyncio.TimerHandle | None = None
        self._flows: tuple[Flow, ...] = ()
        out.sessions.add(self)
        back.sessions.add(self)
        self._flows = (Flow(self, accepted, out),)
        self._connect()

    def other(self, flow: Flow) -> Flow:
        """The flow of the other direction."""
        return self._flows[1] if flow is self._flows[0] else self._flows[0]

    def link_changed(self) -> None:
        """One of the two links was frozen or thawed."""
        if self._called is None:
            self._connect()
        for flow in self._flows:
            flow.push()

    def _connect(self) -> None:
        if self._closed or self._called is not None or self._retry or self.out.frozen or self.back.frozen:
            return
        called = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        called.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._called = called
        error = called.connect_ex(("127.0.0.1", self._port))
        if error == errno.EINPROGRESS:
            self.loop.add_writer(called, self._answered, called)
        else:
            self._connected(called, error)

    def _answered(self, called: socket.socket) -> None:
        self.loop.remove_writer(called)
        self._connected(called, called.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _connected(self, called: socket.socket, error: int) -> None:
        if error:
            called.close()
            self._called = None
            if self._patient():
                self._retry = self.loop.call_later(_PATIENCE_S, self._again)
            else:
                self.out.refused += 1
                self.abort()
            return
        self.out.connections += 1
        forward = self._flows[0]
        back = Flow(self, called, self.back)
        self._flows = (forward, back)
        forward.sink, back.sink = called, self._accepted
        forward.push()

    def _again(self) -> None:
        self._retry = None
        self._connect()

    def host_died(self, host: str) -> None:
        """The host lost its power: what it had sent but not delivered is gone, and so is what was on its way to it."""
        if len(self._flows) == 1:
            return  # Not connected yet: it still may be, when the host is back.
        for flow, sender in zip(self._flows, self.pair, strict=True):
            flow.discard()
            if sender == host:
                flow.fail()

    def flow_done(self) -> None:
        """One direction has ended; when both have, so has the session."""
        if len(self._flows) > 1 and all(flow.done for flow in self._flows):
            self._close()

    def abort(self) -> None:
        """End both connections with a reset."""
        for sock in (self._accepted, self._called):
            if sock is not None:
                abort_on_close(sock)
        self._close()

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        # Readers and writers leave the loop before their sockets close: a socket closed under the loop hangs its owner.
        for flow in self._flows:
            flow.stop()
        if self._retry:
            self._retry.cancel()
        if self._called is not None:
            self.loop.remove_writer(self._called)
            self._called.close()
        self._accepted.close()
        self.out.sessions.discard(self)
        self.back.sessions.discard(self)
