# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hold's own traffic in a lab: questions to the echo service of each host, over exactly the links that are cut.

For each pair of hosts two connections stay open, one begun at either end, and each look begins two fresh ones. What comes back
has travelled both links of the pair. The supervisor's counters of bytes are read besides: they count what left each link,
whoever sent it, so that an answer that is only slow is not taken for a cut.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from drdrill.connect.capabilities import Look
from drdrill.connect.lab_talk import Talk, exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.capabilities import Pair

_PATIENCE_S: Final = 0.5
"""An echo over open links takes one to five milliseconds; on a busy machine twenty."""
_OPENING_S: Final = 3.0


class Ask(Protocol):
    """One request to the supervisor."""

    def __call__(self, do: str, **what: Any) -> dict[str, Any]:
        """The answer. Raises Unreachable, WayInFailed."""


class LabTraffic:
    """Traffic over these pairs; the connections that will be the old ones are opened, and used, at once.

    Args:
        ask: asks the supervisor. Raises what it raises.
        pairs: the ordered pairs that will be cut.
    """

    def __init__(self, ask: Ask, pairs: Sequence[Pair]) -> None:
        self._ask = ask
        self._pairs = tuple(dict.fromkeys(pairs))
        # A connection from a to b carries both a>b and b>a, so each pair is tried from both of its ends.
        ways = dict.fromkeys(way for a, b in self._pairs for way in ((a, b), (b, a)))
        self._ports = {way: self._port(way) for way in ways}
        self._old: dict[Pair, Talk] = {}
        self._quiet: dict[str, int] | None = None
        deadline = time.monotonic() + _OPENING_S
        while len(self._old) < len(self._ports) and time.monotonic() < deadline:
            self.look()

    def look(self) -> Look:
        """Offer a question on every connection, old and fresh, and see what comes back. Half a second where nothing does."""
        # Since a look that found silence every byte counts, not only those of this look: held means the whole time.
        before = self._quiet or self._bytes()
        fresh = {way: Talk(port) for way, port in self._ports.items()}
        exchange((*self._old.values(), *fresh.values()), _PATIENCE_S)
        after = self._bytes()
        moved = {pair for pair in self._pairs if after[_name(pair)] > before[_name(pair)]}
        looked = self._told(moved, fresh)
        self._quiet = after if looked.answer is False else None
        self._keep(fresh)
        return looked

    def close(self) -> None:
        """Close every connection."""
        for talk in self._old.values():
            talk.close()
        self._old.clear()

    def _told(self, moved: set[Pair], fresh: dict[Pair, Talk]) -> Look:
        old_through = sum(talk.answered for talk in self._old.values())
        new_through = sum(talk.answered for talk in fresh.values())
        through = {
            (a, b)
            for a, b in self._pairs
            if (a, b) in moved or any(t[w].answered for t in (self._old, fresh) for w in ((a, b), (b, a)) if w in t)
        }
        counts: dict[str, float | int | str] = {
            "pairs": len(self._pairs),
            "through": len(through),
            "old_offered": len(self._old),
            "old_answered": old_through,
            "new_offered": len(fresh),
            "new_answered": new_through,
            "pairs_with_bytes": len(moved),
        }
        words = (
            f"{old_through} of {len(self._old)} old and {new_through} of {len(fresh)} new connections answered; "
            f"bytes went over {len(moved)} of {len(self._pairs)} links"
        )
        if not through:
            without = sorted(_name(way) for way in self._ports if way not in self._old)
            if without:  # A cut is proven on old connections too, and here there was none.
                return Look(None, f"{words}; there was no old connection on {', '.join(without[:5])}", counts)
            return Look(False, words, counts)
        if new_through == len(fresh) and old_through == len(self._old):
            return Look(True, words, counts)
        some = ", ".join(_name(pair) for pair in sorted(through)[:5])
        return Look(None, f"{words}; something got through on {some}", counts)

    def _keep(self, fresh: dict[Pair, Talk]) -> None:
        """A fresh connection that answered becomes the old one of its way where there is none, or the old one has broken."""
        for way, talk in fresh.items():
            old = self._old.get(way)
            if talk.answered and (old is None or old.broken):
                if old is not None:
                    old.close()
                self._old[way] = talk
            else:
                talk.close()

    def _port(self, way: Pair) -> int:
        answer = self._ask("address", host=way[1], service="echo", **{"from": way[0]})
        return int(answer["port"])

    def _bytes(self) -> dict[str, int]:
        links = self._ask("links", pairs=[list(pair) for pair in self._pairs])["links"]
        return {name: int(link["bytes"]) for name, link in links.items()}


def _name(pair: Pair) -> str:
    return f"{pair[0]}>{pair[1]}"
