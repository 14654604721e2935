# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which addresses each host must drop for a cut, and the nft text that does it. Pure.

A pair (a, b) is cut at both of its ends: a sends nothing to b, and b takes nothing from a. So one end that does not obey leaves a
cut all the same, and whatever address a virtual one's holder uses, its own end drops it. The addresses stand in sets whose elements
time out by themselves: the lease is the kernel's.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drdrill.connect.capabilities import Pair
    from drdrill.estate.model import Estate

LEASE: Final = "@LEASE@"
"""Stands in the texts where the host puts the time that is left: `29500ms`."""
PREFIX: Final = "drdrill_"
_HOLD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,180}")
_COMMENT: Final = 120
"""A comment of nft holds 128 bytes."""
_PRIORITY: Final = -300
"""Before anything that the host itself filters (raw)."""


@dataclass
class Drops:
    """What one host drops: what comes `from_` these addresses, and what goes `to` these."""

    from_: set[str] = field(default_factory=set)
    to: set[str] = field(default_factory=set)


def table(hold: str) -> str:
    """The name of the table of a hold. Raises BadInput for a hold that can have none."""
    if not _HOLD.fullmatch(hold):
        raise BadInput(f"{hold!r} cannot be the name of a hold here: letters, digits, dots, dashes and underscores")
    return PREFIX + hold


def drops(estate: Estate, pairs: Sequence[Pair]) -> dict[str, Drops]:
    """What each host of these pairs drops.

    Raises:
        BadInput: the estate file gives no address for one of them.
    """
    shared, cut = _shared(estate, pairs), frozenset(pairs)
    found: dict[str, Drops] = {host: Drops() for pair in pairs for host in pair}
    for a, b in pairs:
        found[a].to.update(_addresses(estate, b))
        found[b].from_.update(_addresses(estate, a))
    for a, b in pairs:
        found[a].to.update(address for address, hosts in shared.items() if b in hosts and _all(cut, a, hosts, to=True))
        found[b].from_.update(
            address for address, hosts in shared.items() if a in hosts and _all(cut, b, hosts, to=False)
        )
    return found


def _addresses(estate: Estate, host: str) -> tuple[str, ...]:
    addresses = estate.hosts[host].addresses
    if not addresses:
        raise BadInput(f"{estate.path}: host {host} has no `address`, so nothing from or to it can be cut by nftables")
    return addresses


def _shared(estate: Estate, pairs: Sequence[Pair]) -> dict[str, set[str]]:
    """The addresses of services, and the entry hosts among which each moves."""
    named = {host for pair in pairs for host in pair}
    found: dict[str, set[str]] = {}
    for service in estate.services.values():
        for site, url in service.endpoints.items():
            hosts = {host for host in service.hosts.get("entry", ()) if estate.hosts[host].site == site}
            address = urlsplit(url).hostname or ""
            if hosts & named and _version(address):
                found.setdefault(address, set()).update(hosts)
    return found


def _all(pairs: frozenset[Pair], other: str, hosts: Iterable[str], *, to: bool) -> bool:
    """Whether every one of these hosts is cut from the other one: the address must not vanish while one may still serve it."""
    return all(((other, host) if to else (host, other)) in pairs for host in hosts)


def _version(address: str) -> int | None:
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return None


def cut_text(hold: str, drill: str, drops: Drops, *, forwards: bool, peer: tuple[str, int] | None = None) -> str:
    """The table of a hold, for `nft -f`: one transaction.

    Args:
        hold: its tag.
        drill: the drill's, for the comment that a person reads.
        drops: the addresses.
        forwards: whether what the host forwards is cut as well (for containers on it; not on a router).
        peer: where our own shell comes from, and the port that it uses here: never dropped.
    """
    sets: list[str] = []
    rules = {
        "input": _exempt(drops.from_, peer, "saddr", "dport"),
        "output": _exempt(drops.to, peer, "daddr", "sport"),
    }
    for name, end, addresses, chain in (("from", "saddr", drops.from_, "input"), ("to", "daddr", drops.to, "output")):
        for version, family in ((4, "ip"), (6, "ip6")):
            members = sorted(a for a in addresses if _version(a) == version)
            if members:
                elements = ", ".join(f"{member} timeout {LEASE}" for member in members)
                sets.append(
                    f"set {name}{version} {{ type ipv{version}_addr; flags timeout; elements = {{ {elements} }}; }}"
                )
                rules[chain].append(f"{family} {end} @{name}{version} counter name {name} drop")
    if forwards:
        rules["forward"] = [rule for chain in ("input", "output") for rule in rules[chain] if rule.endswith("drop")]
    chains = [
        f"chain {chain} {{ type filter hook {chain} priority {_PRIORITY}; policy accept; {'; '.join(lines)}; }}"
        for chain, lines in rules.items()
        if lines
    ]
    comment = f"drill {drill} hold {hold}".replace('"', "'")[:_COMMENT]
    lines = [f'comment "{comment}"', "counter from { }", "counter to { }", *sets, *chains]
    return f"table inet {table(hold)} {{\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"


def _exempt(addresses: set[str], peer: tuple[str, int] | None, end: str, port: str) -> list[str]:
    if peer is None or peer[0] not in addresses:
        return []
    family = "ip6" if _version(peer[0]) == 6 else "ip"  # noqa: PLR2004 - IPv6
    return [f"{family} {end} {peer[0]} tcp {port} {peer[1]} accept"]


def renew_text(hold: str, drops: Drops) -> str:
    """The renewal, for `nft -f`: one transaction, which the kernel refuses as a whole once an element has run out.

    To delete is what makes it fail then. `add; delete; add` would not fail, and strike again.
    """
    lines = []
    for name, addresses in (("from", drops.from_), ("to", drops.to)):
        for version in (4, 6):
            members = sorted(a for a in addresses if _version(a) == version)
            if members:
                of = f"element inet {table(hold)} {name}{version}"
                timed = ", ".join(f"{member} timeout {LEASE}" for member in members)
                lines += [f"delete {of} {{ {', '.join(members)} }}", f"add {of} {{ {timed} }}"]
    return "".join(f"{line}\n" for line in lines)


def in_force(listed: Mapping[str, object]) -> tuple[set[str], set[str], int]:
    """What `nft -j list table` says: the addresses that are dropped on their way in, on their way out, and packets dropped."""
    from_: set[str] = set()
    to: set[str] = set()
    packets = 0
    objects = listed.get("nftables", [])
    for item in objects if isinstance(objects, list) else []:
        if isinstance(found := item.get("set"), dict):
            (from_ if found["name"].startswith("from") else to).update(_element(e) for e in found.get("elem", []))
        if isinstance(counter := item.get("counter"), dict):
            packets += int(counter["packets"])
    return from_, to, packets


def _element(element: object) -> str:
    return str(element["elem"]["val"]) if isinstance(element, dict) else str(element)
