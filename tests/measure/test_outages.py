# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The algebra of outages against oracles that are slow and simple, and against a service whose truth is made up."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drdrill.journal import records
from drdrill.journal.records import Seen
from drdrill.measure.acknowledgements import Writes, gaps
from drdrill.measure.outages import Attempts, Stretch, attempts, joined, merged, named, stretches
from drdrill.measure.schedule import Grid, missed

MS = 1_000_000
PERIOD = 50 * MS
STABLE = 500 * MS
P99 = 7 * MS
RTT = 5 * MS

settings.register_profile("steady", deadline=None, max_examples=200)
settings.load_profile("steady")


def stream(outcomes: list[int | None], took: int = RTT) -> Attempts:
    """One attempt a period; None: it is missing."""
    found = np.zeros(len(outcomes), records.SAMPLE)
    found["seq"] = np.arange(len(outcomes))
    found["due"] = found["seq"].astype(np.int64) * PERIOD
    found["sent"] = found["due"] + MS
    found["outcome"] = [0 if o is None else o for o in outcomes]
    found["done"] = found["due"] + np.where(found["outcome"] == Seen.SILENT, 2000 * MS, took)
    return attempts(found[[o is not None for o in outcomes]], 1000 * MS, P99)


def outages(a: Attempts) -> list[Stretch]:
    return joined(stretches(a), STABLE, int(a.due[-1]))


GOOD_OR_BAD = st.lists(st.sampled_from([Seen.GOOD, Seen.REFUSED]).map(int), min_size=1, max_size=120)
RUNS = st.lists(st.tuples(st.booleans(), st.integers(1, 25)), min_size=1, max_size=12).map(
    lambda runs: [int(Seen.GOOD if good else Seen.SILENT) for good, n in runs for _ in range(n)]
)


def oracle(outcomes: list[int]) -> list[tuple[int, int | None]]:
    """(first bad attempt, first attempt of the stable run or None), by looking at every attempt and every window."""
    found: list[tuple[int, int | None]] = []
    k = 0
    while k < len(outcomes):
        if outcomes[k] == Seen.GOOD:
            k += 1
            continue
        first = k
        while k < len(outcomes) and not _stable(outcomes, k):
            k += 1
        found.append((first, k if k < len(outcomes) else None))
    return found


def _stable(outcomes: list[int], k: int) -> bool:
    window = [n for n in range(k, len(outcomes)) if (n - k) * PERIOD < STABLE]
    return all(outcomes[n] == Seen.GOOD for n in window) and (len(outcomes) - 1 - k) * PERIOD >= STABLE


