# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What can be done to a thing, whoever does it. One small protocol for each capability; ways in implement them.

Strikes carry a tag, `hold`, that the drill chose and wrote into its undo log *before* it called. Everything that a way in
makes carries that tag, so that it can be found, healed and proved absent from the tag alone, by another process.
Leases are seconds. A way in returns the lease that it really got; the hold works with that one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from subprocess import Popen

Pair = tuple[str, str]
"""An ordered pair of hosts: what the first sends to the second."""

STRIKING: Final = ("links", "power", "freeze", "entry")
"""The capabilities by which something can be broken: each has holds, that are found, revoked and healed."""


@dataclass(frozen=True)
class Lease:
    """What a strike got: seconds until it heals itself, and when its first and last command were given (CLOCK_MONOTONIC ns)."""

    lease_s: float
    first_ns: int
    last_ns: int


@dataclass(frozen=True)
class Renewal:
    """The answer to a renewal. Only `held` means that the strike is still in force; `at_ns` says when it ended.

    `silent` are the hosts that did not answer, and why; elsewhere it is as the state says. One that the same drill has switched
    off cannot answer; that of any other is a renewal that failed.
    """

    state: Literal["held", "lapsed", "healed", "revoked", "unknown"]
    left_s: float = 0.0
    at_ns: int | None = None
    silent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """The answer to a question about the estate: yes, no or cannot tell, in words, with the counts behind it."""

    answer: bool | None
    words: str
    counts: Mapping[str, float | int | str] = field(default_factory=dict)


@runtime_checkable
class Traffic(Protocol):
    """The hold's own traffic over what it cuts or silences: one connection opened before the strike, a fresh one at each look."""

    def look(self) -> Look:
        """Offer traffic on every pair (both directions) or to every host, on old connections and new ones.

        Answer True: it flows everywhere; False: nothing got through, or came back, anywhere; None: neither (words say
        where), or it cannot be told.
        """

    def close(self) -> None:
        """Close every connection."""


@runtime_checkable
class Striking(Protocol):
    """What every capability has by which something can be broken."""

    name: str
    leased: bool
    """Whether its strikes end by themselves where the fault is. If not, the guardian has to end them."""

    def supports(self, hosts: Sequence[str]) -> bool:
        """Whether this way in does it to all these hosts, by what the estate says."""

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether the way in and the way back work, without harm."""

    def renew(self, hold: str, lease_s: float) -> Renewal:
        """Extend; never strike again. Raises WayInFailed."""

    def revoke(self, drill: str) -> None:
        """Nobody can renew a hold of this drill any more."""

    def holds(self, drill: str | None = None) -> Sequence[str]:
        """The tags of the holds that are open, of one drill or of all."""


@runtime_checkable
class Links(Striking, Protocol):
    """Cut and restore what hosts send to each other."""

    def traffic(self, pairs: Sequence[Pair]) -> Traffic | None:
        """Open the hold's own traffic over these pairs, or None where it cannot be offered."""

    def cut(self, hold: str, drill: str, pairs: Sequence[Pair], lease_s: float, hard_end_s: float) -> Lease:
        """Cut these pairs. The timer is armed where the cut is, before or with it. Raises WayInFailed."""

    def restore(self, hold: str) -> Lease:
        """End this hold, whatever is left of it; fine when it is gone. `lease_s` is 0. Raises WayInFailed."""

    def is_cut(self, hold: str, pairs: Sequence[Pair]) -> Look:
        """True: the cut of this hold is in force on every pair; False: nothing of it is left."""


@runtime_checkable
class Power(Striking, Protocol):
    """Take the power of hosts away and give it back."""

    def off(self, hold: str, drill: str, hosts: Sequence[str], lease_s: float, hard_end_s: float) -> Lease:
        """Take the power away, without a goodbye. Raises WayInFailed."""

    def on(self, hold: str, hosts: Sequence[str]) -> Lease:
        """Give the power back, whatever was off; fine when all are on. Raises WayInFailed."""

    def is_off(self, hosts: Sequence[str]) -> Look:
        """True: all of them are off; False: all are on; None: some, or it cannot be told."""


