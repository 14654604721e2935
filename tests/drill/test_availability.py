# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from drdrill.checkers.verdict import Verdict
from drdrill.drill.availability import Availability
from drdrill.errors import BadInput, Refused
from drdrill.estate.durations import Deadline

if TYPE_CHECKING:
    from bench import Bench
    from scripted import Script

    from drdrill.drill.workload import Workload

RTO = Deadline(promise="rto")


def test_a_service_that_comes_back_in_time_passes_with_its_true_length_inside_the_bounds(
    bench: Bench, workload: Workload, services: tuple[Script, Script]
):
    workload.write_through("registration", 25)
    for script in services:
        script.begin("refused", 2.0)
    bench.strike("h1")
    struck = time.monotonic_ns()
    Availability(bench, workload).await_again("admission", RTO)
    ended = max(script.ended()[1] for script in services)
    (judged,) = bench.concluded
    assert judged.verdict is Verdict.PASS
    true = (ended - struck) / 1e9
    assert float(judged.counts["lower_s"]) <= true <= float(judged.counts["upper_s"]) < 2.5
    assert any("clients see: registration away" in said for said in bench.said)


def test_a_service_that_stays_away_fails_after_the_deadline_and_the_window(
    bench: Bench, workload: Workload, services: tuple[Script, Script]
):
    workload.write_through("registration", 25)
    for script in services:
        script.begin("failing", 8)
    bench.strike("h1")
    begun = time.monotonic()
    with pytest.raises(AssertionError, match="was away for more than"):
        Availability(bench, workload).await_again("registration", Deadline(seconds=2.0))
    assert 4.5 < time.monotonic() - begun < 7


def test_the_endpoint_that_a_sentence_names_is_judged_alone(
    bench: Bench, workload: Workload, services: tuple[Script, Script]
):
    workload.write_through("registration", 25)
    services[0].begin("silent", 6)
    bench.strike("h1", "east")
    noun = Availability(bench, workload)
    noun.await_again("registration", RTO)
    noun.await_again("registration", RTO, site="south")
    assert [j.verdict for j in bench.concluded] == [Verdict.PASS, Verdict.PASS]
    assert "was good all the time after" in bench.concluded[0].message
    with pytest.raises(AssertionError):
        noun.await_again("registration", Deadline(seconds=1.0), site="primary site")


def test_never_longer_fails_on_an_outage_that_is_too_long(
    bench: Bench, workload: Workload, services: tuple[Script, Script]
):
    workload.write_through("registration", 25)
    for script in services:
        script.begin("failing", 2.5)
    bench.strike("h1")
    with pytest.raises(AssertionError, match="too long"):
        Availability(bench, workload).never_longer("registration", Deadline(seconds=1.0))


def test_before_anything_was_struck_nothing_can_come_back(bench: Bench, workload: Workload):
    with pytest.raises(Refused, match="nothing was struck or moved"):
        Availability(bench, workload).await_again("registration", RTO)


def test_a_service_has_no_recovery_time_and_an_unknown_name_is_bad_input(bench: Bench, workload: Workload):
    noun = Availability(bench, workload)
    with pytest.raises(BadInput, match="promised an RTO"):
        noun.await_again("registration", Deadline(promise="recovery"))
    with pytest.raises(BadInput, match='no service is called "billing"'):
        noun.await_again("billing", RTO)
    with pytest.raises(BadInput, match='no site is called "west"'):
        noun.await_again("registration", RTO, site="west")
