# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From samples to outages with bounds. Pure: arrays in, intervals out.

    attempts (one stream) --merged--> attempts (a client with several endpoints) --stretches--> bad stretches --+
    acknowledgements, sent writes, pauses --gaps--> stretches without an acknowledgement ----------------------joined--> outages

Each attempt tells something of the moment at which its request arrived, which nobody saw: it was not before the sending, and
not after an answer came. Where no answer came in time: when the next attempt was sent this one was on its way, or both were
held up by the same delay of ours; the p99 of a round trip is added, for the way there. Every bound leans on these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from drdrill.journal.outage import Outage, Way
from drdrill.journal.records import UNANSWERED, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Times = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Records = npt.NDArray[np.void]

HOLE = 1
"""Numbers that may be missing between two samples before the run between them is broken: none."""


LATE = 2
"""Two attempts that were sent more than this times their spacing apart have a delay of ours between them."""


@dataclass(frozen=True)
class Attempts:
    """The attempts of one strip, in the order of their numbers.

    `proven` marks bad ones whose badness was the service's: not those that only our own delay made bad. `sent` is the
    earliest moment at which a request can have arrived, `by` the latest. Of a good attempt of several endpoints, `sent` and
    `done` are those of the first good answer.
    """

    seq: Times
    due: Times
    sent: Times
    by: Times
    done: Times
    good: Flags
    proven: Flags

    def since(self, ns: int) -> Attempts:
        """Those that were due at or after this time."""
        keep = self.due >= ns
        return Attempts(
            self.seq[keep], self.due[keep], self.sent[keep], self.by[keep],
            self.done[keep], self.good[keep], self.proven[keep],
        )  # fmt: skip


def attempts(samples: Records, latency_ns: int, p99_ns: int) -> Attempts:
    """The attempts of one stream of samples; `p99_ns` is that of a calibrated round trip."""
    samples = samples[np.argsort(samples["seq"], kind="stable")]
    seq, due, sent, done = (samples[name].astype(np.int64) for name in ("seq", "due", "sent", "done"))
    good = samples["outcome"] == Seen.GOOD
    # A connection that broke beyond the bound was one without an answer before.
    unanswered = np.isin(samples["outcome"], [*UNANSWERED, Seen.OWN_DELAY]) | (done - sent > latency_ns)
    # The second is what a recording says that was made before there was a name for the first.
    ours = (samples["outcome"] == Seen.OWN_DELAY) | ((samples["outcome"] == Seen.LATE) & (done - sent <= latency_ns))
    following = np.append(sent[1:], done[-1:])
    by = np.where(unanswered, np.minimum(done, np.maximum(following, sent) + p99_ns), done)
    return Attempts(seq, due, sent, by, done, good, ~good & ~ours)


def merged(streams: Sequence[Attempts]) -> Attempts:
    """A client that tries several endpoints at once: good when one is good, bad when all are.

    The streams share one grid. A number for which none is good and one is missing is missing.
    """
    if len(streams) == 1:
        return streams[0]
    seqs = np.unique(np.concatenate([s.seq for s in streams])) if streams else np.zeros(0, np.int64)
    far = np.iinfo(np.int64).max
    known = np.ones(len(seqs), bool)
    good = np.zeros(len(seqs), bool)
    proven = np.ones(len(seqs), bool)
    due, first_sent, first_done = (np.full(len(seqs), far) for _ in range(3))
    by, last_done = (np.full(len(seqs), -1) for _ in range(2))
    good_sent = np.zeros(len(seqs), np.int64)
    for stream in streams:
        place = np.searchsorted(seqs, stream.seq)
        here = np.zeros(len(seqs), bool)
        here[place] = True
        known &= here
        good[place] |= stream.good
        proven[place] &= stream.proven
        due[place] = np.minimum(due[place], stream.due)
        first_sent[place] = np.minimum(first_sent[place], stream.sent)
        sooner = stream.good & (stream.done < first_done[place])
        good_sent[place] = np.where(sooner, stream.sent, good_sent[place])
        by[place] = np.maximum(by[place], stream.by)
        last_done[place] = np.maximum(last_done[place], stream.done)
        first_done[place] = np.where(sooner, stream.done, first_done[place])
    keep = known | good
    sent, done = np.where(good, good_sent, first_sent), np.where(good, first_done, last_done)
    proven &= ~good
    return Attempts(seqs[keep], due[keep], sent[keep], by[keep], done[keep], good[keep], proven[keep])


@dataclass(frozen=True)
class Stretch:
    """Neither good nor proven good: see Outage for the times.

    `bad` is False for a hole in which nothing was measured, `begun` is False when nothing good was seen before.
    """

    way: Way
    after_ns: int
    first_ns: int
    by_ns: int | None
    until_ns: int | None
    good_ns: int | None
    end_by_ns: int | None
    least_ns: int = 0
    bad: bool = True
    begun: bool = True

    @property
    def proven_ns(self) -> int:
        """The longest time for which it was surely away."""
        own = 0 if self.by_ns is None or self.until_ns is None else self.until_ns - self.by_ns
        return max(own, self.least_ns)


