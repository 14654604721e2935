# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hold's own traffic between real hosts: a small agent on each, started by its shell, calls all others over the data network.

For each pair one connection stays open, begun at either end, and each look begins fresh ones. The agents also say whose questions
they heard, so that one direction that is left open is seen although no answer comes back. What they are told goes over management.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shlex
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.capabilities import Look
from drdrill.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from subprocess import Popen

    from drdrill.connect.capabilities import Pair, Shell
    from drdrill.estate.model import Estate

_FIRST_S: Final = 1.0
"""Until silence was seen: a busy host is not to be taken for one that is cut off."""
_AGAIN_S: Final = 0.5
_OPENING_S: Final = 6.0
_ANSWER_S: Final = 5.0


class NftTraffic:
    """Traffic over these pairs; the connections that will be the old ones are opened, and used, at once.

    Args:
        shell: gives the shell of a host.
        estate: says which address each host's own traffic has: its first one.
        pairs: the ordered pairs that will be cut.
    """

    def __init__(self, shell: Callable[[str], Shell], estate: Estate, pairs: Sequence[Pair]) -> None:
        self._pairs = tuple(dict.fromkeys(pairs))
        self._ways = tuple(dict.fromkeys(way for a, b in self._pairs for way in ((a, b), (b, a))))
        self._agents: dict[str, Popen[bytes]] = {}
        self._rest: dict[str, bytes] = {}
        self._lost: dict[str, str] = {}
        self._silence = False
        self._old_missing = set(self._ways)
        hosts = list(dict.fromkeys(host for pair in self._pairs for host in pair))
        self._start(shell, hosts)
        address = {host: estate.hosts[host].addresses[0] for host in hosts}
        listening = self._tell({host: {"listen": address[host]} for host in hosts}, _ANSWER_S)
        calls: dict[str, dict[str, list[Any]]] = {host: {} for host in hosts}
        for a, b in self._ways:
            if b in listening:
                calls[a][b] = [address[b], listening[b]["port"]]
        self._tell({host: {"me": host, "peers": calls[host]} for host in hosts}, _ANSWER_S)
        deadline = time.monotonic() + _OPENING_S
        while not self._lost and time.monotonic() < deadline and (self._old_missing or self.look().answer is not True):
            if self._old_missing:
                self.look()

    def look(self) -> Look:
        """Offer a question on every connection, old and fresh, at every host at once. Half a second where nothing answers."""
        if not self._silence:
            # Before: what was heard while it was open proves nothing. After silence everything counts, also between two looks.
            self._tell({host: {"clear": True} for host in self._agents}, _ANSWER_S)
        within_s = _AGAIN_S if self._silence else _FIRST_S
        told = self._tell({host: {"look": within_s} for host in self._agents}, within_s + _ANSWER_S)
        looked = self._told(told)
        self._silence = looked.answer is False
        return looked

    def close(self) -> None:
        """End the agents, and with them every connection."""
        for agent in self._agents.values():
            _end(agent)
        self._agents.clear()

    def _told(self, told: Mapping[str, Mapping[str, Any]]) -> Look:
        old = {(a, b): told[a]["old"].get(b) for a, b in self._ways if a in told}
        new = {(a, b): bool(told[a]["new"].get(b)) for a, b in self._ways if a in told}
        missing = {way for way in self._ways if old.get(way) is None}
        self._old_missing = missing - {way for way, answered in new.items() if answered}
        heard = {(a, b) for a, b in self._pairs if b in told and a in told[b]["heard"]}
        answered = {way for ways in (old, new) for way, good in ways.items() if good}
        through = {(a, b) for a, b in self._pairs if (a, b) in heard or (a, b) in answered or (b, a) in answered}
        old_offered, old_answered = len(self._ways) - len(missing), sum(bool(good) for good in old.values())
        counts: dict[str, float | int | str] = {
            "pairs": len(self._pairs), "through": len(through), "heard": len(heard),
            "old_offered": old_offered, "old_answered": old_answered,
            "new_offered": len(new), "new_answered": sum(new.values()),
        }  # fmt: skip
        words = (
            f"{old_answered} of {old_offered} old and {sum(new.values())} of {len(new)} new connections answered; "
            f"questions arrived over {len(heard)} of {len(self._pairs)} links"
        )
        if self._lost:
            return Look(None, f"{words}; {'; '.join(self._lost.values())}", counts)
        if not through:
            if missing:
                without = ", ".join(f"{a}>{b}" for a, b in sorted(missing)[:5])
                return Look(None, f"{words}; there was no old connection on {without}", counts)
            return Look(False, words, counts)
        if not missing and old_answered == old_offered and all(new.values()):
            return Look(True, words, counts)
        some = ", ".join(f"{a}>{b}" for a, b in sorted(through)[:5])
        return Look(None, f"{words}; something got through on {some}", counts)

    def _start(self, shell: Callable[[str], Shell], hosts: Sequence[str]) -> None:
        source = files("drdrill.connect").joinpath("traffic_agent.py").read_text()
        for host in hosts:
            try:
                self._agents[host] = shell(host).talk(host, f"exec python3 -c {shlex.quote(source)}")
                self._rest[host] = b""
            except DrdrillError as error:
                self._lost[host] = str(error)

    def _tell(self, what: Mapping[str, Mapping[str, Any]], within_s: float) -> dict[str, Any]:
        """Tell each agent a line and hear its answer. An agent that gives none is lost, and said."""
        deadline, found = time.monotonic() + within_s, {}
        with selectors.DefaultSelector() as selector:
            for host, line in what.items():
                agent = self._agents.get(host)
                if agent is None or agent.stdin is None or agent.stdout is None:
                    continue
                try:
                    agent.stdin.write(json.dumps(line).encode() + b"\n")
                    agent.stdin.flush()
                    selector.register(agent.stdout, selectors.EVENT_READ, host)
                except OSError:
                    self._lose(host, "has ended")
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    host = key.data
                    data = os.read(key.fd, 1 << 16)
                    self._rest[host] += data
                    line_, newline, rest = self._rest[host].partition(b"\n")
                    if newline:
                        self._rest[host] = rest
                        found[host] = json.loads(line_)
                        selector.unregister(key.fileobj)
                    elif not data:
                        selector.unregister(key.fileobj)
                        self._lose(host, "has ended")
            for key in list(selector.get_map().values()):
                self._lose(key.data, f"did not answer within {within_s:g} s")
        return found

    def _lose(self, host: str, why: str) -> None:
        self._lost[host] = f"our agent on {host} {why}"
        if (agent := self._agents.pop(host, None)) is not None:
            _end(agent)


def _end(agent: Popen[bytes]) -> None:
    agent.kill()
    agent.wait()
    for pipe in (agent.stdin, agent.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
