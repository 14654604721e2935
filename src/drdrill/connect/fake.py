# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""An estate in memory: every capability as a way in, as thin as a real one, on top of a world that holds the truth.

It is the counterpart of our own tests and of a team that tries a step or a fault of its own without a lab. Ships with us.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from drdrill.connect.artefacts import Artefact, Sight
from drdrill.connect.capabilities import Lease, Look, Renewal
from drdrill.connect.fake_world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.capabilities import Pair, Traffic
    from drdrill.connect.fake_world import Kind
    from drdrill.estate.model import Estate


FOR_GOOD_S: Final = 1e6


class _Fake:
    """What every fake way in is made of."""

    name = "fake"
    kind: ClassVar[Kind]
    leased = True

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.world = World.of(estate)

    def supports(self, hosts: Sequence[str]) -> bool:
        """Whether all these hosts are in the estate."""
        return all(host in self.estate.hosts for host in hosts)

    def ready(self, hosts: Sequence[str]) -> Look:
        """Always, unless the world says that a host is not well."""
        with self.world.looking(f"{self.kind}.ready", *hosts):
            sick = {h: self.world.broken[h] for h in hosts if h in self.world.broken}
        return Look(
            not sick, "; ".join(f"{h}: {w}" for h, w in sick.items()) or f"{len(hosts)} hosts of the fake answer"
        )

    def renew(self, hold: str, lease_s: float) -> Renewal:
        """Extend."""
        with self.world.changing(f"{self.kind}.renew", hold, lease_s):
            return self.world.renew(hold, lease_s)

    def revoke(self, drill: str) -> None:
        """Nobody renews a hold of this drill any more."""
        with self.world.changing(f"{self.kind}.revoke", drill):
            self.world.revoked.add(drill)

    def holds(self, drill: str | None = None) -> Sequence[str]:
        """The open holds."""
        with self.world.looking(f"{self.kind}.holds", drill):
            return self.world.open(self.kind, drill)

    def found(self) -> Sight:
        """The open holds, and how old they are."""
        with self.world.looking(f"{self.kind}.found"):
            now_ns, strikes = self.world.now_ns(), self.world.strikes
            return Sight(
                [
                    Artefact(
                        "hold", t, strikes[t].drill, "the fake", (now_ns - strikes[t].struck_ns) / 1e9, in_force=True
                    )
                    for t in self.world.open(self.kind)
                ]
            )

    def remove(self, tag: str) -> None:
        """End it."""
        if tag in self.world.open(self.kind):
            with self.world.changing(f"{self.kind}.remove", tag):
                self.world.end(tag)


class FakeLinks(_Fake):
    """Links of the fake estate."""

    kind = "links"

    def traffic(self, pairs: Sequence[Pair]) -> Traffic | None:
        """Traffic that asks the world."""
        return FakeTraffic(self.world, tuple(pairs))

    def cut(self, hold: str, drill: str, pairs: Sequence[Pair], lease_s: float, hard_end_s: float) -> Lease:
        """Cut."""
        with self.world.changing("links.cut", hold, drill, tuple(pairs)):
            return self.world.strike(
                "links", hold, drill, targets=[list(p) for p in pairs], lease_s=lease_s, hard_s=hard_end_s
            )

    def restore(self, hold: str) -> Lease:
        """End the cut."""
        with self.world.changing("links.restore", hold):
            return self.world.end(hold)

    def is_cut(self, hold: str, pairs: Sequence[Pair]) -> Look:
        """Look at the world."""
        with self.world.looking("links.is_cut", hold, tuple(pairs)):
            cut = self.world.cut_pairs(hold) & set(pairs)
        answer = True if len(cut) == len(pairs) else None if cut else False
        return Look(
            answer, f"{len(cut)} of {len(pairs)} pairs are cut by {hold}", {"cut": len(cut), "pairs": len(pairs)}
        )


class FakeTraffic:
    """Traffic over the fake's links."""

    def __init__(self, world: World, pairs: tuple[Pair, ...]) -> None:
        self.world = world
        self.pairs = pairs

    def look(self) -> Look:
        """Offer one question on every pair."""
        with self.world.looking("traffic.look"):
            through = sum(self.world.flows(pair) for pair in self.pairs)
        answer = True if through == len(self.pairs) else None if through else False
        counts = {"through": through, "offered": len(self.pairs)}
        return Look(answer, f"{through} of {len(self.pairs)} questions got through", counts)

    def close(self) -> None:
        """Nothing is open."""


