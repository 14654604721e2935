# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The instrument against the truth: real workers, and a service in a process of its own that knows when it was away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scripted import Script

from drdrill.journal.recording import load_streams
from drdrill.journal.records import Done, intents_of
from drdrill.measure.outages import Writes, attempts, gaps, joined, named, stretches
from drdrill.measure.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.journal.outage import Outage

LATENCY_S = 0.3
STABLE_NS = 300_000_000
PROBE, WRITE = "probe-client-r-east", "write-r-east"

# Way and seconds. What is silent makes the writer wait for its connections, so it gets a longer rest after it.
OUTAGES = [
    ("refused", 0.5), ("silent", 0.7), ("stalled", 0.9), ("failing", 0.45), ("refused", 1.3),
    ("stalled", 0.61), ("silent", 1.21), ("failing", 1.0), ("refused", 0.77), ("stalled", 1.4),
    ("failing", 0.52), ("silent", 0.95), ("refused", 0.66), ("stalled", 0.73), ("refused", 0.83),
    ("failing", 0.71), ("silent", 0.5), ("stalled", 0.55), ("refused", 1.02), ("failing", 0.9),
]  # fmt: skip


def probes(url: str) -> dict[str, Any]:
    stream = {
        "stream": PROBE, "service": "r", "vantage": "client", "site": "east", "url": url, "address": url, "method": "GET",
        "path": "/healthz", "expect_status": 200, "expect_json": {"ready": True}, "rate_hz": 20.0, "latency_s": LATENCY_S,
    }  # fmt: skip
    return {"role": "probes", "streams": [stream]}


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


def told(worker: Worker, what: str) -> Callable[[], bool]:
    def look() -> bool:
        worker.poll()
        assert worker.death() is None
        return bool(getattr(worker, what))

    return look


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[tuple[int, int]], Path]:
    """Twenty outages and what was measured of them."""
    folder = tmp_path_factory.mktemp("drill")
    script = Script()
    workers = [Worker("probes", probes(script.url), folder), Worker(WRITE, writes(script.url), folder)]
    try:
        for worker in workers:
            until(told(worker, "ready"))
        time.sleep(3.2)
        truth = []
        for way, length in OUTAGES:
            truth.append(script.outage(way, length))
            time.sleep(2.0 if way == "silent" else 0.9)
        assert not any(w.death() for w in workers)
    finally:
        for worker in workers:
            worker.stop()
        script.close()
    return truth, folder / "data"


def matched(truth: list[tuple[int, int]], found: tuple[Outage, ...]) -> list[tuple[float, float, float, str]]:
    """(lower, true, upper, way) in seconds of each outage; every one is found, and nothing else is."""
    rows = []
    assert len(found) == len(truth)
    for (begin, end), outage, (way, _) in zip(truth, found, OUTAGES, strict=True):
        assert outage.upper_ns is not None
        assert outage.first_ns < end
        assert outage.good_ns is not None
        assert outage.good_ns > begin
        rows.append((outage.lower_ns / 1e9, (end - begin) / 1e9, outage.upper_ns / 1e9, way))
    return rows


def test_every_true_length_lies_inside_the_bounds_of_the_probes(measured: tuple[list[tuple[int, int]], Path]):
    truth, data = measured
    seen = attempts(load_streams(data)[PROBE].records, round(LATENCY_S * 1e9))
    before = seen.good & (seen.due < truth[0][0] - 100_000_000)
    p99 = int(np.percentile((seen.done - seen.due)[before], 99))
    found = named(joined(stretches(seen, p99), STABLE_NS, int(seen.due[-1])), "r", "client")
    for lower, true, upper, way in matched(truth, found):
        assert lower <= true <= upper, way
        assert upper - lower < LATENCY_S + 0.5, way


def test_every_true_length_lies_inside_the_bounds_of_the_acknowledgements(measured: tuple[list[tuple[int, int]], Path]):
    truth, data = measured
    streams = load_streams(data)
    sent = streams[WRITE].records[streams[WRITE].records["outcome"] != Done.UNSENT]
    due = streams[intents_of(WRITE)].records["due"]
    ok = sent["outcome"] == Done.OK
    before = ok & (sent["done"] < truth[0][0])
    p99 = int(np.percentile((sent["done"] - sent["sent"])[before], 99))
    span = [(int(due.min()), int(due.max()))]
    known = Writes(
        np.sort(sent["done"][ok]), sent["sent"], sent["done"], ok, span, round(LATENCY_S * 1e9), 40_000_000, p99
    )
    found = named(joined(gaps(known), STABLE_NS, int(due.max())), "r", "client")
    for lower, true, upper, way in matched(truth, found):
        assert lower <= true <= upper, way


def test_no_attempt_and_no_write_is_dropped(measured: tuple[list[tuple[int, int]], Path]):
    _, data = measured
    streams = load_streams(data)
    seqs = np.sort(streams[PROBE].records["seq"])
    assert (np.diff(seqs) == 1).all()
    intents = np.sort(streams[intents_of(WRITE)].records["seq"])
    assert (np.diff(intents) == 1).all()
    ended = np.sort(streams[WRITE].records["seq"])
    assert (np.diff(ended) == 1).all()
    assert len(intents) - len(ended) <= 5  # the group that was planned when the worker was stopped


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
    seen = attempts(records, round(LATENCY_S * 1e9))
    found = named(joined(stretches(seen, 10_000_000), STABLE_NS, int(seen.due[-1])), "r", "client")
    assert sum(o.lower_ns for o in found) == 0
    assert not any(o.upper_ns is not None and o.upper_ns < 2.0e9 for o in found)
