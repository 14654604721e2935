# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Entries that are HAProxy: drained by its runtime socket on their hosts, seen by `show stat`, given back by a timer there.

`entry: [haproxy]` finds the socket where distributions put it; `entry: haproxy:///run/haproxy.sock` says where it is.
"""

from __future__ import annotations

import json
import shlex
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from drdrill.connect import arp
from drdrill.connect.capabilities import Lease, Look, Ran, Renewal, Server
from drdrill.connect.many import Order, faults
from drdrill.connect.nftables_rules import table
from drdrill.connect.of_shells import OfShells
from drdrill.errors import DrdrillError, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.capabilities import Pair
    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate

_FORCED_DRAIN: Final = 0x08
"""Of `srv_admin_state` (HAProxy management guide, `show servers state`)."""


class HaproxyEntry(OfShells):
    """HAProxy on the entry hosts of an estate. Which server is which host is told by the address in the estate file."""

    name = "haproxy"
    capability = "entry"

    def __init__(self, estate: Estate, ways: Ways | None = None) -> None:
        super().__init__(estate, ways)
        self._program = files("drdrill.connect").joinpath("haproxy_agent.py").read_text()

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether HAProxy answers, lets us drain and give back, has no server that we do not know, and systemd takes a timer."""
        answers = self._ask(hosts, "ready")
        wrong = faults(answers)
        open_: set[str] = set()
        for host, ran in answers.items():
            if isinstance(ran, Ran) and host not in wrong:
                told = json.loads(ran.out)
                open_.update(told["open"])
                strange = [s["server"] for s in told["servers"] if self._host_of(s) is None]
                if strange:
                    wrong[host] = f"{host}: {', '.join(strange)} is no host of the estate file by name or address"
        words = [*wrong.values(), *(f"{hold} is still open" for hold in sorted(open_))]
        counts = {"hosts": len(answers), "unfit": len(wrong), "open": len(open_)}
        return Look(not words, "; ".join(words) or f"HAProxy of {len(answers)} hosts lets us drain", counts)

    def servers(self, host: str) -> Sequence[Server]:
        """The servers behind this entry host; one that is in several backends once. Raises WayInFailed."""
        found: dict[str, Server] = {}
        for server in self._told([host], "servers")[host]["servers"]:
            name = self._host_of(server) or str(server["server"])
            if name not in found:
                found[name] = Server(name, _state(server), backup=server["backup"], sessions=server["sessions"])
        return tuple(found.values())

    def drain(self, hold: str, drill: str, ways: Sequence[Pair], lease_s: float, hard_end_s: float) -> Lease:
        """Arm the timer on each entry host, then drain there. Raises WayInFailed."""
        table(hold)  # The same names as for tables: they become units and folders.
        at = {entry: [server for e, server in ways if e == entry] for entry, _ in ways}
        self._strikes(hold, drill, tuple(at))
        known = self._told(tuple(at), "servers")
        told = {}
        for entry, names in at.items():
            places = [s for s in known[entry]["servers"] if self._host_of(s) in names]
            if lacks := sorted(set(names) - {self._host_of(s) for s in places}):
                raise WayInFailed(f"{entry}: its HAProxy has no server {', '.join(lacks)}")
            told[entry] = {
                "hold": hold, "drill": drill, "ways": [[s["backend"], s["server"]] for s in places],
                "lease_s": lease_s, "hard_s": hard_end_s, "program": self._program,
            }  # fmt: skip
        first_ns = time.monotonic_ns()
        self._many.tell([self._order(entry, "drain", **what) for entry, what in told.items()])
        return Lease(min(lease_s, hard_end_s), first_ns, time.monotonic_ns())

    def renew(self, hold: str, lease_s: float) -> Renewal:
        """Extend on every host that answers; never strike again. Raises WayInFailed when none does."""
        orders = [self._order(host, "renew", hold=hold, lease_s=lease_s) for host in self._where(hold)]
        return self._renewed(orders, lambda out: str(json.loads(out)["words"]))

    def restore(self, hold: str) -> Lease:
        """Give the servers of this hold work again. Raises WayInFailed when a host does not answer; the others did."""
        first_ns = time.monotonic_ns()
        self._told(self._where(hold), "restore", hold=hold)
        return Lease(0.0, first_ns, time.monotonic_ns())

    def is_drained(self, hold: str, ways: Sequence[Pair]) -> Look:
        """True: this hold is open, and none of these servers gets new work there; False: all do; None: neither."""
        hosts = tuple(dict.fromkeys(entry for entry, _ in ways))
        answers = self._ask(hosts, "look", hold=hold)
        wrong = faults(answers)
        ours, out = 0, 0
        for entry, server in dict.fromkeys(ways):
            ran = answers[entry]
            if entry in wrong or not isinstance(ran, Ran):
                continue
            told = json.loads(ran.out)
            states = [_state(s) == "drained" for s in told["servers"] if self._host_of(s) == server]
            out += any(states)
            ours += told["open"] and bool(states) and all(states)
        total = len(set(ways))
        counts = {"drained": ours, "ways": total, "out": out}
        words = f"{ours} of {total} servers get no new work by {hold}"
        if wrong:
            return Look(None, f"{words}; {'; '.join(wrong.values())}", counts)
        if out > ours:
            words += f"; {out - ours} get none although this hold is not open"
        return Look(True if ours == total else None if out else False, words, counts)

    def holders(self, address: str, hosts: Sequence[str]) -> Sequence[str]:
        """Which of these hosts answer for this address, by ARP, as a host beside them hears it. Raises WayInFailed."""
        return arp.holders(self._many, self.estate, address, hosts)

    def _revoking(self, host: str, drill: str) -> Order:
        return self._order(host, "revoke", drill=drill)

    def _open(self, hosts: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        answers = self._ask(hosts, "holds")
        found = {
            str(hold): str(owner)
            for ran in answers.values()
            if isinstance(ran, Ran) and ran.status == 0
            for hold, owner in json.loads(ran.out)["holds"]
        }
        return found, {host: str(ran) for host, ran in answers.items() if isinstance(ran, DrdrillError)}

    def _host_of(self, server: dict[str, Any]) -> str | None:
        """Which host of the estate a server of HAProxy is: by its address, or by its name."""
        for name, host in self.estate.hosts.items():
            if server["address"] in host.addresses:
                return name
        return server["server"] if server["server"] in self.estate.hosts else None

    def _order(self, host: str, verb: str, **told: Any) -> Order:
        url = self.estate.hosts[host].url_of("entry", self.name)
        told["socket"] = urlsplit(url).path if url else ""
        return Order(host, f"python3 -c {shlex.quote(self._program)} {verb}", json.dumps(told))

    def _ask(self, hosts: Sequence[str], verb: str, **told: Any) -> dict[str, Ran | DrdrillError]:
        return self._many.ask([self._order(host, verb, **told) for host in dict.fromkeys(hosts)])

    def _told(self, hosts: Sequence[str], verb: str, **told: Any) -> dict[str, dict[str, Any]]:
        answers = self._many.tell([self._order(host, verb, **told) for host in dict.fromkeys(hosts)])
        return {host: json.loads(answer) for host, answer in answers.items()}


def _state(server: dict[str, Any]) -> Literal["up", "down", "drained", "stopped"]:
    """What `show stat` says, in our words. A server that is drained and down is drained: it gets no work when it comes back."""
    status = str(server["status"])
    if server["admin"] & _FORCED_DRAIN and not status.startswith("UP"):
        return "drained"
    if status.startswith("MAINT"):
        return "stopped"
    return "up" if status.startswith(("UP", "no check")) else "down"
