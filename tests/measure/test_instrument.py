# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The instrument against the truth: real workers, and a service in a process of its own that knows when it was away."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from scripted import HOLDS_BACK, WAYS, Script
from truth import Blur, account, away, of_client

from drdrill.drill.good_traffic import calibration
from drdrill.journal import events
from drdrill.journal.journal import Journal
from drdrill.journal.recording import load, load_streams
from drdrill.journal.records import Done, Seen, intents_of
from drdrill.measure.acknowledgements import Writes, gaps
from drdrill.measure.outages import attempts, joined, named, stretches
from drdrill.measure.strips import strip
from drdrill.measure.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from scripted import Bit
    from truth import Away, Match

    from drdrill.journal.outage import Outage
    from drdrill.journal.recording import Recording

LATENCY_S = 0.3
LATENCY_NS = 300_000_000
STABLE_S = 0.4
STABLE_NS = 400_000_000
PERIOD_NS = 50_000_000
MS = 1_000_000
PROBE, WRITE = "probe-client-r-east", "write-r-east"

# Way and seconds. What is silent makes the writer wait for its connections, so it gets a longer rest after it.
OUTAGES = [
    ("refused", 0.5), ("silent", 0.7), ("stalled", 0.9), ("failing", 0.45), ("refused", 1.3),
    ("stalled", 0.61), ("silent", 1.21), ("failing", 1.0), ("refused", 0.77), ("stalled", 1.4),
    ("failing", 0.52), ("silent", 0.95), ("refused", 0.66), ("stalled", 0.73), ("refused", 0.83),
    ("failing", 0.71), ("silent", 0.5), ("stalled", 0.55), ("refused", 1.02), ("failing", 0.9),
]  # fmt: skip

# Every service with its sites. The first is written through too, the last is never away.
SERVICES = {
    "r": ["east"], "pair": ["east", "south"], "twin": ["east", "south"],
    "a": ["east"], "b": ["east"], "c": ["east"], "d": ["east"], "e": ["east"], "quiet": ["east"],
}  # fmt: skip
ENDPOINTS = [(service, site) for service, sites in SERVICES.items() for site in sites]
FIRST_S = 3.5
"""Good seconds before the first outage: 3 s of them calibrate the round trip."""


def scripted(chance: random.Random) -> list[tuple[float, str, float]]:
    """Twenty outages and two that are one sample long: (good seconds before, way, seconds away)."""
    kinds = ["once"] * 14 + ["flapping"] * 6 + ["one sample"] * 2
    chance.shuffle(kinds)
    bits: list[tuple[float, str, float]] = []
    for kind in kinds:
        rest = chance.uniform(0.85, 1.05) if bits else FIRST_S
        way = chance.choice(sorted(WAYS))
        if kind == "once":
            # A stalled service is away for whoever waits no longer than the latency bound; so the first of it does not count.
            bits.append((rest, way, chance.uniform(0.25, 1.2) + (LATENCY_S if way == "stalled" else 0)))
        elif kind == "one sample":
            bits.append((rest, way, PERIOD_NS / 1e9))
        for n in range(chance.randint(3, 5) if kind == "flapping" else 0):
            shown = chance.choice(["refused", "failing", "wrong", "broken"])
            bits.append((chance.uniform(0.06, 0.2) if n else rest, shown, chance.uniform(0.11, 0.25)))
    return bits


def probe(url: str, service: str = "r", site: str = "east", latency_s: float = LATENCY_S) -> dict[str, Any]:
    return {
        "stream": f"probe-client-{service}-{site}", "service": service, "vantage": "client", "site": site, "url": url,
        "address": url, "method": "GET", "path": "/healthz", "expect_status": 200, "expect_json": {"ready": True},
        "rate_hz": 20.0, "latency_s": latency_s,
    }  # fmt: skip


def probes(*urls: str) -> dict[str, Any]:
    return {"role": "probes", "streams": [probe(url) for url in urls]}


