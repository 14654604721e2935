# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a renewal on several hosts came to, from what each of them says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.connect.capabilities import Renewal
from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

_NS: Final = 10_000_000
"""Nanoseconds of a hundredth of a second."""


def of_words(words: str, now_ns: int) -> Renewal:
    """`held LEFT`, `lapsed AGO`, `healed AGO`, `revoked` or `unknown`; times in hundredths of a second. Raises WayInFailed."""
    state, _, number = words.partition(" ")
    if state == "held":
        return Renewal("held", int(number) / 100)
    if state in {"lapsed", "healed"}:
        return Renewal("lapsed" if state == "lapsed" else "healed", at_ns=now_ns - int(number) * _NS)
    if state in {"revoked", "unknown"}:
        return Renewal("revoked" if state == "revoked" else "unknown")
    raise WayInFailed(f"a renewal was answered with {words!r}")


def of_all(answers: Sequence[Renewal]) -> Renewal:
    """Held only where every host holds, with the shortest time that is left; otherwise what ended it first.

    A host that does not know a hold which others know has started anew since: it lapsed there.
    """
    by_state = {state: [a for a in answers if a.state == state] for state in ("revoked", "healed", "lapsed", "held")}
    if not any(by_state.values()):
        return Renewal("unknown")
    for state in ("revoked", "healed", "lapsed"):
        if ended := by_state[state]:
            return min(ended, key=lambda a: a.at_ns or 0)
    if len(by_state["held"]) < len(answers):
        return Renewal("lapsed")
    return min(by_state["held"], key=lambda a: a.left_s)
