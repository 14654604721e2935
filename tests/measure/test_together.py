# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""All measuring processes of a drill begin together: one that has loaded waits for the others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from scripted import Script

from drdrill.journal.recording import load_stream
from drdrill.measure.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def service() -> Iterator[Script]:
    script = Script()
    yield script
    script.close()


def probes(url: str) -> dict[str, Any]:
    stream = {
        "stream": "probe", "service": "registration", "vantage": "client", "site": "east", "url": url, "address": url,
        "method": "GET", "path": "/healthz", "expect_status": 200, "rate_hz": 20.0, "latency_s": 0.5,
    }  # fmt: skip
    return {"role": "probes", "streams": [stream]}


def until(worker: Worker, look: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, f"it did not come to be; the worker: {worker.death() or 'lives'}"
        time.sleep(0.02)
        worker.poll()


def test_a_worker_that_waits_measures_nothing_before_it_may(tmp_path: Path, service: Script) -> None:
    worker = Worker("w", probes(service.url), tmp_path, waits=True)
    try:
        until(worker, lambda: worker.loaded)
        assert not worker.ready
        assert not (tmp_path / "data" / "probe.bin").exists()
        allowed = time.monotonic_ns()
        worker.go()
        until(worker, lambda: worker.ready and (tmp_path / "data" / "probe.bin").stat().st_size > 0)
    finally:
        worker.stop()
    stream = load_stream(tmp_path / "data", "probe")
    assert stream is not None
    assert int(stream.records["due"].min()) > allowed


def test_a_worker_that_waits_ends_when_its_runner_does(tmp_path: Path, service: Script) -> None:
    worker = Worker("w", probes(service.url), tmp_path, waits=True)
    until(worker, lambda: worker.loaded)
    worker.stop()
    assert worker.death() is None
    assert not worker.alive()