def writes(url: str, deadline_s: float = 20.0) -> dict[str, Any]:
    return {
        "role": "writes", "stream": WRITE, "service": "r", "database": "d", "site": "east", "vantage": "east", "url": url,
        "address": url, "method": "POST", "path": "/r", "body": '{"key": "{key}"}', "content_type": "application/json",
        "ok": 201, "rate_hz": 25.0, "latency_s": LATENCY_S, "deadline_s": deadline_s, "connections": 16, "prefix": "d/w/",
    }  # fmt: skip


def until(look: Callable[[], Any], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.01)


def away_s(folder: Path, spec: dict[str, Any]) -> tuple[bool, float]:
    """Whether this endpoint was ever good, and since when it is not, as the samples on disk say."""
    stream = load_streams(folder / "data").get(spec["stream"])
    if stream is None:
        return False, 0.0
    samples = stream.records
    good, due = samples["due"][samples["outcome"] == Seen.GOOD], samples["due"]
    since = good.max() if len(good) else due.min() if len(due) else 0
    return len(good) > 0, (due.max() - since) / 1e9 if len(due) else 0.0


def told(worker: Worker, what: str) -> Callable[[], bool]:
    def look() -> bool:
        worker.poll()
        assert worker.death() is None
        return bool(getattr(worker, what))

    return look


class Measured(NamedTuple):
    """What was played, and what was measured of it."""

    truth: dict[tuple[str, str], list[Bit]]
    recording: Recording
    stop_ns: int

    @property
    def data(self) -> Path:
        return self.recording.folder / "data"

    def samples(self, *endpoints: tuple[str, str]) -> list[np.ndarray]:
        return [self.recording.streams[f"probe-client-{a}-{b}"].records for a, b in endpoints]


def journal_of(
    folder: Path, specs: Sequence[dict[str, Any]], before_ns: int | None = None, stable_s: float = STABLE_S
) -> Recording:
    """Write what a drill writes into its journal about these probes, and load everything."""
    journal = Journal(folder)
    names = dict.fromkeys(s["service"] for s in specs)
    promised = {"rto_s": 15.0, "latency_s": specs[0]["latency_s"], "stable_s": stable_s}
    journal.write(
        events.DRILL_BEGUN, drill="d", objectives={"services": dict.fromkeys(names, promised), "databases": {}}
    )
    streams = load_streams(folder / "data")
    for spec in specs:
        journal.write(events.PROBES_STARTED, **{k: spec[k] for k in ("stream", "service", "vantage", "site", "url")})
        records = streams[spec["stream"]].records
        records = records[np.argsort(records["seq"])]
        before = records["due"][0] + round(FIRST_S * 1e9) if before_ns is None else before_ns
        c = calibration(records[records["due"] < before - 2 * PERIOD_NS])
        if c is not None:
            told = {
                "from_ns": c.from_ns,
                "to_ns": c.to_ns,
                "samples": c.samples,
                "p50_ns": c.p50_ns,
                "p99_ns": c.p99_ns,
            }
            journal.write(events.PROBES_CALIBRATED, stream=spec["stream"], **told)
    journal.close()
    return load(folder)


