# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Services whose outages are known to the millisecond: one process that plays scripts and keeps the times of what it did.

What the truth is. A service is away from the moment from which a request that arrives is not answered well, to the moment
from which one is again. "Arrives" means that the last byte of the request is in the server's kernel. The process has one
thread, and before it changes anything it answers, in the old way, all that has arrived; only when it finds nothing more to
read does the moment at which it began to look count. So everything that arrived before that moment was treated in the old
way and everything after it in the new one, however late this process is scheduled. Where a port opens the moment lies
between two readings of the clock, before and after the call; both are kept.
"""

from __future__ import annotations

import heapq
import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WAYS = {
    "refused": "the port is closed, and open connections are reset",
    "silent": "a request that arrives is never answered",
    "stalled": "a request that arrives is answered when the outage ends",
    "failing": "it is answered at once, with 503",
    "wrong": "it is answered at once, with 200 and a body that says it is not ready",
    "broken": "its connection is reset instead of an answer",
}
HOLDS_BACK = frozenset({"silent", "stalled"})
"""Ways in which a client learns nothing before its latency bound has passed."""


class Bit(NamedTuple):
    """One time of being away: from `begin`, to a moment between `ended` and `end`. CLOCK_MONOTONIC ns of this machine."""

    way: str
    begin: int
    ended: int
    end: int


class Script:
    """Scripted services, from the test's side. Where no service is named the first one is meant."""

    def __init__(self, services: int = 1) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(services)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.ports: list[int] = json.loads(self.process.stdout.readline())["ports"]
        self.port = self.ports[0]
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        self.url = self.urls[0]

    def outage(self, way: str, seconds: float) -> tuple[int, int]:
        """Be away for so long; returns when it began and ended, CLOCK_MONOTONIC ns of the same machine."""
        self.begin(way, seconds)
        return self.ended()

    def begin(self, way: str, seconds: float) -> None:
        """Be away for so long; `ended` waits for the end."""
        self.play([(0.0, way, seconds)])

    def ended(self) -> tuple[int, int]:
        """When the outage that was begun began and ended."""
        (bit,) = self.played()[1]
        return bit.begin, bit.end

    def play(self, bits: Sequence[tuple[float, str, float]], service: int = 0) -> None:
        """Play a script: so many seconds good, the way, so many seconds away, and on. `played` waits for its end."""
        self._command(do="play", service=service, bits=[list(bit) for bit in bits])

    def come_back(self) -> None:
        """Every service that is away comes back now, whatever its script says, and goes on with it."""
        self._command(do="come back", service=0)

    def played(self) -> tuple[int, list[Bit]]:
        """The next service that has played its script, and its truth."""
        told = self._answer()
        return told["service"], [Bit(*bit) for bit in told["bits"]]

    def rows(self) -> list[str]:
        """The keys of every write that was acknowledged."""
        self._command(do="rows", service=0)
        found: list[str] = self._answer()["rows"]
        return found

    def _command(self, **what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


@dataclass(eq=False)
class Request:
    """One connection, and what has come in on it."""

    sock: socket.socket
    service: Service
    came: bytes = b""
    waiting: deque[tuple[bytes, bytes]] = field(default_factory=deque)


class Service:
    """One of the services. It answers GET with 200 and POST with 201, unless it is away; see WAYS."""

    def __init__(self, server: Server, number: int) -> None:
        self.server = server
        self.number = number
        self.way = ""
        self.outage = 0
        self.rows: list[str] = []
        self.bits: list[Bit] = []
        self.script: deque[tuple[float, str, float]] = deque()
        self.open: set[Request] = set()
        # It is bound and never listens: the port stays ours while it is closed, and the kernel refuses whoever calls.
        self.held = _bound(0)
        self.port = self.held.getsockname()[1]
        self.listener: socket.socket | None = None
        self.listen()

    def listen(self) -> None:
        self.listener = _bound(self.port)
        self.listener.setblocking(False)
        self.listener.listen(1024)
        self.server.watch(self.listener, self.accept)

    def accept(self) -> None:
        assert self.listener is not None
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        request = Request(sock, self)
        self.open.add(request)
        self.server.watch(sock, lambda: self.read(request))

    def read(self, request: Request) -> None:
        try:
            came = request.sock.recv(65536)
        except ConnectionError:
            came = b""
        if not came:
            self.drop(request)
            return
        request.came += came
        while found := _whole(request.came):
            head, body, request.came = found
            self.serve(request, head, body)

    def serve(self, request: Request, head: bytes, body: bytes) -> None:
        if self.way == "broken":
            self.drop(request, reset=True)
        elif self.way == "stalled":
            request.waiting.append((head, body))
        elif self.way != "silent":
            self.answer(request, head, body)

    def answer(self, request: Request, head: bytes, body: bytes) -> None:
        ready = b'{"ready": false}' if self.way == "wrong" else b'{"ready": true} '
        if self.way == "failing":
            status = b"503 No"
        elif head.startswith(b"POST") and self.way != "wrong":
            status = b"201 Created"
            self.rows.append(json.loads(body)["key"])
        else:
            status = b"200 OK"
        try:
            request.sock.send(b"HTTP/1.1 %s\r\nContent-Length: 16\r\n\r\n%s" % (status, ready))
        except ConnectionError:
            self.drop(request)

    def drop(self, request: Request, *, reset: bool = False) -> None:
        if request not in self.open:
            return
        self.open.discard(request)
        self.server.forget(request.sock)
        if reset:
            request.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.sock.close()

    def play(self, bits: Sequence[tuple[float, str, float]]) -> None:
        self.script.extend(bits)
        self.bits = []
        self.server.at(time.monotonic_ns() + round(self.script[0][0] * 1e9), self.go)

    def go(self) -> None:
        """Go away, as the script says."""
        _, way, seconds = self.script.popleft()
        self.began = self.server.settled()
        self.way = way
        if way == "refused":
            assert self.listener is not None
            self.server.forget(self.listener)
            self.listener.close()
            for request in list(self.open):
                self.drop(request, reset=True)
        self.outage += 1
        outage = self.outage
        self.server.at(self.began + round(seconds * 1e9), lambda: self.come_back(outage))

    def come_back(self, outage: int) -> None:
        if not self.way or outage != self.outage:
            return  # it came back before its time
        way, ended = self.way, self.server.settled()
        if way == "refused":
            ended = time.monotonic_ns()
            self.listen()
        self.way = ""
        end = time.monotonic_ns() if way == "refused" else ended
        self.bits.append(Bit(way, self.began, ended, end))
        for request in list(self.open):
            while request.waiting:
                self.answer(request, *request.waiting.popleft())
        if self.script:
            self.server.at(end + round(self.script[0][0] * 1e9), self.go)
        else:
            say(service=self.number, bits=self.bits)


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def _whole(came: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Head and body of the first request if all of it has come, and the rest."""
    head, end, rest = came.partition(b"\r\n\r\n")
    if not end:
        return None
    size = next((int(x.split(b":")[1]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
    return (head, rest[:size], rest[size:]) if len(rest) >= size else None


class Server:
    """The one thread: what has arrived, and what is due."""

    def __init__(self, services: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.due: list[tuple[int, int, Callable[[], None]]] = []
        self.planned = 0
        self.half = b""
        self.services = [Service(self, n) for n in range(services)]
        self.selector.register(0, selectors.EVENT_READ, self.obey)

    def watch(self, sock: socket.socket, come: Callable[[], None]) -> None:
        self.selector.register(sock, selectors.EVENT_READ, come)

    def forget(self, sock: socket.socket) -> None:
        self.selector.unregister(sock)

    def at(self, ns: int, what: Callable[[], None]) -> None:
        self.planned += 1
        heapq.heappush(self.due, (ns, self.planned, what))

    def settled(self) -> int:
        """Treat all that has arrived; returns the moment before it was found that nothing more had."""
        while True:
            now = time.monotonic_ns()
            if not self.look(0):
                return now

    def look(self, seconds: float | None) -> bool:
        """Treat what has arrived; whether there was anything besides commands."""
        ready = [key for key, _ in self.selector.select(seconds)]
        for key in ready:
            # A connection that was dropped meanwhile is not watched any more.
            if self.selector.get_map().get(key.fd) is key and key.fd != 0:
                key.data()
        return any(key.fd != 0 for key in ready)

    def obey(self) -> None:
        text = os.read(0, 65536)
        if not text:
            raise SystemExit
        *lines, self.half = (self.half + text).split(b"\n")
        for line in lines:
            told = json.loads(line)
            service = self.services[told["service"]]
            if told["do"] == "play":
                service.play([tuple(bit) for bit in told["bits"]])
            elif told["do"] == "come back":
                for each in self.services:
                    each.come_back(each.outage)
            else:
                say(rows=service.rows)

    def run(self) -> None:
        while True:
            left = None if not self.due else max(0.0, (self.due[0][0] - time.monotonic_ns()) / 1e9)
            for key, _ in self.selector.select(left):
                if self.selector.get_map().get(key.fd) is key:
                    key.data()
            while self.due and self.due[0][0] <= time.monotonic_ns():
                heapq.heappop(self.due)[2]()


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - it is how the two sides talk


def main() -> None:
    server = Server(int(sys.argv[1]))
    say(ports=[service.port for service in server.services])
    server.run()


if __name__ == "__main__":
    main()
