# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What was measured, held against what is known to be true: the one judgement that simulated and real outages share.

Every claim of an `Outage` is looked at by itself, not only its length: the service went away between `after_ns` and `by_ns`
and came back between `until_ns` and `end_by_ns`. What a late machine may blur is never a fixed allowance, it is read from the
very attempts concerned: how late they were sent, which are missing, and how long answers took.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scripted import HOLDS_BACK

from drdrill.journal.records import UNANSWERED, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scripted import Bit

    from drdrill.journal.outage import Outage


class Away(NamedTuple):
    """A true time of being away. It ended between `ended` and `end` (the same moment for most ways).

    `early` is where it ended for a client that waits: who asks a stalled service less than a latency bound before it comes back
    is answered in time.
    """

    way: str
    begin: int
    ended: int
    end: int
    early: int


def away(bits: Iterable[Bit], latency_ns: int) -> list[Away]:
    """The truth of a script."""
    return [Away(*b, early=b.end - latency_ns if b.way == "stalled" else b.end) for b in bits]


def of_client(one: Sequence[Away], other: Sequence[Away]) -> list[Away]:
    """When a client that may choose between two services was without any."""
    found = []
    for a in one:
        for b in other:
            begin = max(a.begin, b.begin)
            if begin < min(a.end, b.end):
                way = a.way if a.way in HOLDS_BACK else b.way
                found.append(Away(way, begin, min(a.ended, b.ended), min(a.end, b.end), min(a.early, b.early)))
    return sorted(found, key=lambda x: x.begin)


class Blur:
    """What our own machine blurred, from the samples of the streams concerned."""

    def __init__(self, streams: Sequence[np.ndarray], period_ns: int) -> None:
        self.period_ns = period_ns
        self.streams = [s[np.argsort(s["seq"])] for s in streams]
        self.from_ns = max(int(s["due"][0]) for s in self.streams)
        self.known_ns = min(int(s["due"][-1]) for s in self.streams)

    def near(self, begin: int, end: int) -> int:
        """How much in all, around this time."""
        return sum(self.parts(begin, end))

    def parts(self, begin: int, end: int) -> tuple[int, int]:
        """How late the attempts around this time were sent, with what is missing; and the longest round trip of them."""
        begin, end = sorted((begin, end))
        margin = 4 * self.period_ns
        found = [self._of(s, begin - margin, end + margin) for s in self.streams]
        return max(late for late, _ in found), max(trip for _, trip in found)

    def calm(self, begin: int, end: int) -> bool:
        """Whether our own machine was fast enough here to be spoken of in fixed terms: nothing late, no answer read late."""
        late, _ = self.parts(begin, end)
        margin = 4 * self.period_ns
        for s in self.streams:
            here = s[(s["due"] >= begin - margin) & (s["due"] <= end + margin)]
            before = here[(here["due"] < begin) & (here["outcome"] == Seen.GOOD)]
            slow = (before["done"] - before["due"]).max(initial=0) > self.period_ns // 2
            if late > self.period_ns // 2 or slow or (here["outcome"] == Seen.OWN_DELAY).any():
                return False
        return True

    def stood_still(self, begin: int, end: int) -> bool:
        """Whether an attempt that was due in this time was left without an answer because we did not listen."""
        due = [s["due"][s["outcome"] == Seen.OWN_DELAY] for s in self.streams]
        return any(((d >= begin) & (d <= end)).any() for d in due)

    def breaks(self, begin: int, end: int) -> int:
        """How often in this time attempts were sent more than a period late, are missing, or were not listened for."""
        found = 0
        for s in self.streams:
            here = s[(s["due"] >= begin - self.period_ns) & (s["due"] <= end + self.period_ns)]
            late = (here["sent"] - here["due"] > self.period_ns) | (here["outcome"] == Seen.OWN_DELAY)
            holes = np.append(np.diff(here["seq"].astype(np.int64)) > 1, False)[: len(here)]
            away = late | holes
            found += int(away[:1].sum() + (np.diff(away.astype(np.int8)) > 0).sum())
        return found

    def _of(self, s: np.ndarray, begin: int, end: int) -> tuple[int, int]:
        # One more on each side: what is missing in between may be all that there was.
        first, last = np.searchsorted(s["due"], [begin, end])
        here = s[max(0, min(first, len(s) - 1) - 1) : last + 1]
        answered = here[~np.isin(here["outcome"], [*UNANSWERED, Seen.OWN_DELAY])]
        trip = int((answered["done"] - answered["sent"]).max()) if len(answered) else 0
        holes = int((np.diff(here["seq"].astype(np.int64)) - 1).sum()) * self.period_ns
        return int((here["sent"] - here["due"]).max()) + holes, trip


@dataclass(frozen=True)
class Match:
    """An outage, and the true times of being away that it stands for."""

    outage: Outage
    first: int
    last: int


