# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The world behind the fake ways in: what is cut, what is off and what stands still, with the same leases as a real one.

It keeps a log of calls. It is the counterpart of our own tests and of a team that tries a step or a fault of its own without a
lab. The *world* holds the truth; the ways in on top of it are as thin as real ones. When a file `ESTATE.fake.json` lies beside
the estate file, the world is kept in it, so that two processes see the same estate: a strike of a killed process is still
there, and runs out.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from drdrill.connect.capabilities import Lease, Renewal
from drdrill.connect.fake_file import alone
from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.connect.capabilities import Pair, Ran
    from drdrill.estate.model import Estate

Kind = Literal["links", "power", "freeze", "entry"]
"""The capability that a strike belongs to."""
SHORT_LEASE_S = 4.0
"""How long a lease lasts under the flaw `short-leases`, whatever was answered."""


@dataclass
class Strike:
    """One hold as the fake estate keeps it."""

    kind: Kind
    drill: str
    targets: list[Any]
    """Pairs of hosts, or of an entry and its server, or hosts."""
    until_ns: int
    hard_ns: int
    ended: Literal["", "healed", "lapsed"] = ""
    ended_ns: int = 0
    struck_ns: int = 0


@dataclass
class World:
    """The truth about one fake estate.

    Args:
        path: where it is kept, or None for memory only.
        flaws: things deliberately wrong: cut-is-ignored, power-is-ignored, freeze-is-ignored, drain-is-ignored, short-leases,
            heal-is-ignored.
        now_ns: its clock (CLOCK_MONOTONIC ns, so that two processes agree).
        calls: everything that was called, (capability.verb, arguments), in order.
        trip: (n, when): the n-th changing call fails, "before" or "after" it did its work.
    """

    path: Path | None = None
    flaws: set[str] = field(default_factory=set)
    now_ns: Callable[[], int] = time.monotonic_ns
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    trip: tuple[int, Literal["before", "after"]] | None = None
    strikes: dict[str, Strike] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    rows: dict[str, list[str]] = field(default_factory=dict)
    writers: dict[str, str] = field(default_factory=dict)
    ledgers: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    """Hosts that are up but not well, and why."""
    answering: dict[str, list[str]] = field(default_factory=dict)
    """For an address the hosts that answer for it, if not simply the first that can."""
    ran: dict[tuple[str, str], Ran] = field(default_factory=dict)
    """What a command on a host comes to: (host, command)."""
    changes: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Guards are read again in a thread of their own."""

    _worlds: ClassVar[dict[str, World]] = {}

    @classmethod
    def of(cls, estate: Estate) -> World:
        """The one world of this estate in this process."""
        key = str(estate.path)
        if key not in cls._worlds:
            kept = estate.path.with_suffix(".fake.json")
            cls._worlds[key] = cls(path=kept if kept.exists() else None)
        return cls._worlds[key]

    @classmethod
    def forget(cls, estate: Estate) -> None:
        """Make `of` begin anew."""
        cls._worlds.pop(str(estate.path), None)

    @contextlib.contextmanager
    def looking(self, call: str, *args: Any) -> Iterator[None]:
        """Around a call that only looks: what has run out is over."""
        with self._lock, self._kept():
            self.calls.append((call, args))
            self._run_out()
            yield

    @contextlib.contextmanager
    def changing(self, call: str, *args: Any) -> Iterator[None]:
        """Around a call that changes something."""
        self.changes += 1
        when = self.trip[1] if self.trip and self.trip[0] == self.changes else None
        if when == "before":
            raise WayInFailed(f"the fake estate was told to fail before {call}")
        with self.looking(call, *args):
            yield
        if when == "after":
            raise WayInFailed(f"the fake estate was told to fail after {call}")

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        if self.path is None:
            yield
            return
        with alone(self.path) as turn:
            kept = json.loads(turn.read() or "{}")
            self.strikes = {k: Strike(**v) for k, v in kept.get("strikes", {}).items()}
            self.revoked = set(kept.get("revoked", []))
            self.flaws |= set(kept.get("flaws", []))
            yield
            strikes = {k: asdict(v) for k, v in self.strikes.items()}
            turn.write(json.dumps({"strikes": strikes, "revoked": sorted(self.revoked), "flaws": sorted(self.flaws)}))

    def _run_out(self) -> None:
        for strike in self.strikes.values():
            end = min(strike.until_ns, strike.hard_ns)
            if not strike.ended and end <= self.now_ns():
                strike.ended, strike.ended_ns = "lapsed", end

    def strike(
        self,
        kind: Kind,
        hold: str,
        drill: str,
        *,
        targets: list[Any],
        lease_s: float,
        hard_s: float,
    ) -> Lease:
        """Strike with a lease; the same hold again is the same strike."""
        first = self.now_ns()
        if hold not in self.strikes:
            real_s = min(lease_s, SHORT_LEASE_S) if "short-leases" in self.flaws else lease_s
            self.strikes[hold] = Strike(kind, drill, targets, first + int(real_s * 1e9), first + int(hard_s * 1e9))
            self.strikes[hold].struck_ns = first
        return Lease(lease_s, first, self.now_ns())

    def renew(self, hold: str, lease_s: float) -> Renewal:
        """Extend a hold that is still open."""
        strike = self.strikes.get(hold)
        if strike is None:
            return Renewal("unknown")
        if strike.ended:
            return Renewal("healed" if strike.ended == "healed" else "lapsed", 0.0, strike.ended_ns)
        if strike.drill in self.revoked:
            return Renewal("revoked")
        if "short-leases" not in self.flaws:
            strike.until_ns = max(strike.until_ns, self.now_ns() + int(lease_s * 1e9))
        return Renewal("held", (min(strike.until_ns, strike.hard_ns) - self.now_ns()) / 1e9)

    def end(self, hold: str) -> Lease:
        """End a hold; fine when it is over or was never there."""
        first = self.now_ns()
        strike = self.strikes.get(hold)
        if strike and not strike.ended and "heal-is-ignored" not in self.flaws:
            strike.ended, strike.ended_ns = "healed", first
        return Lease(0.0, first, self.now_ns())

    def open(self, kind: str, drill: str | None = None) -> tuple[str, ...]:
        """The holds of one kind that are open."""
        return tuple(
            h for h, s in self.strikes.items() if s.kind == kind and not s.ended and (drill is None or s.drill == drill)
        )

    def cut_pairs(self, hold: str | None = None) -> set[Pair]:
        """The pairs that are cut, by one hold or by any."""
        if "cut-is-ignored" in self.flaws:
            return set()
        holds = self.open("links") if hold is None else [h for h in self.open("links") if h == hold]
        return {(str(a), str(b)) for h in holds for a, b in self.strikes[h].targets}

    def drained_ways(self, hold: str | None = None) -> set[Pair]:
        """The pairs of an entry and a server that gets no new work from it, by one hold or by any."""
        if "drain-is-ignored" in self.flaws:
            return set()
        holds = self.open("entry") if hold is None else [h for h in self.open("entry") if h == hold]
        return {(str(entry), str(server)) for h in holds for entry, server in self.strikes[h].targets}

    def off_hosts(self) -> set[str]:
        """The hosts without power."""
        if "power-is-ignored" in self.flaws:
            return set()
        return {str(host) for h in self.open("power") for host in self.strikes[h].targets}

    def still_hosts(self) -> set[str]:
        """The hosts that stand still: frozen, and not switched off since."""
        if "freeze-is-ignored" in self.flaws:
            return set()
        return {
            str(host)
            for h in self.open("freeze")
            for host in self.strikes[h].targets
            if not any(s.kind == "power" and host in s.targets and self._later(s, h) for s in self.strikes.values())
        }

    def _later(self, strike: Strike, hold: str) -> bool:
        return strike.struck_ns >= self.strikes[hold].struck_ns

    def flows(self, pair: Pair) -> bool:
        """Whether a question and its answer get through between two hosts."""
        cut, silent = self.cut_pairs(), self.off_hosts() | self.still_hosts()
        return pair not in cut and pair[::-1] not in cut and not silent & set(pair)