class FakePower(_Fake):
    """Power of the fake estate."""

    kind = "power"

    def off(self, hold: str, drill: str, hosts: Sequence[str], lease_s: float, hard_end_s: float) -> Lease:
        """Take the power away."""
        with self.world.changing("power.off", hold, drill, tuple(hosts)):
            return self.world.strike("power", hold, drill, targets=list(hosts), lease_s=lease_s, hard_s=hard_end_s)

    def on(self, hold: str, hosts: Sequence[str]) -> Lease:
        """Give it back."""
        with self.world.changing("power.on", hold, tuple(hosts)):
            return self.world.end(hold)

    def is_off(self, hosts: Sequence[str]) -> Look:
        """Look at the world."""
        with self.world.looking("power.is_off", *hosts):
            off = self.world.off_hosts() & set(hosts)
        answer = True if len(off) == len(set(hosts)) else None if off else False
        return Look(answer, f"{len(off)} of {len(hosts)} hosts are off", {"off": len(off), "hosts": len(hosts)})


class FakeBmc(FakePower):
    """Power of the fake estate by a board that knows no timer, like real ones: what is off stays off until somebody heals it."""

    name = "fake-bmc"
    leased = False

    def off(self, hold: str, drill: str, hosts: Sequence[str], lease_s: float, hard_end_s: float) -> Lease:
        """Take the power away, for good."""
        del hard_end_s
        super().off(hold, drill, hosts, FOR_GOOD_S, FOR_GOOD_S)
        return Lease(lease_s, time.monotonic_ns(), time.monotonic_ns())

    def renew(self, hold: str, lease_s: float) -> Renewal:
        """There is nothing to extend."""
        with self.world.changing("power.renew", hold, lease_s):
            answer = self.world.renew(hold, FOR_GOOD_S)
        return Renewal(answer.state, lease_s, answer.at_ns)


class FakeFreeze(_Fake):
    """Stops and starts again what runs on the hosts of the fake estate."""

    kind = "freeze"

    def traffic(self, hosts: Sequence[str]) -> Traffic | None:
        """Questions that ask the world."""
        return FakeQuestions(self.world, tuple(hosts))

    def freeze(self, hold: str, drill: str, hosts: Sequence[str], lease_s: float, hard_end_s: float) -> Lease:
        """Freeze."""
        with self.world.changing("freeze.freeze", hold, drill, tuple(hosts)):
            return self.world.strike("freeze", hold, drill, targets=list(hosts), lease_s=lease_s, hard_s=hard_end_s)

    def thaw(self, hold: str, hosts: Sequence[str]) -> Lease:
        """Thaw."""
        with self.world.changing("freeze.thaw", hold, tuple(hosts)):
            return self.world.end(hold)

    def is_frozen(self, hosts: Sequence[str]) -> Look:
        """Look at the world."""
        with self.world.looking("freeze.is_frozen", *hosts):
            still = self.world.still_hosts() & set(hosts)
        answer = True if len(still) == len(set(hosts)) else None if still else False
        counts = {"frozen": len(still), "hosts": len(hosts)}
        return Look(answer, f"{len(still)} of {len(hosts)} hosts stand still", counts)


class FakeQuestions:
    """Questions to the fake's hosts, that only those answer which are on and do not stand still."""

    def __init__(self, world: World, hosts: tuple[str, ...]) -> None:
        self.world = world
        self.hosts = hosts

    def look(self) -> Look:
        """Ask each host once."""
        with self.world.looking("questions.look"):
            silent = (self.world.still_hosts() | self.world.off_hosts()) & set(self.hosts)
        through = len(set(self.hosts) - silent)
        answer = False if not through else None if silent else True
        return Look(answer, f"{through} of {len(self.hosts)} hosts answered", {"through": through})

    def close(self) -> None:
        """Nothing is open."""


class FakeVantages:
    """Every client stands in this process's own network."""

    name = "fake"

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def address(self, vantage: str, url: str) -> str:
        """The URL itself."""
        del vantage
        return url

    def command(self, vantage: str, argv: Sequence[str]) -> Sequence[str]:
        """The command itself."""
        del vantage
        return argv


class FakeInventory:
    """What the world says about its hosts."""

    name = "fake"

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.world = World.of(estate)

    def states(self) -> Mapping[str, Look]:
        """On, off or not well."""
        with self.world.looking("inventory.states"):
            off, still = self.world.off_hosts(), self.world.still_hosts()
        return {
            host: Look(False, "it is off" if host in off else "it is frozen")
            if host in off | still
            else Look(host not in self.world.broken, self.world.broken.get(host, "it is up"))
            for host in self.estate.hosts
        }

    def audit(self) -> Look:
        """Nothing goes around links that are not there."""
        return Look(True, "the fake has no connections of its own")

    def about(self) -> Mapping[str, str | Sequence[str]]:
        """What a report says."""
        return {"lab": "fake", "version": "1", "links": "user-space", "flaws": sorted(self.world.flaws)}