def account(
    truth: Sequence[Away], outages: Sequence[Outage], blur: Blur, *, stable_ns: int, latency_ns: int, stop_ns: int
) -> list[Match]:
    """Hold every outage against the truth, up to the moment at which measuring was stopped.

    Raises:
        AssertionError: one was invented, missed, split, taken together with another, or has a bound that is not true.
    """
    matches = []
    for outage in outages:
        found = [m for m in _possible(truth, outage) if not _wrong(truth, m, blur, stable_ns)]
        if not found and _ours(outage, blur, latency_ns):
            continue
        assert found, f"no truth fits {outage}\n" + "\n".join(_reasons(truth, outage, blur, stable_ns))
        # Of those that fit, the one that stands for the most.
        matches.append(max(found, key=lambda m: truth[m.last].end - truth[m.first].begin))
    seen = {n for m in matches for n in range(m.first, m.last + 1)}
    for n, bit in enumerate(truth):
        holds_back = bit.way in HOLDS_BACK
        least = blur.period_ns * (2 if holds_back else 1) + blur.near(bit.begin, bit.end)
        shown = min(bit.early, stop_ns - latency_ns if holds_back else stop_ns) - max(bit.begin, blur.from_ns)
        assert n in seen or shown <= least, f"missed: {bit}, away for {shown / 1e6} ms"
    for a, b in pairwise(matches):
        good = truth[b.first].begin - truth[a.last].early
        near = 2 * blur.period_ns + blur.near(truth[a.last].early, truth[b.first].begin)
        assert good >= stable_ns - near, f"split after {good / 1e6} good ms: {a.outage} {b.outage}"
    return matches


def _ours(outage: Outage, blur: Blur, latency_ns: int) -> bool:
    """Whether it says itself that it proves nothing, and our own delay was long enough to make an answer late."""
    end = outage.good_ns or outage.first_ns
    if outage.lower_ns:
        return False
    return blur.near(outage.first_ns, end) > latency_ns // 2 or blur.stood_still(outage.first_ns, end)


def _possible(truth: Sequence[Away], outage: Outage) -> list[Match]:
    return [Match(outage, i, j) for i in range(len(truth)) for j in range(i, min(i + 12, len(truth)))]


def _wrong(truth: Sequence[Away], m: Match, blur: Blur, stable_ns: int) -> str:
    """Why an outage cannot stand for these true ones; empty if it can."""
    return next((words for words in _claims(truth, m, blur, stable_ns) if words), "")


def _claims(truth: Sequence[Away], m: Match, blur: Blur, stable_ns: int) -> Iterable[str]:
    """Each claim of an outage: empty if it is true, else what is wrong with it."""
    o, first, last = m.outage, truth[m.first], truth[m.last]
    began, ended, length = first.begin, last.ended, last.ended - first.begin
    if o.begun:
        yield _more(o.after_ns - began, "it began {} before it can have begun")
    if o.by_ns is not None:
        yield _more(began - o.by_ns, "it began {} later than it must have begun")
    if m.first == m.last and o.until_ns is not None:
        yield _more(o.until_ns - last.end, "it ended {} before it can have ended")
    if o.end_by_ns is not None:
        yield _more(ended - o.end_by_ns, "it ended {} later than it must have ended")
        yield _more(began - o.end_by_ns, "it began {} after it must have ended")
    yield _more(o.lower_ns - _longest(truth[m.first : m.last + 1], stable_ns), "it lasted {} less than at least")
    if o.upper_ns is not None:
        yield _more(length - o.upper_ns, "it lasted {} more than at most")
    yield _more(o.first_ns - last.end, "it ended {} before the first bad attempt was due")
    for a, b in pairwise(truth[m.first : m.last + 1]):
        yield _more(
            b.begin - a.end - _unstable(blur, a.end, b.begin, stable_ns), "it was good in between, by {} too long"
        )
    if o.end_by_ns is None:
        following = truth[m.last + 1].begin if m.last + 1 < len(truth) else blur.known_ns
        good = min(following, blur.known_ns)
        yield _more(
            good - last.end - _unstable(blur, last.end, good, stable_ns), "it ended, and was good by {} too long"
        )


def _unstable(blur: Blur, begin: int, end: int, stable_ns: int) -> int:
    """For how long a service may have been good without anybody seeing a stable window.

    Each time that our own machine looked away cuts a good time in two, each of which may fall short of a stable window.
    """
    return (1 + blur.breaks(begin, end)) * (stable_ns + 2 * blur.period_ns) + blur.near(begin, end)


def _more(ns: int, words: str) -> str:
    return words.format(f"{ns / 1e6} ms") if ns > 0 else ""


def _longest(bits: Sequence[Away], stable_ns: int) -> int:
    """The longest of the outages that these are by definition: one goes on as long as no good time is a stable window."""
    longest, begin = 0, bits[0].begin
    for a, b in pairwise([*bits, None]):
        longest = max(longest, a.early - begin)
        if b is not None and b.begin - a.end >= stable_ns:
            begin = b.begin
    return longest


def _reasons(truth: Sequence[Away], outage: Outage, blur: Blur, stable_ns: int) -> Iterable[str]:
    end = outage.end_by_ns or truth[-1].end if truth else 0
    for m in _possible(truth, outage):
        a, b = truth[m.first], truth[m.last]
        if b.end >= outage.after_ns - 10**9 and a.begin <= end + 10**9:
            yield f"  {a} to {b.end}: {_wrong(truth, m, blur, stable_ns)}"
