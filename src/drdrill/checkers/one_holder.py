# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Does exactly one host answer for the address of a service? Two are a split brain of the entry: clients reach either. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.checkers.check import some
from drdrill.checkers.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "one_holder"
ALIKE: Final = 2
"""So many looks in a row must see the same single host: one lost answer must not make two holders look like one."""


@dataclass(frozen=True)
class Heard:
    """One look: who answered for the address, or in words why nobody can tell."""

    hosts: tuple[str, ...] = ()
    words: str = ""

    def __str__(self) -> str:
        verb = "answers" if len(self.hosts) == 1 else "answer"
        return self.words or (f"{' and '.join(self.hosts)} {verb}" if self.hosts else "nobody answers")


def settled(looks: Sequence[Heard]) -> str | None:
    """The one host that the last looks agree on, or None."""
    last = looks[-ALIKE:]
    if len(last) < ALIKE or any(len(look.hosts) != 1 or look.hosts != last[0].hosts for look in last):
        return None
    return last[0].hosts[0]


def conclude(
    service: str, site: str, address: str, looks: Sequence[Heard], *, within_s: float, took_s: float
) -> Judgement:
    """The verdict after these looks: one holder is a pass, none or several a fail, nobody asked unknown."""
    title = f'exactly one host answers for service "{service}" at site "{site}"'
    heard = [look for look in looks if not look.words]
    holder = settled(looks)
    counts: dict[str, int | float | str] = {
        "service": service, "site": site, "address": address, "holders": len(looks[-1].hosts) if looks else 0,
    }  # fmt: skip
    saw = {"looks": len(heard)}
    if holder is not None:
        words = f"Only {holder} answers for {address}, as its neighbours hear it; so it was after {took_s:.1f} s."
        return Judgement(NAME, title, Verdict.PASS, words, {**counts, "holder": holder}, saw=saw)
    if not looks or looks[-1].words:
        why = looks[-1].words if looks else "nobody was asked"
        words = f"Who answers for {address} cannot be told after {within_s:g} s: {why}."
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
    if len(looks[-1].hosts) == 1:
        last = ", then ".join(str(look) for look in looks[-ALIKE:])
        words = (
            f"Who answers for {address} was still changing after {within_s:g} s, in {some(len(looks), 'look')}: {last}."
        )
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
    hosts = looks[-1].hosts
    what = (
        f"{some(len(hosts), 'host')} answer for {address}: {', '.join(hosts)}"
        if hosts
        else f"Nobody answers for {address}"
    )
    advice = ": clients reach either of them, and which is chance. End what holds it on all but one" if hosts else ""
    words = f"{what} after {within_s:g} s{advice}."
    return Judgement(NAME, title, Verdict.FAIL, words, counts, tuple(str(look) for look in looks[-5:]), saw)
