# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Who answers for an address, asked by ARP from a host beside it: what its neighbours believe, not what is configured."""

from __future__ import annotations

import ipaddress
import json
import shlex
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from drdrill.connect.capabilities import Ran
from drdrill.connect.many import Order, faults
from drdrill.errors import DrdrillError, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.many import Many
    from drdrill.estate.model import Estate

LISTEN_S: Final = 0.3
_TRIES: Final = 3
_BEST: Final = ("probe", "router", "client")
"""Whom to ask from first: who is struck least."""


def holders(many: Many, estate: Estate, address: str, hosts: Sequence[str]) -> tuple[str, ...]:
    """Which of these hosts answer for this address now.

    Raises:
        WayInFailed: nobody beside them can be asked, or an answer comes from none of them.
    """
    beside = neighbours(estate, address, hosts)
    if not beside:
        raise WayInFailed(
            f"nobody can be asked who answers for {address}: no other host of the estate file with a shell has an address "
            "in its network (`networks:` of the site)"
        )
    wrong: list[str] = []
    for host in beside[:_TRIES]:
        own = {h: a for h in hosts for a in estate.hosts[h].addresses[:1]}
        answers = many.ask([_order(estate, host, address, (*own.values(), address))])
        if problem := faults(answers):
            wrong.extend(problem.values())
            continue
        ran = answers[host]
        heard = json.loads(ran.out) if isinstance(ran, Ran) else {}
        return _named(many, address, hosts, heard=heard, own=own, beside=host)
    raise WayInFailed(f"nobody can be asked who answers for {address}: {'; '.join(wrong)}")


def neighbours(estate: Estate, address: str, hosts: Sequence[str]) -> list[str]:
    """The other hosts of the network of this address that have a shell, the least disturbed first. Pure."""
    network = network_of(estate, address)
    found = [
        host.name
        for host in estate.hosts.values()
        if host.name not in hosts and host.ways_in("shell") and _address_in(host.addresses, network)
    ]
    return sorted(found, key=lambda name: _rank(estate.hosts[name].role))


def network_of(estate: Estate, address: str) -> ipaddress.IPv4Network | None:
    """The network that the estate file gives for it, by any of its sites. Pure."""
    try:
        wanted = ipaddress.IPv4Address(address)
    except ValueError:
        return None
    networks = (ipaddress.ip_network(n) for site in estate.sites.values() for n in site.networks)
    return next((n for n in networks if isinstance(n, ipaddress.IPv4Network) and wanted in n), None)


def _address_in(addresses: Sequence[str], network: ipaddress.IPv4Network | None) -> str | None:
    if network is None:
        return None
    return next((a for a in addresses if ":" not in a and ipaddress.IPv4Address(a) in network), None)


def _rank(role: str) -> int:
    return _BEST.index(role) if role in _BEST else len(_BEST)


def _order(estate: Estate, host: str, address: str, targets: Sequence[str]) -> Order:
    source = files("drdrill.connect").joinpath("arp_agent.py").read_text()
    own = _address_in(estate.hosts[host].addresses, network_of(estate, address))
    words = shlex.join(["python3", "-c", source, str(own), str(LISTEN_S), *dict.fromkeys(targets)])
    return Order(host, words)


def _named(
    many: Many, address: str, hosts: Sequence[str], *, heard: dict[str, list[str]], own: dict[str, str], beside: str
) -> tuple[str, ...]:
    """The hosts to whom the answers belong. Raises WayInFailed for an answer that is nobody's."""
    cards = {host: set(heard.get(own.get(host, ""), [])) for host in hosts}
    strange = set(heard[address]) - set().union(*cards.values())
    if strange:
        # Not every card has an address of its own: ask the hosts which they have.
        answers = many.ask([Order(host, "cat /sys/class/net/*/address") for host in hosts], root=False)
        for host, ran in answers.items():
            if not isinstance(ran, DrdrillError):
                cards[host] |= {word.replace(":", "") for word in ran.out.split()}
        strange -= set().union(*cards.values())
    if strange:
        macs = ", ".join(_mac(mac) for mac in sorted(strange))
        raise WayInFailed(
            f"{macs} answers for {address}, and is none of {', '.join(hosts)}, as {beside} hears it: "
            "another machine has this address"
        )
    return tuple(host for host in hosts if cards[host] & set(heard[address]))


def _mac(digits: str) -> str:
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))
