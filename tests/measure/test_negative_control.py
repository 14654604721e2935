# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The negative control: probes are shown wrong answers, and one that believes them is found out."""

from __future__ import annotations

import asyncio

import pytest

from drdrill.journal.records import Seen
from drdrill.measure import probes
from drdrill.measure.controls import controls

STREAM = {
    "stream": "probe-client-registration-east", "service": "registration", "vantage": "client", "site": "east",
    "url": "http://east-entry1", "address": "http://192.0.2.1", "method": "GET", "path": "/healthz", "expect_status": 200,
    "expect_json": {"ready": True}, "served_by": None, "rate_hz": 20.0, "latency_s": 1.0,
}  # fmt: skip
ALL = ["HTTP 503", "HTTP 200 with another body", "no answer", "a refused connection"]


def test_honest_probes_call_every_wrong_answer_bad():
    (told,) = asyncio.run(controls([STREAM]))
    assert told == {"stream": STREAM["stream"], "shown": ALL, "believed": []}


def test_a_stream_that_expects_no_body_is_shown_no_other_body():
    (told,) = asyncio.run(controls([{**STREAM, "expect_json": None}]))
    assert told["shown"] == ["HTTP 503", "no answer", "a refused connection"]
    assert told["believed"] == []


@pytest.mark.parametrize("status", [503, 418])
def test_the_wrong_status_is_never_the_one_that_is_expected(status: int):
    (told,) = asyncio.run(controls([{**STREAM, "expect_status": status}]))
    assert f"HTTP {status}" not in told["shown"]
    assert told["believed"] == []


def test_a_probe_that_takes_every_answer_for_right_is_found_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probes.Expected, "judge", lambda _self, _answer: (Seen.GOOD, ""))
    (told,) = asyncio.run(controls([STREAM]))
    assert told["believed"] == ["HTTP 503", "HTTP 200 with another body"]


def test_a_probe_that_takes_silence_for_good_is_found_out(monkeypatch: pytest.MonkeyPatch):
    async def asked(_self: probes.Probe) -> tuple[Seen, int, str]:
        return Seen.GOOD, 200, ""

    monkeypatch.setattr(probes.Probe, "_ask", asked)
    (told,) = asyncio.run(controls([STREAM]))
    assert told["believed"] == ALL


def test_a_probe_that_writes_nothing_down_is_not_believed(monkeypatch: pytest.MonkeyPatch):
    async def runs(_self: probes.Probe, _tasks: asyncio.TaskGroup) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(probes.Probe, "run", runs)
    monkeypatch.setattr("drdrill.measure.controls._PATIENCE_S", 0.1)
    (told,) = asyncio.run(controls([STREAM]))
    assert told["believed"] == ALL
