# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Links cut by nftables on the hosts themselves: a table of our own for each hold, whose addresses time out in the kernel.

Nothing that is there is changed: a table is added, and taken away. Management is not cut, since only the addresses of the hosts'
own traffic are dropped, and our own shell's connection is let through where it comes from one of them. Who holds what is written on
the hosts, so any process can find and heal it.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from drdrill.connect.capabilities import Lease, Look, Ran, Renewal
from drdrill.connect.many import Order, faults
from drdrill.connect.nftables_host import SPLIT, command
from drdrill.connect.nftables_rules import cut_text, drops, in_force, renew_text, table
from drdrill.connect.nftables_traffic import NftTraffic
from drdrill.connect.of_shells import OfShells
from drdrill.errors import DrdrillError, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.capabilities import Pair, Traffic
    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate

_CS: Final = 100
"""Hundredths of a second, in which the hosts count."""
_CONNECTION: Final = 4
"""`SSH_CONNECTION`: the client's address and port, the server's address and port."""


class NftLinks(OfShells):
    """Cuts between hosts, by nftables on each of them."""

    name = "nftables"
    capability = "links"

    def __init__(self, estate: Estate, ways: Ways | None = None) -> None:
        super().__init__(estate, ways)
        self._peers: dict[str, tuple[str, int] | None] = {}

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether kernel, nft and systemd of each host do what a cut and its end need, tried in a transaction that leaves nothing.

        Also whether each host has the addresses that the estate file gives: a cut of others would cut nothing.
        """
        answers = self._many.ask([Order(host, command("ready")) for host in dict.fromkeys(hosts)])
        wrong = faults(answers)
        for host, ran in answers.items():
            if isinstance(ran, Ran) and host not in wrong:
                here = {word.partition("/")[0] for word in ran.out.split() if "/" in word}
                if not (addresses := self.estate.hosts[host].addresses):
                    wrong[host] = f"{host}: the estate file gives it no `address`"
                elif lacks := [address for address in addresses if address not in here]:
                    wrong[host] = f"{host}: it does not have the address {', '.join(lacks)} of the estate file"
        left = self._open(hosts)[0]
        words = [*wrong.values(), *(f"{hold} is still open" for hold in sorted(left))]
        good = f"nftables of {len(answers)} hosts takes a table with timeouts, and systemd a timer"
        counts = {"hosts": len(answers), "unfit": len(wrong), "open": len(left)}
        return Look(not words, "; ".join(words) or good, counts)

    def traffic(self, pairs: Sequence[Pair]) -> Traffic | None:
        """Old and fresh connections between the hosts, over exactly these pairs; None where a host has no address."""
        if any(not self.estate.hosts[host].addresses for pair in pairs for host in pair):
            return None
        return NftTraffic(self._many.shell, self.estate, pairs)

    def cut(self, hold: str, drill: str, pairs: Sequence[Pair], lease_s: float, hard_end_s: float) -> Lease:
        """Arm the hard end everywhere, then cut everywhere, each host in one transaction. Raises WayInFailed, BadInput."""
        table(hold)
        wanted = drops(self.estate, pairs)
        self._strikes(hold, drill, tuple(wanted))
        self._find_peers(tuple(wanted))
        hard_cs, lease_cs = round(hard_end_s * _CS), max(1, round(lease_s * _CS))
        orders = []
        for host, drop in wanted.items():
            forwards = self.estate.hosts[host].role != "router"
            text = cut_text(hold, drill, drop, forwards=forwards, peer=self._peers.get(host))
            given = f"{text}{SPLIT}\n{renew_text(hold, drop)}"
            orders.append(Order(host, command("arm", hold, drill, hard_cs), given))
        self._many.tell(orders)
        first_ns = time.monotonic_ns()
        self._many.tell([Order(host, command("cut", hold, lease_cs)) for host in wanted])
        return Lease(lease_s, first_ns, time.monotonic_ns())

    def _find_peers(self, hosts: Sequence[str]) -> None:
        """From where our shells come, as each host sees it."""
        new = [host for host in hosts if host not in self._peers]
        answers = self._many.ask([Order(host, 'echo "${SSH_CONNECTION-}"') for host in new], root=False)
        for host, ran in answers.items():
            if isinstance(ran, Ran):
                words = ran.out.split()
                self._peers[host] = (words[0], int(words[3])) if len(words) == _CONNECTION else None

    def renew(self, hold: str, lease_s: float) -> Renewal:
        """Extend on every host that answers; never strike again. Raises WayInFailed when none does."""
        return self._renewed([Order(h, command("renew", hold, round(lease_s * _CS))) for h in self._where(hold)])

    def restore(self, hold: str) -> Lease:
        """Take the table, and then the timer, away on every host. Raises WayInFailed when one does not answer; the others did."""
        first_ns = time.monotonic_ns()
        self._many.tell([Order(host, command("restore", hold)) for host in self._where(hold)])
        return Lease(0.0, first_ns, time.monotonic_ns())

    def is_cut(self, hold: str, pairs: Sequence[Pair]) -> Look:
        """True: every host drops every address that it must, by this hold; False: none drops any; None: neither."""
        wanted = drops(self.estate, pairs)
        answers = self._many.ask([Order(host, command("look", hold)) for host in wanted])
        wrong, all_, some, packets = faults(answers), 0, 0, 0
        for host, ran in answers.items():
            if host in wrong or not isinstance(ran, Ran):
                continue
            from_, to, dropped = (set[str](), set[str](), 0) if ran.out.strip() == "none" else _listed(ran.out)
            all_ += wanted[host].from_ <= from_ and wanted[host].to <= to
            some += bool(from_ or to)
            packets += dropped
        counts = {"cut": all_, "hosts": len(wanted), "packets": packets}
        words = f"{all_} of {len(wanted)} hosts drop what is cut by {hold}; {packets} packets were dropped"
        if wrong:
            return Look(None, f"{words}; {'; '.join(wrong.values())}", counts)
        return Look(True if all_ == len(wanted) else None if some else False, words, counts)

    def _revoking(self, host: str, drill: str) -> Order:
        return Order(host, command("revoke", drill))

    def _open(self, hosts: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        answers = self._many.ask([Order(host, command("holds")) for host in dict.fromkeys(hosts)])
        found: dict[str, str] = {}
        for ran in answers.values():
            for line in ran.out.splitlines() if isinstance(ran, Ran) else ():
                _, hold, *drill = line.split(" ", 2)
                found[hold] = found.get(hold) or "".join(drill)
        return found, {host: str(ran) for host, ran in answers.items() if isinstance(ran, DrdrillError)}


def _listed(text: str) -> tuple[set[str], set[str], int]:
    try:
        return in_force(json.loads(text))
    except ValueError as error:
        raise WayInFailed(f"what nft lists cannot be read: {error}") from error