@runtime_checkable
class Freeze(Striking, Protocol):
    """Stop hosts in their tracks and let them go on: what a hung kernel, a paused machine or a stuck hypervisor looks like.

    A frozen host keeps its memory and knows nothing of the time that passed. One that is switched off meanwhile is not
    frozen any more, whatever happens to it afterwards.
    """

    def traffic(self, hosts: Sequence[str]) -> Traffic | None:
        """Open the hold's own questions to what runs on these hosts, or None where nothing can be asked."""

    def freeze(self, hold: str, drill: str, hosts: Sequence[str], lease_s: float, hard_end_s: float) -> Lease:
        """Stop everything that runs on them, all at once; the timer that thaws them is not on them. Raises WayInFailed."""

    def thaw(self, hold: str, hosts: Sequence[str]) -> Lease:
        """Let go on exactly what this hold stopped; fine when nothing is stopped. Raises WayInFailed."""

    def is_frozen(self, hosts: Sequence[str]) -> Look:
        """True: everything on all of them has stood still since the strike; False: nothing does; None: neither."""


@dataclass(frozen=True)
class Ran:
    """What a command on a host came to. `status` is its exit status, `seconds` the time from asking to its end."""

    status: int
    out: str
    err: str
    seconds: float


@runtime_checkable
class Shell(Protocol):
    """Run commands on hosts, each within a hard deadline."""

    name: str

    def supports(self, hosts: Sequence[str]) -> bool:
        """Whether this way in reaches all these hosts, by what the estate says."""

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether all of them answer a command now, with the right of root where the estate says that it is got by sudo."""

    def run(self, host: str, command: str, *, within_s: float = 10.0, root: bool = False, given: str = "") -> Ran:
        """Run one command line of the host's shell; `given` is its standard input. `root`: with the right of root.

        Raises:
            Unreachable: the host cannot be reached, or its key is not the known one. The command did not run.
            WayInFailed: it did not end within the deadline; whether it ran, and still runs, is not known.
        """

    def talk(self, host: str, command: str, *, root: bool = False) -> Popen[bytes]:
        """Start a command that is spoken to by its standard input and output. Whoever starts it ends it."""

    def close(self) -> None:
        """End everything that was started to reach the hosts."""


@dataclass(frozen=True)
class Server:
    """One server behind an entry, as the entry sees it. `name` is the host's name in the estate file."""

    name: str
    state: Literal["up", "down", "drained", "stopped"]
    backup: bool
    sessions: int


@runtime_checkable
class Entry(Striking, Protocol):
    """Steer what an entry (load balancer) sends where, and tell who answers for its address."""

    def servers(self, host: str) -> Sequence[Server]:
        """The servers behind this entry host. Raises WayInFailed."""

    def drain(self, hold: str, drill: str, ways: Sequence[Pair], lease_s: float, hard_end_s: float) -> Lease:
        """On each of these entry hosts give this server no new work: pairs of both. The timer is armed there first.

        Raises WayInFailed.
        """

    def restore(self, hold: str) -> Lease:
        """Give the servers of this hold work again; fine when it is gone. Raises WayInFailed."""

    def is_drained(self, hold: str, ways: Sequence[Pair]) -> Look:
        """True: this hold is open, and none of these servers gets new work there; False: all do; None: neither."""

    def holders(self, address: str, hosts: Sequence[str]) -> Sequence[str]:
        """Which of these hosts answer for this address now, as a neighbour hears it, and not by what they are configured for.

        Raises:
            WayInFailed: nobody can be asked, or an answer comes from none of these hosts; the words say from where.
        """


@runtime_checkable
class Vantages(Protocol):
    """Where clients stand: how a process at a vantage point reaches an endpoint, and how it is started there."""

    name: str

    def address(self, vantage: str, url: str) -> str:
        """The URL by which a client at this vantage point reaches the endpoint. Raises Unreachable, BadInput."""

    def command(self, vantage: str, argv: Sequence[str]) -> Sequence[str]:
        """The command that runs `argv` at this vantage point (a prefix that enters a namespace, or `argv` itself)."""


@runtime_checkable
class Inventory(Protocol):
    """What a supervisor of an estate knows about its hosts, for `ready` and for the comparison of before and after."""

    name: str

    def states(self) -> Mapping[str, Look]:
        """For each host whether it is up with everything that should run on it."""

    def audit(self) -> Look:
        """True: no unexplained connection goes around the links; False: some do; None: it cannot be told."""

    def about(self) -> Mapping[str, str | Sequence[str]]:
        """What the reports say about this estate: lab, version, links ("user-space"), flaws."""
