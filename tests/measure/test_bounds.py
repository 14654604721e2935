# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Any truth and any lateness of our own: the truth lies inside the bounds. A simulation of client and service, without a clock.

The client is one thread that may be stopped at any moment for any time. It sends, connects, writes and reads only while it
runs; what was due meanwhile goes out late or not at all, and answers wait. Trips take up to the calibrated p99 together.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scripted import WAYS, Bit
from truth import Blur, account, away, of_client

from drdrill.journal import records
from drdrill.journal.records import UNANSWERED, Seen
from drdrill.measure.outages import Attempts, Stretch, attempts, joined, merged, named, stretches
from drdrill.measure.schedule import missed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.journal.outage import Outage

Stalls = list[tuple[int, int, int]]

US = 1_000
MS = 1_000_000
PERIOD = 50 * MS
LATENCY = 300 * MS
STABLE = 500 * MS
P99 = 6 * MS


class Story(NamedTuple):
    """What happens: (good ms, way, away ms) of each time away; probing begins `start` ms into it and stops `stop` ms after it."""

    bits: list[tuple[int, str, int]]
    stop: int
    start: int = 0

    def truth(self) -> list[Bit]:
        at, found = -self.start * MS, []
        for good, way, gone in self.bits:
            begin = at + good * MS + 137 * US
            at = begin + gone * MS
            found.append(Bit(way, begin, at, at))
        return found

    def stop_ns(self) -> int:
        truth = self.truth()
        return max(4 * PERIOD, (truth[-1].end if truth else 3000 * MS) + self.stop * MS)