def stretches(a: Attempts) -> list[Stretch]:
    """Every run of attempts that are not good, and every hole between two numbers.

    A run is cut where our own delay lies between two proofs, so that the time between them is looked at as any other between
    two bad times: it may have been good for a whole stable window.
    """
    if not len(a.seq):
        return []
    found = []
    for start, end in zip(*_runs(~a.good), strict=True):
        after, begun = _before(a, int(start))
        turns = np.diff(a.proven[start:end]) | (np.diff(a.sent[start:end]) > LATE * np.diff(a.due[start:end]))
        cuts = [start, *(np.flatnonzero(turns) + start + 1), end]
        for first, last in pairwise(cuts):
            by = int(a.by[first:last].min()) if a.proven[first] else None
            until = int(a.sent[last - 1]) if a.proven[first] else None
            good = _recovered(a, int(end), int(a.by[first:last].max()) if by is None else by)
            found.append(Stretch("probes", after, int(a.due[first]), by, until, *good, begun=begun))
    for before in np.flatnonzero(np.diff(a.seq) > HOLE):
        last = int(a.due[before])
        found.append(Stretch("probes", last, last, None, None, *_recovered(a, int(before) + 1, last), bad=False))
    return found


def _before(a: Attempts, start: int) -> tuple[int, bool]:
    """Sending of the last good attempt before a bad one, and whether there was any.

    Attempts that went out at almost the same time may have arrived in another order. The good one surely arrived before the
    bad one when its answer was there before the bad one was sent.
    """
    earlier = np.flatnonzero(a.good[:start] & (a.done[:start] <= a.sent[start]))
    return (int(a.sent[earlier[-1]]), True) if len(earlier) else (int(a.due[0]), False)


def _recovered(a: Attempts, end: int, by_ns: int) -> tuple[int | None, int | None]:
    """Start of the first good attempt at or after a place, and by when it was good again.

    The attempt that proves it was sent when the service was away already; else it may have arrived before it went away.
    """
    rest = np.flatnonzero(a.good[end:]) + end
    proof = rest[a.sent[rest] >= by_ns]
    return (int(a.due[rest[0]]), int(a.done[proof[0]])) if len(proof) else (None, None)


def _runs(flags: Flags) -> tuple[Times, Times]:
    """Where runs of True begin, and where they have ended."""
    edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def joined(found: Iterable[Stretch], stable_ns: int, horizon_ns: int) -> list[Stretch]:
    """Outages: stretches between which the service was not good for the whole stable window are one.

    `horizon_ns` is the last moment of which something is known: a run that is not yet stable there has not ended its outage.
    Holes alone are no outage, but no run is stable across them.
    """
    out: list[Stretch] = []
    for stretch in sorted(found, key=lambda s: s.first_ns):
        if out and (out[-1].good_ns is None or stretch.first_ns - out[-1].good_ns < stable_ns):
            out[-1] = _one(out[-1], stretch, stable_ns)
        else:
            out.append(stretch)
    if out and (good := out[-1].good_ns) is not None and horizon_ns - good < stable_ns:
        out[-1] = replace(out[-1], good_ns=None, end_by_ns=None)
    return [s for s in out if s.bad]


def _one(a: Stretch, b: Stretch, stable_ns: int) -> Stretch:
    """Both, as one. `a` begins first.

    That there was no stable window between them is certain only when none fits between the last moment at which it was
    surely away and the one at which it surely was again. Else the bounds from below stay those of the parts.
    """
    ending = a if _later(a.good_ns, b.good_ns) else b
    longer = a if not b.bad or (a.bad and _length(a) >= _length(b)) else b
    by, until = a.by_ns, a.until_ns
    if not a.bad or until is None:
        by, until = b.by_ns, b.until_ns
    elif b.by_ns is not None and b.until_ns is not None and b.by_ns - until < stable_ns:
        by, until = min(x for x in (by, b.by_ns) if x is not None), max(until, b.until_ns)
    return Stretch(
        longer.way,
        after_ns=min(a.after_ns, b.after_ns) if a.bad else b.after_ns,
        first_ns=a.first_ns if a.bad else b.first_ns,
        by_ns=by,
        until_ns=until,
        good_ns=ending.good_ns,
        end_by_ns=ending.end_by_ns,
        least_ns=max(a.proven_ns, b.proven_ns),
        bad=a.bad or b.bad,
        begun=a.begun and b.begun,
    )


def _later(a: int | None, b: int | None) -> bool:
    return a is None or (b is not None and a > b)


def _length(s: Stretch) -> float:
    return float("inf") if s.end_by_ns is None else s.end_by_ns - s.after_ns


def named(found: Iterable[Stretch], service: str, strip: str) -> tuple[Outage, ...]:
    """The outages of a strip."""
    times = ("after_ns", "first_ns", "by_ns", "until_ns", "good_ns", "end_by_ns", "least_ns", "begun")
    return tuple(Outage(service, strip, s.way, **{name: getattr(s, name) for name in times}) for s in found)
