# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drdrill.drill import good_traffic
from drdrill.drill import workload as module
from drdrill.errors import BadInput, Refused
from drdrill.journal import events, records
from drdrill.journal.recording import DATA, load_stream
from drdrill.journal.records import Done, Seen, intents_of

if TYPE_CHECKING:
    from bench import Bench
    from scripted import Script

    from drdrill.drill.workload import Workload

EAST, SOUTH = "write-registration-east", "write-registration-south"


def test_it_returns_once_probes_were_good_and_writes_acknowledged(bench: Bench, workload: Workload):
    workload.write_through("admission", 25)
    recording = bench.recording()
    probes = [e.data for e in recording.journal.of(events.PROBES_STARTED)]
    assert {(p["vantage"], p["vantage_site"], p["site"]) for p in probes} == {
        ("client", None, "east"), ("client", None, "south"), ("east", "east", "east"), ("south", "south", "south"),
    }  # fmt: skip
    calibrated = [e.data for e in recording.journal.of(events.PROBES_CALIBRATED)]
    assert {c["stream"] for c in calibrated} == {p["stream"] for p in probes}
    assert all(c["to_ns"] - c["from_ns"] >= 2.9e9 for c in calibrated)
    for stream in (EAST, SOUTH):
        ok = (recording.streams[stream].records["outcome"] == Done.OK).sum()
        assert ok >= 40, stream
    (watched,) = recording.journal.of(events.MEMBERS_WATCHED)
    assert watched.data["members"] == ["east-db1", "south-db1"]
    assert len(recording.streams["claims-clinical"].records)


def test_a_pause_lets_nothing_be_in_flight_and_names_the_mark(bench: Bench, workload: Workload):
    workload.write_through("registration", 25)
    with workload.pause() as marks:
        before = {name: len(s.records) for name, s in workload.streams().items() if name in marks}
        for stream, mark in marks.items():
            assert len(workload.streams()[intents_of(stream)].records) == before[stream]  # every intent has its outcome
            planned = load_stream(bench.folder / DATA, intents_of(stream))
            assert planned is not None
            assert int(planned.records["seq"].max()) == mark
            assert before[stream] <= mark - 25, "what was planned for the second to come was sent"
        time.sleep(0.5)
        assert {n: len(s.records) for n, s in workload.streams().items() if n in marks} == before
    (pause,) = bench.recording().timeline.pauses
    assert pause.to_ns is not None
    after = workload.streams()[EAST].records
    assert len(after) > before[EAST] + 40  # it came back only after 2 s of acknowledged writes
    seqs = sorted(after["seq"])
    assert seqs[: before[EAST]] == list(range(before[EAST]))
    assert seqs[before[EAST] :] == list(range(marks[EAST] + 1, marks[EAST] + 1 + len(after) - before[EAST]))


@pytest.mark.parametrize("rate", [9.0, 0.0, -5.0])
def test_a_rate_that_cannot_see_a_short_outage_is_refused(bench: Bench, workload: Workload, rate: float):
    with pytest.raises(BadInput, match="too few"):
        workload.write_through("registration", rate)
    assert not list(bench.recording().journal.of(events.WRITES_STARTED))


def test_a_service_that_is_away_refuses_the_drill_and_says_what_was_seen(
    workload: Workload, services: tuple[Script, Script], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "GOOD_S", 4.0)
    services[1].begin("failing", 10)
    with pytest.raises(Refused, match=r"was not good for 3 s within 4 s: .*south: \d+ wrong \(HTTP 503\)"):
        workload.write_through("registration", 25)


def test_a_measuring_process_that_is_killed_is_seen_once_and_not_taken_for_silence(bench: Bench, workload: Workload):
    workload.write_through("registration", 25)
    victim = workload._clients.workers["probe-client-registration"]
    os.kill(victim.pid, signal.SIGKILL)
    bench.wait_until(lambda: workload.worker_deaths() or None, 5.0, "the death")
    (words,) = workload.worker_deaths("probes")
    assert "was killed by signal 9" in words
    workload.stop()
    ended = {e.data["stream"]: e.data["status"] for e in bench.recording().journal.of(events.WORKER_ENDED)}
    assert ended["probe-client-registration-east"] == "died"
    assert ended["probe-client-registration-south"] == "died"
    assert ended[EAST] == "stopped"


def test_stopping_twice_or_before_the_start_is_fine(bench: Bench, workload: Workload):
    workload.stop()
    workload.stop()
    assert not list(bench.recording().journal.of(events.WORKER_ENDED))


def samples(outcomes: list[int], rate: float = 20.0) -> np.ndarray:
    found = np.zeros(len(outcomes), records.SAMPLE)
    found["seq"] = np.arange(len(outcomes))
    found["due"] = (np.arange(len(outcomes)) / rate * 1e9).astype(np.int64)
    found["done"] = found["due"] + 5_000_000
    found["outcome"] = outcomes
    return found


def test_calibration_needs_three_good_seconds_without_a_hole():
    good = [int(Seen.GOOD)]
    assert good_traffic.calibration(samples(good * 50)) is None
    assert good_traffic.calibration(samples(good * 40 + [int(Seen.LATE)] + good * 40)) is None
    whole = samples(good * 80)
    found = good_traffic.calibration(whole)
    assert found is not None
    assert (found.samples, found.p99_ns) == (61, 5_000_000)
    assert good_traffic.calibration(np.delete(whole, 70)) is None