@given(GOOD_OR_BAD | RUNS)
def test_outages_begin_and_end_where_the_oracle_says(outcomes: list[int]):
    found = outages(stream(outcomes))
    assert [(o.first_ns // PERIOD, None if o.good_ns is None else o.good_ns // PERIOD) for o in found] == oracle(
        outcomes
    )


@given(GOOD_OR_BAD | RUNS)
def test_bounds_are_those_of_the_rule(outcomes: list[int]):
    for o in outages(stream(outcomes)):
        first = o.first_ns // PERIOD
        end = len(outcomes) if o.good_ns is None else o.good_ns // PERIOD
        bad = [k for k in range(first, end) if outcomes[k] != Seen.GOOD]
        answered = RTT - MS  # a bad answer says by when; else it is the sending of the next attempt and a round trip
        by = answered if outcomes[bad[0]] == Seen.REFUSED else PERIOD + P99
        assert o.proven_ns <= max(0, (bad[-1] - bad[0]) * PERIOD - by)
        before = [k for k in range(first) if outcomes[k] == Seen.GOOD]
        assert o.begun is bool(before)
        assert o.after_ns == (before[-1] * PERIOD + MS if before else first * PERIOD)
        # One silent attempt may have arrived as late as the next one was sent: the good one after that proves the end.
        alone = outcomes[bad[-1]] == Seen.SILENT and bad[-1] - 1 not in bad
        assert o.end_by_ns in {None, end * PERIOD + RTT, (end + 1) * PERIOD + RTT if alone else None}


@given(st.lists(st.tuples(st.integers(700, 4000), st.integers(20, 3000)), min_size=1, max_size=6))
def test_a_made_up_truth_lies_inside_the_bounds(story: list[tuple[int, int]]):
    """Away for so many ms after being good for so many; what is too short to be hit by an attempt is not found."""
    away, at = [], 1000 * MS
    for good, bad in story:
        begin = at + good * MS
        at = begin + bad * MS
        away.append((begin, at))
    due = np.arange(0, at + 2000 * MS, PERIOD)
    outcomes = [int(Seen.REFUSED if any(b <= t + MS < e for b, e in away) else Seen.GOOD) for t in due]
    found = outages(stream(outcomes))
    hit = [(b, e) for b, e in away if any(b <= t + MS < e for t in due)]
    assert len(found) == len(hit)
    for o, (begin, end) in zip(found, hit, strict=True):
        assert o.end_by_ns is not None
        assert o.proven_ns <= end - begin <= o.end_by_ns - o.after_ns


@given(st.lists(st.sampled_from([int(Seen.GOOD), int(Seen.REFUSED), None]), min_size=2, max_size=80))
def test_no_run_is_stable_across_a_hole(outcomes: list[int | None]):
    assume(outcomes[0] is not None)
    assume(outcomes[-1] is not None)
    for o in outages(stream(outcomes)):
        if o.good_ns is not None:
            start = o.good_ns // PERIOD
            run = [outcomes[n] for n in range(start, len(outcomes)) if (n - start) * PERIOD < STABLE]
            assert all(seen == Seen.GOOD for seen in run)


@given(st.lists(st.sampled_from([int(Seen.GOOD), None]), min_size=2, max_size=80))
def test_holes_alone_are_no_outage(outcomes: list[int | None]):
    assume(any(o is not None for o in outcomes))
    assert not outages(stream(outcomes))


@given(st.lists(st.lists(st.sampled_from([0, 3, None]), min_size=30, max_size=30), min_size=1, max_size=3))
def test_a_client_with_several_endpoints_is_the_best_of_them(rows: list[list[int | None]]):
    streams = [stream(row, took=RTT + n) for n, row in enumerate(rows)]
    got = merged(streams)
    expected = {}
    for k in range(30):
        seen = [row[k] for row in rows]
        if 0 in seen:
            expected[k] = True
        elif None not in seen:
            expected[k] = False
    assert dict(zip(got.seq.tolist(), got.good.tolist(), strict=True)) == expected
    for seq, good, done, proven in zip(got.seq, got.good, got.done, got.proven, strict=True):
        if good:
            assert done == min(seq * PERIOD + RTT + n for n, row in enumerate(rows) if row[seq] == 0)
        assert bool(proven) is not bool(good)


def test_what_only_our_own_delay_made_late_proves_no_outage():
    found = np.zeros(100, records.SAMPLE)
    found["seq"] = np.arange(100)
    found["due"] = found["seq"].astype(np.int64) * PERIOD
    found["sent"] = found["due"]
    found["sent"][20:50] = found["due"][49] + 1200 * MS  # the process was stopped, and sent all of them at once
    found["done"] = found["sent"] + RTT
    found["outcome"] = np.where(found["done"] - found["due"] > 1000 * MS, int(Seen.LATE), int(Seen.GOOD))
    (outage,) = joined(stretches(attempts(found, 1000 * MS, P99)), STABLE, int(found["due"][-1]))
    assert outage.proven_ns == 0
    assert outage.end_by_ns is not None


def test_two_proofs_with_our_own_delay_between_them_prove_nothing_in_between():
    """The service may have been well for a whole stable window while this process stood still."""
    outcomes = [0] * 20 + [int(Seen.REFUSED)] * 4 + [int(Seen.OWN_DELAY)] * 20 + [int(Seen.REFUSED)] * 10 + [0] * 20
    (outage,) = outages(stream(outcomes))
    assert outage.proven_ns == 9 * PERIOD - (RTT - MS)
    assert outage.end_by_ns == 54 * PERIOD + RTT


def test_a_service_that_was_never_seen_good_has_no_upper_bound():
    (outage,) = named(outages(stream([int(Seen.REFUSED)] * 10 + [0] * 20)), "r", "client")
    assert not outage.begun
    assert outage.upper_ns is None
    assert outage.lower_ns == 9 * PERIOD - (RTT - MS)


WRITE_PERIOD = 40 * MS
LATENCY = 300 * MS


@given(
    st.lists(
        st.tuples(st.integers(900, 3000), st.integers(400, 3000), st.sampled_from(["refused", "stalled", "silent"])),
        min_size=1, max_size=4,
    ),
    st.integers(0, 39),
    st.integers(2, 40),
)  # fmt: skip
def test_a_made_up_truth_lies_inside_the_bounds_of_the_gaps(story: list[tuple[int, int, str]], shift: int, slots: int):
    """A writer with a few connections; silent writes keep theirs until 4 x the latency bound."""
    away, at = [], 1000 * MS
    for good, bad, way in story:
        begin = at + good * MS + shift * MS
        at = begin + bad * MS
        away.append((begin, at, way))
    sent, done, ok = _write_all(away, at + 3000 * MS, slots)
    acks = np.sort(done[ok])
    w = Writes(acks, sent, sent, done, ok, [(0, at + 3000 * MS)], LATENCY, WRITE_PERIOD, P99)
    found = joined(gaps(w), STABLE, at + 3000 * MS)
    for begin, end, _ in away:
        if end - begin > LATENCY + WRITE_PERIOD + P99:
            # The last acknowledgement may still be on its way when the service goes; the first one after it travels as long.
            assert any(
                o.after_ns <= begin + RTT and (o.end_by_ns is None or end - begin <= o.end_by_ns - o.after_ns)
                for o in found
            )
    for o in found:
        inside = [(b, e) for b, e, _ in away if b < (o.end_by_ns or at) and e > o.after_ns]
        assert o.proven_ns <= (inside[-1][1] - inside[0][0] if inside else 0)


def _write_all(away: list[tuple[int, int, str]], end: int, slots: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, busy = [], []
    for t in range(0, end, WRITE_PERIOD):
        busy = [until for until in busy if until > t]
        if len(busy) >= slots:
            continue
        out = next(((e, way) for b, e, way in away if b <= t + RTT // 2 < e), None)
        if out is None:
            rows.append((t, t + RTT, True))
        elif out[1] == "refused":
            rows.append((t, t + RTT, False))
        elif out[1] == "stalled":
            rows.append((t, out[0] + RTT // 2, True))
            busy.append(min(out[0], t + 4 * LATENCY))
        else:
            rows.append((t, t + 20_000 * MS, False))
            busy.append(t + 4 * LATENCY)
    found = np.array(rows, dtype=np.int64)
    return found[:, 0], found[:, 1], found[:, 2].astype(bool)


def test_what_one_part_proves_is_kept_when_the_other_proves_nothing():
    """Silent writes prove nothing before their deadline, and a gap often begins before the first bad probe."""
    gap = Stretch("acknowledgements", 0, 10 * MS, None, None, None, None)
    bad = Stretch("probes", 0, 20 * MS, 30 * MS, 2500 * MS, None, None)
    (outage,) = named(joined([bad, gap], STABLE, 3000 * MS), "r", "client")
    assert outage.lower_ns == 2470 * MS
    assert outage.first_ns == 10 * MS
    assert outage.upper_ns is None


def test_parts_between_which_a_stable_run_may_have_been_missed_keep_their_own_bounds():
    first = Stretch(
        "acknowledgements", 0, 10 * MS, 20 * MS, 700 * MS, 4000 * MS, 4000 * MS
    )  # out of connections until 4 s
    second = Stretch("probes", 4100 * MS, 4200 * MS, 4210 * MS, 5210 * MS, 5300 * MS, 5310 * MS)
    (outage,) = named(joined([first, second], STABLE, 9000 * MS), "r", "client")
    assert outage.lower_ns == 1000 * MS
    assert (outage.by_ns, outage.until_ns) == (20 * MS, 700 * MS)
    assert outage.upper_ns == 5310 * MS


def test_a_pause_is_part_of_no_gap():
    acks = np.array([n * WRITE_PERIOD for n in range(25)] + [5000 * MS + n * WRITE_PERIOD for n in range(25)], np.int64)
    nothing = np.zeros(0, np.int64)
    spans = [(0, 1000 * MS), (5000 * MS, 6000 * MS)]
    assert not gaps(Writes(acks, nothing, nothing, nothing, nothing.astype(bool), spans, LATENCY, WRITE_PERIOD, P99))
    (one,) = gaps(
        Writes(acks, nothing, nothing, nothing, nothing.astype(bool), [(0, 6000 * MS)], LATENCY, WRITE_PERIOD, P99)
    )
    assert one.by_ns is None  # nothing was sent, so nothing proves an outage
    assert one.end_by_ns == 5000 * MS


@given(st.integers(0, 10**12), st.sampled_from([20.0, 25.0, 3.0, 7.0]), st.integers(0, 10**6))
def test_the_grid_never_drifts(t0: int, rate: float, k: int):
    grid = Grid(t0, rate)
    assert abs(grid.due(k) - t0 - k * 1e9 / rate) <= max(1, 1e-6 * k)
    assert grid.first_at(grid.due(k)) == k
    assert grid.first_at(grid.due(k) + 1) == k + 1


def test_an_attempt_that_could_only_be_late_by_our_own_doing_is_not_made():
    assert not missed(0, 2000 * MS, 1000 * MS)
    assert missed(0, 2001 * MS, 1000 * MS)
