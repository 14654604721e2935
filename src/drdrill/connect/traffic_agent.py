# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A host's end of a hold's own traffic, as the text that a host runs with `python3 -c`.

Python 3.7 and its standard library only.

One JSON object a line on standard input, one as an answer; it ends with its input.

    {"listen": ADDRESS}                          -> {"port": N}           answers every line of everybody with that line
    {"me": NAME, "peers": {NAME: [ADDRESS, N]}}  -> {"peers": COUNT}      whom it will call
    {"clear": true}                              -> {"cleared": true}     forget who was heard
    {"look": SECONDS}  -> {"old": {NAME: bool}, "new": {NAME: bool}, "heard": [NAME, ...]}
        A question on the old connection to each peer, where there is one, and on a fresh one; whether each was answered within
        so many seconds, and who was heard here since `clear`.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import sys
import time
from typing import Any

_LONGEST = 1 << 16


class Served:
    """A caller of ours: each of its lines begins with its name, and is sent back."""

    def __init__(self, agent: Agent, sock: socket.socket) -> None:
        self.agent = agent
        self.sock = sock
        self.rest = b""

    def ready(self) -> None:
        """Read, note who it was, answer."""
        try:
            data = self.sock.recv(_LONGEST)
            *lines, self.rest = (self.rest + data).split(b"\n")
            for line in lines:
                self.agent.heard.add(line.split(b" ")[0].decode())
                self.sock.send(line + b"\n")
        except BlockingIOError:
            return
        except (OSError, ValueError):
            data = b""
        if not data:
            self.agent.forget(self.sock)


class Call:
    """A connection of ours to a peer, and the question that is open on it."""

    def __init__(self, agent: Agent, place: list[Any]) -> None:
        self.agent = agent
        self.sock = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET)
        self.sock.setblocking(False)
        self.broken = self.answered = False
        self.question = self.unsent = self.heard = b""
        try:
            self.sock.bind((agent.address, 0))
            self.sock.connect_ex(tuple(place))
            agent.selector.register(self.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)
        except OSError:
            self.broken = True

    def ask(self) -> None:
        """A new question."""
        self.answered = False
        self.heard = b""
        self.question = self.agent.me.encode() + b" " + os.urandom(8).hex().encode() + b"\n"
        self.unsent += self.question
        if not self.broken:
            self.agent.selector.modify(self.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def ready(self) -> None:
        """Send what is to be asked, read what came back."""
        try:
            if self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
            self.agent.selector.modify(self.sock, selectors.EVENT_READ, self)
            data = self.sock.recv(_LONGEST)
            self.heard = (self.heard + data)[-_LONGEST:]
            self.broken = not data
        except BlockingIOError:
            pass
        except OSError:
            self.broken = True
        self.answered = self.answered or (bool(self.question) and self.question in self.heard)
        if self.broken:
            self.agent.forget(self.sock)

    def close(self) -> None:
        """Close."""
        self.agent.forget(self.sock)


class Agent:
    """One loop over everything; `inside` is what it is told by, `outside` where it answers."""

    def __init__(self, inside: int, outside: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.inside, self.outside = inside, outside
        self.rest = b""
        self.me = self.address = ""
        self.peers: dict[str, list[Any]] = {}
        self.old: dict[str, Call] = {}
        self.new: dict[str, Call] = {}
        self.heard: set[str] = set()
        self.until: float | None = None
        self.selector.register(inside, selectors.EVENT_READ, self)
        self.ended = False

    def run(self) -> None:
        """Until the input ends."""
        while not self.ended:
            wait = None if self.until is None else max(0.0, self.until - time.monotonic())
            for key, _ in self.selector.select(wait):
                key.data.ready()
            if self.until is not None and (self.settled() or time.monotonic() >= self.until):
                self.tell()

    def ready(self) -> None:
        """A line to be obeyed."""
        data = os.read(self.inside, _LONGEST)
        self.ended = not data
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.obey(json.loads(line))

    def obey(self, told: dict[str, Any]) -> None:
        """Do one of them."""
        if "listen" in told:
            self.address = told["listen"]
            family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
            server = socket.create_server((self.address, 0), family=family)
            server.setblocking(False)
            self.selector.register(server, selectors.EVENT_READ, Door(self, server))
            self.say({"port": server.getsockname()[1]})
        elif "peers" in told:
            self.me, self.peers = told["me"], told["peers"]
            self.say({"peers": len(self.peers)})
        elif "clear" in told:
            self.heard.clear()
            self.say({"cleared": True})
        else:
            self.new = {name: Call(self, place) for name, place in self.peers.items()}
            for call in (*self.old.values(), *self.new.values()):
                call.ask()
            self.until = time.monotonic() + told["look"]

    def settled(self) -> bool:
        """Whether nothing more can come of this look."""
        return all(call.answered or call.broken for call in (*self.old.values(), *self.new.values()))

    def tell(self) -> None:
        """What came of this look. A fresh connection becomes the old one where there is none that is whole."""
        self.until = None
        old = {name: self.old[name].answered if name in self.old else None for name in self.peers}
        new = {name: call.answered for name, call in self.new.items()}
        for name, call in self.new.items():
            known = self.old.get(name)
            if call.answered and (known is None or known.broken):
                self.old[name] = call
            else:
                call.close()
        self.say({"old": old, "new": new, "heard": sorted(self.heard)})

    def forget(self, sock: socket.socket) -> None:
        """Close a socket that is watched."""
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(sock)
        sock.close()

    def say(self, what: dict[str, Any]) -> None:
        """One answer."""
        os.write(self.outside, json.dumps(what).encode() + b"\n")


class Door:
    """Where callers arrive."""

    def __init__(self, agent: Agent, server: socket.socket) -> None:
        self.agent = agent
        self.server = server

    def ready(self) -> None:
        """Take one."""
        try:
            sock, _ = self.server.accept()
        except OSError:
            return
        sock.setblocking(False)
        self.agent.selector.register(sock, selectors.EVENT_READ, Served(self.agent, sock))


if __name__ == "__main__":
    try:
        Agent(sys.stdin.fileno(), sys.stdout.fileno()).run()
    except OSError as error:
        sys.exit(f"{error.strerror}: {sys.argv[0]}")
