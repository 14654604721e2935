# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hold's own questions to hosts of a lab that are going to stand still: do their daemons answer, on old connections and new?

The daemons themselves are asked, on their own ports, over no link: what is silent here is the host and not the network. Each
question gets an answer at once, and without the database: a page that is not there, Patroni's liveness, PostgreSQL's yes or no
to encryption. The kernel of a stopped process accepts connections all the same, so only an answer counts, not a connection.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.capabilities import Look
from drdrill.connect.lab_talk import Talk, exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.lab_supervisor import Supervisor

_QUESTIONS: Final = {
    "http": b"GET /are-you-there HTTP/1.0\r\n\r\n",
    "rest": b"GET /liveness HTTP/1.0\r\n\r\n",
    "pg": bytes.fromhex("0000000804d2162f"),
    "ssh": b"SSH-2.0-drdrill\r\n",
}
"""Service of a lab's host, and what it is asked. `pg`: SSLRequest, which PostgreSQL answers with one byte before any login
(PostgreSQL documentation, Message Formats). `ssh`: its own line, which is answered with the server's (RFC 4253, 4.2). MariaDB is
not asked: it counts who leaves before the login, and blocks such a host after a hundred (max_connect_errors)."""
_FIRST_S: Final = 2.0
"""Until silence was heard once: a busy machine is not to be taken for a frozen one."""
_AGAIN_S: Final = 0.5
_OPENING_S: Final = 6.0


class LabQuestions:
    """Questions to these hosts. The connections that will be the old ones are opened, and their host proven awake, at once.

    Args:
        supervisor: says which services a host has, and where.
        hosts: who will stand still. One of them without any such service makes every look answer None.
    """

    def __init__(self, supervisor: Supervisor, hosts: Sequence[str]) -> None:
        known = supervisor.hello()["hosts"]
        self._ports: dict[tuple[str, str], tuple[str, int]] = {}
        for host in dict.fromkeys(hosts):
            for service in known[host].get("services", ()):
                if service in _QUESTIONS:
                    place: dict[str, Any] = {"from": host, "host": host, "service": service}
                    answer = supervisor.ask("address", **place)
                    self._ports[host, service] = str(answer["host"]), int(answer["port"])
        self._mute = sorted(set(hosts) - {host for host, _ in self._ports})
        self._silence = False
        self._old = {place: self._talk(place) for place in self._ports}
        deadline = time.monotonic() + _OPENING_S
        while self.look().answer is not True and not self._mute and time.monotonic() < deadline:
            self._silence = False

    def look(self) -> Look:
        """Ask everywhere, on the old connection and on a fresh one, and see what comes back."""
        fresh = {place: self._talk(place) for place in self._ports}
        exchange((*self._old.values(), *fresh.values()), _AGAIN_S if self._silence else _FIRST_S)
        looked = self._told(fresh)
        self._silence = looked.answer is False
        for place, talk in fresh.items():
            talk.close()
            if (
                self._old[place].answered or self._old[place].broken
            ):  # One question each: the next look needs one unused.
                self._old[place].close()
                self._old[place] = self._talk(place)
        return looked

    def close(self) -> None:
        """Close every connection."""
        for talk in self._old.values():
            talk.close()

    def _told(self, fresh: dict[tuple[str, str], Talk]) -> Look:
        old, new = (sum(talk.answered for talk in talks.values()) for talks in (self._old, fresh))
        asked = len(self._ports)
        counts: dict[str, float | int | str] = {
            "old_offered": asked, "old_answered": old, "new_offered": asked, "new_answered": new,
        }  # fmt: skip
        words = f"{old} of {asked} old and {new} of {asked} new connections were answered"
        if self._mute:
            return Look(None, f"{words}; nothing can be asked of {', '.join(self._mute)}", counts)
        if old + new in {0, 2 * asked}:
            return Look(old + new > 0, words, counts)
        some = {
            f"{host} ({service})" for t in (self._old, fresh) for (host, service), talk in t.items() if talk.answered
        }
        return Look(None, f"{words}; answers came from {', '.join(sorted(some))}", counts)

    def _talk(self, place: tuple[str, str]) -> Talk:
        host, port = self._ports[place]
        return Talk(port, _QUESTIONS[place[1]], host)
