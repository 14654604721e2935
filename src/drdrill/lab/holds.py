# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which strikes are in force: leases, hard ends, renewals. Pure: moments come in as numbers, decisions go out.

A hold is open until its lease has run out (lapsed) or it was healed. Nothing else ends it and nothing opens it again: a
renewal that comes too late is told so and strikes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from drdrill.lab.protocol import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.lab.protocol import Pair, Strike

_S = 1_000_000_000


@dataclass
class Hold:
    """One strike from its first command to its end. Moments are CLOCK_MONOTONIC ns; `ended_ns` is None while it is open.

    `woken` are frozen hosts that were switched off since: what runs there now was never stopped.
    """

    strike: Strike
    struck_ns: int
    until_ns: int
    hard_ns: int
    last_ns: int = 0
    state: Literal["open", "healed", "lapsed"] = "open"
    ended_ns: int | None = None
    woken: set[str] = field(default_factory=set)

    def ends_ns(self, longest_ns: int | None) -> int:
        """When it ends if nobody does anything. `longest_ns` is a lab's flaw: no hold lives longer."""
        ends = min(self.until_ns, self.hard_ns)
        return ends if longest_ns is None else min(ends, self.struck_ns + longest_ns)


class Holds:
    """All holds of a supervisor's life.

    Args:
        longest_s: the flaw `short-leases`: every hold ends this long after its strike, whatever was answered.
    """

    def __init__(self, longest_s: float | None = None) -> None:
        self._holds: dict[str, Hold] = {}
        self._revoked: set[str] = set()
        self._longest_ns = None if longest_s is None else int(longest_s * _S)

    def strike(self, strike: Strike, now_ns: int) -> tuple[Hold, bool]:
        """Open a hold; the second value says whether it is new. The lease is cut to the hard end.

        Raises:
            BadRequest: the name was used before, the drill was revoked, or an open hold of that name strikes something else.
        """
        known = self._holds.get(strike.hold)
        if known is not None:
            if known.state != "open":
                raise BadRequest(f"the hold {strike.hold!r} has {known.state} already; a new strike needs a new name")
            same = (known.strike.drill, known.strike.kind, known.strike.pairs, known.strike.hosts)
            if same != (strike.drill, strike.kind, strike.pairs, strike.hosts):
                raise BadRequest(f"the hold {strike.hold!r} is open and strikes something else")
            return known, False
        if strike.drill in self._revoked:
            raise BadRequest(f"the drill {strike.drill!r} was revoked: it may not strike any more")
        hard_ns = now_ns + int(strike.hard_end_s * _S)
        hold = Hold(strike, now_ns, min(now_ns + int(strike.lease_s * _S), hard_ns), hard_ns)
        self._holds[strike.hold] = hold
        return hold, True

    def renew(self, name: str, lease_s: float, now_ns: int) -> dict[str, Any]:
        """Extend a hold that is open and whose drill was not revoked; the answer of the protocol otherwise."""
        self.lapse(now_ns)
        hold = self._holds.get(name)
        if hold is None:
            return {"state": "unknown"}
        if hold.state != "open":
            return {"state": hold.state, "at_ns": hold.ended_ns}
        if hold.strike.drill in self._revoked:
            return {"state": "revoked"}
        hold.until_ns = min(max(hold.until_ns, now_ns + int(lease_s * _S)), hold.hard_ns)
        return {"state": "held", "left_s": (hold.until_ns - now_ns) / _S}

    def heal(self, name: str, now_ns: int) -> dict[str, Any]:
        """End a hold. Asked again, the answer is the same."""
        self.lapse(now_ns)
        hold = self._holds.get(name)
        if hold is None:
            return {"state": "unknown"}
        if hold.state == "open":
            hold.state, hold.ended_ns = "healed", now_ns
        return {"state": hold.state, "at_ns": hold.ended_ns}

    def revoke(self, drill: str) -> None:
        """No hold of this drill is renewed any more, and it strikes no more."""
        self._revoked.add(drill)

    def lapse(self, now_ns: int) -> list[Hold]:
        """Mark every hold whose time has come; those are returned. The moment is the lease's end, not that of the look."""
        ended = [h for h in self._open() if h.ends_ns(self._longest_ns) <= now_ns]
        for hold in ended:
            hold.state, hold.ended_ns = "lapsed", hold.ends_ns(self._longest_ns)
        return ended

    def next_end_ns(self) -> int | None:
        """When the next hold ends by itself, or None."""
        return min((h.ends_ns(self._longest_ns) for h in self._open()), default=None)

    def frozen(self) -> set[Pair]:
        """The pairs that some open hold wants frozen."""
        return {pair for hold in self._open() for pair in hold.strike.pairs}

    def off(self) -> set[str]:
        """The hosts that some open hold wants without power."""
        return {host for hold in self._open() if hold.strike.kind == "power" for host in hold.strike.hosts}

    def still(self) -> set[str]:
        """The hosts that some open hold wants frozen, without those that were switched off since."""
        return {
            host
            for hold in self._open()
            if hold.strike.kind == "freeze"
            for host in hold.strike.hosts
            if host not in hold.woken
        }

    def power_went(self, hosts: Iterable[str]) -> None:
        """These hosts were switched off: no freeze that is open now survives that."""
        for hold in self._open():
            hold.woken.update(hosts)

    def show(self, drill: str | None, now_ns: int) -> list[dict[str, Any]]:
        """The answer to `holds`: of one drill, or of all."""
        self.lapse(now_ns)
        return [_shown(h, now_ns) for h in self._holds.values() if drill is None or h.strike.drill == drill]

    def _open(self) -> Iterable[Hold]:
        return [hold for hold in self._holds.values() if hold.state == "open"]


def _shown(hold: Hold, now_ns: int) -> dict[str, Any]:
    is_open = hold.state == "open"
    return {
        "hold": hold.strike.hold,
        "drill": hold.strike.drill,
        "kind": hold.strike.kind,
        "pairs": [list(pair) for pair in hold.strike.pairs],
        "hosts": list(hold.strike.hosts),
        "state": hold.state,
        "left_s": (hold.until_ns - now_ns) / _S if is_open else 0.0,
        "hard_left_s": (hold.hard_ns - now_ns) / _S if is_open else 0.0,
        "struck_ns": hold.struck_ns,
        "ended_ns": hold.ended_ns,
    }