class Client:
    """A client that stands still for (attempt, us after it was due, ms) each, and its trips, which a seed decides."""

    def __init__(self, stalls: Stalls, seed: int) -> None:
        self.stalls = sorted((k * PERIOD + us * US, k * PERIOD + us * US + ms * MS) for k, us, ms in stalls)
        self.chance = random.Random(seed)  # noqa: S311 - trips that can be tried again

    def runs(self, at: int) -> int:
        """The first moment not before this one at which it runs."""
        for begin, end in self.stalls:
            if begin <= at < end:
                at = end
        return at

    def heard(self, stop: int) -> int:
        """Up to when it surely heard the answers of its attempts, when it is told to stop at this moment."""
        for begin, end in reversed(self.stalls):
            if begin < stop < end + LATENCY:
                stop = begin
        return stop

    def trip(self) -> int:
        return self.chance.randint(20 * US, P99 // 2)

    def probe(self, truth: Sequence[Bit], stop: int) -> np.ndarray:
        """Every attempt until it is told to stop, as the worker records it."""
        told = self.runs(stop)
        rows = [self.attempt(k, truth, told) for k in range(told // PERIOD + 1)]
        found = np.array(
            [r for r in rows if r is not None],
            dtype=[("seq", "i8"), ("due", "i8"), ("sent", "i8"), ("done", "i8"), ("outcome", "u1")],
        )
        samples = np.zeros(len(found), records.SAMPLE)
        for name in ("seq", "due", "sent", "done", "outcome"):
            samples[name] = found[name]
        return samples

    def attempt(self, k: int, truth: Sequence[Bit], stop: int) -> tuple[int, int, int, int, int] | None:
        due = k * PERIOD
        woken = self.runs(due)
        sent = woken + self.chance.randint(1 * US, 300 * US)
        if missed(due, woken, LATENCY) or sent >= stop:
            return None
        seen, done = self.ask(sent, truth)
        if done >= stop:
            return (k, due, sent, stop, int(Seen.SILENT)) if self.listened(sent, stop) > LATENCY else None
        if seen == Seen.GOOD and done - due > LATENCY:
            seen = Seen.LATE
        if seen in UNANSWERED and self.listened(sent, done) <= LATENCY:
            seen = Seen.OWN_DELAY
        return k, due, sent, done, int(seen)

    def listened(self, begin: int, end: int) -> int:
        """For how long it heard what came, as far as it knows: it notices that it stood still when an attempt was due."""
        deaf, kept = 0, begin
        for due in range(-(-begin // PERIOD) * PERIOD, end, PERIOD):
            now = min(end, self.runs(due))
            deaf += max(0, now - max(due, kept))
            kept = max(kept, now)
        return end - begin - deaf

    def ask(self, sent: int, truth: Sequence[Bit]) -> tuple[Seen, int]:
        """Outcome and end of one attempt."""
        given_up = self.runs(sent + LATENCY + 1000 * MS)
        knocked = sent + self.trip()
        if _at(truth, knocked) == "refused":
            return Seen.REFUSED, self.runs(knocked + self.trip())
        written = self.runs(self.runs(knocked + self.trip()) + 50 * US)
        arrived = written + self.trip()
        way = _at(truth, arrived)
        if way == "silent":
            reset = [self.runs(b.begin + self.trip()) for b in truth if b.way == "refused" and b.begin > arrived]
            return (Seen.BROKEN, reset[0]) if reset and reset[0] < given_up else (Seen.SILENT, given_up)
        if way == "stalled":
            arrived = next(b.end for b in truth if b.begin <= arrived < b.end)
        came = arrived + self.trip()
        read = self.runs(came)
        if came > sent + LATENCY + 1000 * MS or (read == given_up and self.chance.random() < 0.5):
            return Seen.SILENT, given_up
        bad = {"failing": Seen.WRONG, "wrong": Seen.WRONG, "broken": Seen.BROKEN, "refused": Seen.BROKEN}
        return bad.get(way, Seen.GOOD), read


def _at(truth: Sequence[Bit], at: int) -> str:
    return next((b.way for b in truth if b.begin <= at < b.end), "")


_attempts, _merged, _stretches, _joined, _named = attempts, merged, stretches, joined, named
"""The instrument; the tests with a flaw put another part in its place."""


def check(stories: Sequence[Story], stalls: Stalls, seed: int) -> None:
    """One client with an endpoint for each story."""
    stop = min(s.stop_ns() for s in stories)
    truths = [[b for b in s.truth() if b.begin < stop] for s in stories]
    client = Client(stalls, seed)
    streams = [client.probe(t, stop) for t in truths]
    if not all(len(s) for s in streams):
        return
    true = away(truths[0], LATENCY)
    for t in truths[1:]:
        true = of_client(true, away(t, LATENCY))
    seen = _merged([_attempts(s, LATENCY, P99) for s in streams])
    if not len(seen.seq):
        return
    found = _named(_joined(_stretches(seen), STABLE, int(seen.due[-1])), "r", "client")
    account(true, found, Blur(streams, PERIOD), stable_ns=STABLE, latency_ns=LATENCY, stop_ns=client.heard(stop))


BITS = st.tuples(
    st.one_of(st.integers(700, 3000), st.integers(20, 1000)), st.sampled_from(sorted(WAYS)),
    st.one_of(st.integers(10, 400), st.integers(200, 3000), st.just(50)),
)  # fmt: skip
STORIES = st.builds(
    Story, st.lists(BITS, max_size=5), st.one_of(st.integers(600, 2500), st.integers(-1500, 600)),
    st.one_of(st.just(0), st.integers(700, 2000)),
)  # fmt: skip
STALLS = st.lists(
    st.tuples(st.integers(0, 150), st.one_of(st.integers(0, 600), st.integers(0, 50_000)), st.integers(1, 2000)),
    max_size=3,
)


SEEDS = st.integers(0, 999)
STEADY = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
"""Nearly the same cases in every run (Hypothesis also tries numbers that it finds in modules that are loaded). The long test
looks for new ones."""


@given(STORIES, STALLS, SEEDS)
@settings(STEADY, max_examples=600)
def test_any_truth_lies_inside_the_bounds_whatever_our_own_machine_does(story: Story, stalls: Stalls, seed: int):
    check([story], stalls, seed)


@given(st.tuples(STORIES, STORIES), STALLS, SEEDS)
@settings(STEADY, max_examples=300)
def test_any_truth_of_a_client_with_two_services_lies_inside_the_bounds(
    stories: tuple[Story, Story], stalls: Stalls, seed: int
):
    check(stories, stalls, seed)


@pytest.mark.long
@given(st.lists(STORIES, min_size=1, max_size=3), STALLS, SEEDS)
@settings(STEADY, max_examples=15_000, derandomize=False, print_blob=True)
def test_any_truth_lies_inside_the_bounds_in_cases_that_nobody_tried_before(
    stories: list[Story], stalls: Stalls, seed: int
):
    check(stories, stalls, seed)


def no_round_trip(samples: np.ndarray, latency_ns: int, p99_ns: int) -> Attempts:
    """Away from the sending of the first bad attempt on."""
    a = attempts(samples, latency_ns, p99_ns)
    return replace(a, by=a.sent)


def unanswered_arrives_in_time(samples: np.ndarray, latency_ns: int, p99_ns: int) -> Attempts:
    """As if a process could not be stopped between taking the time and sending: what this project did at first."""
    a = attempts(samples, latency_ns, p99_ns)
    return replace(a, by=np.minimum(a.by, a.sent + p99_ns))


def answer_without_its_way_back(samples: np.ndarray, latency_ns: int, p99_ns: int) -> Attempts:
    """Back at the sending of the first good attempt."""
    a = attempts(samples, latency_ns, p99_ns)
    return replace(a, done=np.where(a.good, a.sent, a.done))


def from_the_first_bad_one(samples: np.ndarray, latency_ns: int, p99_ns: int) -> Attempts:
    """At most from the first bad attempt, not from the last good one."""
    a = attempts(samples, latency_ns, p99_ns)
    return replace(a, sent=np.where(a.good, a.sent + PERIOD, a.sent))


def every_late_answer_is_theirs(samples: np.ndarray, latency_ns: int, p99_ns: int) -> Attempts:
    """Our own delay taken for the service's."""
    a = attempts(samples, latency_ns, p99_ns)
    return replace(a, proven=~a.good)


def ends_at_the_first_good_one(found: Sequence[Stretch], stable_ns: int, horizon_ns: int) -> list[Stretch]:
    """No stable window."""
    return joined(found, stable_ns // 4, horizon_ns)


def seen_to_begin(found: Sequence[Stretch], service: str, strip: str) -> tuple[Outage, ...]:
    """A service that was away from the start is said to have gone away then."""
    return tuple(replace(o, begun=True) for o in named(found, service, strip))


def one_run(a: Attempts) -> list[Stretch]:
    """What our own delay hides between two bad times is taken for bad, as if all had been sent when they were due."""
    return stretches(replace(a, sent=np.where(a.good, a.sent, a.due)))


def of_the_first_service(streams: Sequence[Attempts]) -> Attempts:
    """A client that does not choose."""
    return streams[0]


FLAWS = [
    ("attempts", no_round_trip), ("attempts", unanswered_arrives_in_time), ("attempts", answer_without_its_way_back),
    ("attempts", from_the_first_bad_one), ("attempts", every_late_answer_is_theirs), ("joined", ends_at_the_first_good_one),
    ("named", seen_to_begin), ("merged", of_the_first_service),
]  # fmt: skip


@pytest.mark.parametrize(("part", "flaw"), FLAWS, ids=[f.__name__ for _, f in FLAWS])
def test_a_broken_bound_is_caught(part: str, flaw: Any, monkeypatch: pytest.MonkeyPatch):
    look = settings(STEADY, max_examples=4000, phases=[Phase.generate], report_multiple_bugs=False)
    monkeypatch.setattr(sys.modules[__name__], f"_{part}", flaw)
    two = st.tuples(STORIES, STORIES) if flaw is of_the_first_service else st.tuples(STORIES)
    with pytest.raises(AssertionError, match="no truth fits|missed|split"):
        look(given(two, STALLS, SEEDS)(check))()


def test_a_last_attempt_that_we_were_deaf_for_proves_nothing():
    """Found by chance: we stood still from the last attempt on, and were told to stop when we woke up."""
    story = Story(
        [(1359, "broken", 400), (410, "broken", 275), (212, "broken", 127), (274, "failing", 388)], 2156, 1833
    )
    check([story], [(51, 2129, 1216)], 0)


def test_a_silence_at_the_very_end_that_is_not_written_down_is_caught(monkeypatch: pytest.MonkeyPatch):
    """Attempts that are under way when probing stops are bad once their bound has passed; dropping them hides an outage."""
    story = Story([(2000, "silent", 3000)], -2000)
    check([story], [], 0)
    monkeypatch.setattr(Client, "listened", lambda *_: 0)
    with pytest.raises(AssertionError, match="missed"):
        check([story], [], 0)


def test_a_good_time_that_our_own_delay_hides_is_not_counted_as_away(monkeypatch: pytest.MonkeyPatch):
    story = Story([(1000, "refused", 120), (1000, "refused", 300)], 1500)
    check([story], [(23, 0, 1000)], 0)
    monkeypatch.setattr(sys.modules[__name__], "_stretches", one_run)
    with pytest.raises(AssertionError, match="no truth fits"):
        check([story], [(23, 0, 1000)], 0)
