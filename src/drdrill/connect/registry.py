# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which way in is used: the first one that supports the targets, in the order that the estate file gives."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

from drdrill.connect.parts import Parts
from drdrill.errors import BadInput, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.capabilities import Entry, Freeze, Inventory, Links, Power, Shell, Vantages
    from drdrill.estate.model import Estate

WAYS_IN: Final = Parts(
    "way in",
    "drdrill.ways_in",
    {
        "links.lab": "drdrill.connect.lab:LabLinks",
        "power.lab": "drdrill.connect.lab:LabPower",
        "freeze.lab": "drdrill.connect.lab_freeze:LabFreeze",
        "vantages.lab": "drdrill.connect.lab:LabVantages",
        "inventory.lab": "drdrill.connect.lab:LabInventory",
        "entry.haproxy": "drdrill.connect.haproxy:HaproxyEntry",
        "links.nftables": "drdrill.connect.nftables:NftLinks",
        "shell.ssh": "drdrill.connect.ssh:SshShell",
        "vantages.local": "drdrill.connect.local:LocalVantages",
        "links.fake": "drdrill.connect.fake:FakeLinks",
        "power.fake": "drdrill.connect.fake:FakePower",
        "power.fake-bmc": "drdrill.connect.fake:FakeBmc",
        "freeze.fake": "drdrill.connect.fake:FakeFreeze",
        "entry.fake": "drdrill.connect.fake_entry:FakeEntry",
        "shell.fake": "drdrill.connect.fake_entry:FakeShell",
        "vantages.fake": "drdrill.connect.fake:FakeVantages",
        "inventory.fake": "drdrill.connect.fake:FakeInventory",
    },
)
"""`CAPABILITY.NAME` -> a class whose constructor takes the estate. One that uses other ways in, a shell for instance, may have a
class method `over` that takes `Ways` instead."""


class Ways:
    """The ways in of one estate, each made once and only when it is asked for."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._made: dict[str, Any] = {}

    def named(self, capability: str, name: str) -> Any:
        """The way in of that name. Raises BadInput when there is none."""
        key = f"{capability}.{name}"
        if key not in self._made:
            found = WAYS_IN.load(key)
            # A way in that is made of shells shares ours: one connection to a host.
            self._made[key] = found.over(self) if hasattr(found, "over") else found(self.estate)
        return self._made[key]

    def close(self) -> None:
        """Close every connection that the ways in keep. Whoever asks afterwards gets a new one."""
        for way in self._made.values():
            if hasattr(way, "close"):
                with contextlib.suppress(Exception):
                    way.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def links(self, hosts: Sequence[str]) -> Links:
        """Who cuts the links of these hosts. Raises Unreachable when nobody does."""
        way: Links = self.first("links", hosts)
        return way

    def power(self, hosts: Sequence[str]) -> Power:
        """Who holds the power of these hosts. Raises Unreachable when nobody does."""
        way: Power = self.first("power", hosts)
        return way

    def freeze(self, hosts: Sequence[str]) -> Freeze:
        """Who can freeze these hosts. Raises Unreachable when nobody does."""
        way: Freeze = self.first("freeze", hosts)
        return way

    def shell(self, hosts: Sequence[str]) -> Shell:
        """Who runs commands on these hosts. Raises Unreachable when nobody does."""
        way: Shell = self.first("shell", hosts)
        return way

    def entry(self, hosts: Sequence[str]) -> Entry:
        """Who steers what these entry hosts send where. Raises Unreachable when nobody does."""
        way: Entry = self.first("entry", hosts)
        return way

    def first(self, capability: str, hosts: Sequence[str]) -> Any:
        """The first way in for this capability that supports all these hosts. Raises Unreachable when none does."""
        offered = [self.estate.host_named(host).ways_in(capability) for host in hosts]
        shared = [name for name in offered[0] if all(name in others for others in offered)] if offered else []
        for name in shared:
            way = self.named(capability, name)
            if way.supports(hosts):
                return way
        without = [host for host, names in zip(hosts, offered, strict=True) if not names]
        missing = f"{', '.join(without)} have none" if without else f"tried: {', '.join(shared) or 'no common one'}"
        raise Unreachable(
            f"no way in for {capability} of {', '.join(hosts) or 'no host'} ({missing}); "
            f"name one under these hosts in {self.estate.path}, such as `{capability}: [lab]`"
        )

    def every(self, capability: str) -> Sequence[Any]:
        """Each way in for a capability that any host of the estate names, without repeats."""
        names = dict.fromkeys(n for host in self.estate.hosts.values() for n in host.ways_in(capability))
        return [self.named(capability, name) for name in names]

    def vantages(self) -> Vantages:
        """Where the clients of this estate stand. Raises BadInput when the estate file names no vantage point."""
        places = {v.name: v.at for v in self.estate.vantage.values()}
        if not places:
            raise BadInput(f"{self.estate.path}: no vantage point is named, so nothing can be measured; add `vantage:`")
        if len(set(places.values())) == 1:
            one: Vantages = self.named("vantages", next(iter(places.values())))
            return one
        return _ByPlace(self, places)

    def inventory(self) -> Inventory | None:
        """Who knows the hosts of this estate, or None: the first name used anywhere in the estate that offers it."""
        used = dict.fromkeys(
            [v.at for v in self.estate.vantage.values()]
            + [n for host in self.estate.hosts.values() for capability in host.ways for n in host.ways_in(capability)]
        )
        offered = set(WAYS_IN.names())
        for name in used:
            if f"inventory.{name}" in offered:
                way: Inventory = self.named("inventory", name)
                return way
        return None


class _ByPlace:
    """Vantage points that are reached in more than one way: each by its own."""

    name = "mixed"

    def __init__(self, ways: Ways, places: dict[str, str]) -> None:
        self._ways = ways
        self._places = places

    def _at(self, vantage: str) -> Vantages:
        if vantage not in self._places:
            known = ", ".join(self._places)
            raise BadInput(f'no vantage point is called "{vantage}" in this estate; it has {known}')
        way: Vantages = self._ways.named("vantages", self._places[vantage])
        return way

    def address(self, vantage: str, url: str) -> str:
        return self._at(vantage).address(vantage, url)

    def command(self, vantage: str, argv: Sequence[str]) -> Sequence[str]:
        return self._at(vantage).command(vantage, argv)