@pytest.fixture(scope="module")
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Ten services, each away twenty times and for two single samples, and one that is never away, all at the same time."""
    seed = random.SystemRandom().randrange(10**6) if request.config.getoption("--all") else 4
    print(f"seed {seed}")  # noqa: T201 - whoever sees a failure needs it
    chance = random.Random(seed)  # noqa: S311 - a script that can be played again
    folder = tmp_path_factory.mktemp("drill")
    script = Script(len(ENDPOINTS))
    specs = [probe(url, *endpoint) for url, endpoint in zip(script.urls, ENDPOINTS, strict=True)]
    workers = [
        Worker("probes", {"role": "probes", "streams": specs[:6]}, folder),
        Worker("more", {"role": "probes", "streams": specs[6:]}, folder),
        Worker(WRITE, writes(script.url), folder),
    ]
    try:
        for worker in workers:
            until(told(worker, "ready"))
        rests = [FIRST_S, *(2.0 if way == "silent" else 0.9 for way, _ in OUTAGES)]
        script.play([(rest, way, s) for rest, (way, s) in zip(rests, OUTAGES, strict=False)], 0)
        for n in range(1, len(ENDPOINTS) - 1):
            script.play(scripted(chance), n)
        truth = {ENDPOINTS[n]: bits for n, bits in (script.played() for _ in ENDPOINTS[:-1])}
        time.sleep(1.5)
        stop = time.monotonic_ns()
        assert not any(w.death() for w in workers)
    finally:
        for worker in workers:
            worker.stop()
        script.close()
    return Measured(
        truth | {ENDPOINTS[-1]: []}, journal_of(folder, specs, min(b[0].begin for b in truth.values())), stop
    )


def of_strip(m: Measured, service: str, name: str) -> tuple[list[Away], tuple[Outage, ...], list[Match], Blur]:
    """The truth of one strip, its outages, and how they fit."""
    sites = [(service, s) for s in SERVICES[service] if name in {"client", s}]
    truth = away(m.truth[sites[0]], LATENCY_NS)
    for other in sites[1:]:
        truth = of_client(truth, away(m.truth[other], LATENCY_NS))
    blur = Blur(m.samples(*sites), PERIOD_NS)
    found = strip(m.recording, service, name).outages
    return (
        truth,
        found,
        account(truth, found, blur, stable_ns=STABLE_NS, latency_ns=LATENCY_NS, stop_ns=m.stop_ns),
        blur,
    )


def test_every_one_of_two_hundred_true_outages_lies_inside_its_bounds(measured: Measured):
    rows = []
    for service, site in ENDPOINTS:
        truth, _, matches, _ = of_strip(measured, service, site)
        for m in matches:
            o = m.outage
            assert o.upper_ns is not None
            ways = "+".join(sorted({b.way for b in truth[m.first : m.last + 1]})) if m.first == m.last else "flapping"
            rows.append((ways, o.lower_ns, truth[m.last].early - truth[m.first].begin, o.upper_ns))
    print(f"{len(rows)} outages")  # noqa: T201
    for way in sorted({r[0] for r in rows}):
        widths = [(high - low) / MS for w, low, _, high in rows if w == way]
        print(f"{way:9} {len(widths):3}  bounds {np.median(widths):5.0f} ms apart, at most {max(widths):5.0f}")  # noqa: T201
    assert len(rows) >= 200


def test_a_client_with_two_endpoints_is_away_when_both_are(measured: Measured):
    for service in ("pair", "twin"):
        truth, _, matches, _ = of_strip(measured, service, "client")
        assert truth
        assert matches


def p99_of(m: Measured, service: str) -> int:
    """Of the calibrated round trip; where not every attempt of 3 s was good, as on a starved machine, there is none."""
    found = [
        e.data["p99_ns"] for e in m.recording.journal.of(events.PROBES_CALIBRATED) if f"-{service}-" in e.data["stream"]
    ]
    return max(found, default=LATENCY_NS)


def test_the_bounds_are_no_wider_than_they_must_be(measured: Measured):
    """Two spacings and the round trips; where nothing answers the latency bound more, and a spacing."""
    looked = 0
    for service, site in ENDPOINTS:
        truth, _, matches, blur = of_strip(measured, service, site)
        for m in matches:
            bits = truth[m.first : m.last + 1]
            if not blur.calm(bits[0].begin, bits[-1].end):
                continue  # our own delay widens bounds in more ways than one; that they hold then is another test
            looked += 1
            late, trip = blur.parts(bits[0].begin, bits[-1].end)
            allowed = 2 * PERIOD_NS + 2 * late
            if any(b.way in HOLDS_BACK for b in bits):
                allowed += PERIOD_NS + LATENCY_NS + p99_of(measured, service)
            else:
                allowed += 2 * trip
            assert m.outage.upper_ns is not None
            assert m.outage.upper_ns - m.outage.lower_ns <= allowed, bits
    print(f"{looked} outages on a calm machine")  # noqa: T201
    lateness = np.concatenate([s["sent"] - s["due"] for s in measured.samples(*ENDPOINTS)])
    assert looked >= 50 or np.percentile(lateness, 75) > 5 * MS


def test_no_outage_is_invented_while_all_is_quiet(measured: Measured):
    assert len(measured.samples(ENDPOINTS[-1])[0]) > 600
    assert not of_strip(measured, "quiet", "client")[2]


@pytest.mark.long
def test_no_outage_is_invented_in_ten_quiet_minutes(tmp_path: Path, service: Script):
    spec = probe(service.url, latency_s=1.0)
    worker = Worker("probes", {"role": "probes", "streams": [spec]}, tmp_path)
    until(told(worker, "ready"))
    time.sleep(600)
    worker.stop()
    recording = journal_of(tmp_path, [spec])
    samples = recording.streams[PROBE].records
    assert len(samples) > 0.99 * 600 * 20
    found = strip(recording, "r", "client").outages
    assert not account([], found, Blur([samples], PERIOD_NS), stable_ns=STABLE_NS, latency_ns=10**9, stop_ns=10**18)


def test_a_service_that_is_away_when_probing_begins_and_when_it_stops(tmp_path: Path):
    """Of the first nobody knows when it began and of the last nobody knows when it will end, so neither has an upper bound."""
    ways = sorted(WAYS)
    script = Script(len(ways))
    specs = [probe(url, way) for url, way in zip(script.urls, ways, strict=True)]
    for n, way in enumerate(ways):
        script.play([(0.0, way, 60.0), (2.0, way, 60.0)], n)
    worker = Worker("probes", {"role": "probes", "streams": specs}, tmp_path)
    try:
        until(told(worker, "ready"))
        shown = specs[ways.index("refused")]
        until(lambda: away_s(tmp_path, shown)[1] > 0.8, 30.0)
        script.come_back()
        until(lambda: away_s(tmp_path, shown)[0] and away_s(tmp_path, shown)[1] > 0.8, 30.0)
        worker.stop()
        stop = time.monotonic_ns()
        script.come_back()
        truth = dict(script.played() for _ in ways)
    finally:
        worker.stop()
        script.close()
    recording = journal_of(tmp_path, specs)
    for n, way in enumerate(ways):
        blur = Blur([recording.streams[specs[n]["stream"]].records], PERIOD_NS)
        first, last = strip(recording, way, "client").outages
        account(
            away(truth[n], LATENCY_NS), (first, last), blur, stable_ns=STABLE_NS, latency_ns=LATENCY_NS, stop_ns=stop
        )
        assert (first.begun, first.upper_ns) == (False, None), way
        assert (last.begun, last.upper_ns) == (True, None), way
        assert first.lower_ns > 0, way
        assert last.lower_ns > 0, way


def test_every_true_length_lies_inside_the_bounds_of_the_acknowledgements(measured: Measured):
    truth, data = measured.truth["r", "east"], measured.data
    streams = load_streams(data)
    sent = streams[WRITE].records[streams[WRITE].records["outcome"] != Done.UNSENT]
    due = streams[intents_of(WRITE)].records["due"]
    ok = sent["outcome"] == Done.OK
    before = ok & (sent["done"] < truth[0].begin)
    p99 = int(np.percentile((sent["done"] - sent["sent"])[before], 99))
    span = [(int(due.min()), int(due.max()))]
    known = Writes(
        np.sort(sent["done"][ok]),
        sent["due"],
        sent["sent"],
        sent["done"],
        ok,
        span,
        round(LATENCY_S * 1e9),
        40_000_000,
        p99,
    )
    found = named(joined(gaps(known), STABLE_NS, int(due.max())), "r", "client")
    # A gap that only the writer's own delay made says itself that it proves nothing.
    shown = [
        o for o in found if o.lower_ns or any(o.after_ns < b.end and b.begin < (o.end_by_ns or b.end) for b in truth)
    ]
    assert len(shown) == len(truth)
    for bit, outage in zip(truth, shown, strict=True):
        assert outage.upper_ns is not None
        assert outage.first_ns < bit.end
        assert outage.good_ns is not None
        assert outage.good_ns > bit.begin
        assert outage.lower_ns <= bit.end - bit.begin <= outage.upper_ns, bit.way


def test_no_attempt_and_no_write_is_dropped(measured: Measured):
    streams = load_streams(measured.data)
    seqs = np.sort(streams[PROBE].records["seq"])
    assert (np.diff(seqs) == 1).all()
    intents = np.sort(streams[intents_of(WRITE)].records["seq"])
    assert (np.diff(intents) == 1).all()
    ended = np.sort(streams[WRITE].records["seq"])
    assert (np.diff(ended) == 1).all()
    assert len(intents) - len(ended) <= 5  # the group that was being planned when the worker was stopped


def test_an_intent_is_on_disk_before_its_write_is_sent(tmp_path: Path, service: Script):
    worker = Worker(WRITE, writes(service.url), tmp_path)
    until(told(worker, "ready"))
    time.sleep(1.0)
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: not worker.alive())
    streams = load_streams(tmp_path / "data")
    planned = set(streams[intents_of(WRITE)].records["seq"].tolist())
    arrived = {int(key.rsplit("/", 1)[1]) for key in service.rows()}
    assert arrived
    assert arrived <= planned
    assert "killed by signal 9" in str(worker.death())
    worker.stop()


@pytest.fixture
def service() -> Iterator[Script]:
    script = Script()
    yield script
    script.close()


def test_an_unanswered_write_gives_its_slot_away_and_is_watched_to_its_deadline(tmp_path: Path, service: Script):
    worker = Worker(WRITE, writes(service.url, deadline_s=2.0), tmp_path)
    until(told(worker, "ready"))
    service.outage("silent", 1.5)
    time.sleep(1.0)
    worker.pause()
    until(told(worker, "quiet"))
    records = load_streams(tmp_path / "data")[WRITE].records
    worker.stop()
    unknown = records[(records["outcome"] == Done.UNKNOWN) & (records["note"] == b"no answer")]
    assert len(unknown) >= 17  # more than there are connections: slots were given to fresh ones after 1.2 s
    took = (unknown["done"] - unknown["sent"]) / 1e9
    assert took.min() >= 2.0
    assert (records["outcome"] == Done.UNSENT).any()
    last = records[records["seq"] >= records["seq"].max() - 10]
    assert (last["outcome"] == Done.OK).all()


def test_a_runner_that_is_killed_leaves_no_worker(tmp_path: Path, service: Script):
    code = (
        "import json, sys, time; from pathlib import Path; from drdrill.measure.workers import Worker\n"
        "spec, folder = json.loads(sys.argv[1]), Path(sys.argv[2])\n"
        "worker = Worker('w', spec, folder)\n"
        "while not worker.ready: worker.poll(); time.sleep(0.01)\n"
        "print(worker.pid, flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, json.dumps(probes(service.url)), str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        pid = int(runner.stdout.readline())
        os.kill(pid, 0)
        runner.kill()
        until(lambda: _gone(pid), 3.0)


def _gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_a_worker_that_cannot_start_says_why(tmp_path: Path):
    worker = Worker("w", probes("gopher://nowhere"), tmp_path)
    until(lambda: not worker.alive())
    assert "no http or https URL" in str(worker.death())
    worker.stop()


def test_a_worker_that_hung_reports_holes_and_no_outage(tmp_path: Path, service: Script):
    """What only this machine did must neither make the service look away nor be taken for a service that was good."""
    worker = Worker("probes", probes(service.url), tmp_path)
    until(told(worker, "ready"))
    time.sleep(1.0)
    os.kill(worker.pid, signal.SIGSTOP)
    time.sleep(2.5)
    os.kill(worker.pid, signal.SIGCONT)
    time.sleep(1.5)
    worker.stop()
    records = load_streams(tmp_path / "data")[PROBE].records
    seqs = np.sort(records["seq"])
    assert (np.diff(seqs) > 5).any()  # what was due more than 1.3 s before was not sent any more
    seen = attempts(records, LATENCY_NS, 10 * MS)
    found = named(joined(stretches(seen), STABLE_NS, int(seen.due[-1])), "r", "client")
    assert sum(o.lower_ns for o in found) == 0
    assert not any(o.upper_ns is not None and o.upper_ns < 2.0e9 for o in found)
