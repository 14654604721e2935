# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Each flaw is something deliberately wrong with the lab or the measuring. A drill that ends in met with one of them is a lie."""

from __future__ import annotations

import os
import signal

import pytest
from harness import FEATURES, workers_of

CUT_OFF = FEATURES / "site_isolation" / "site_cut_off.feature"

pytestmark = pytest.mark.lab


def test_asynchronous_replication_is_missed_with_the_lost_writes_by_key(labs):
    """The isolated side acknowledges for two seconds more; those writes are gone when it follows the new writer."""
    ran = labs.get("asynchronous-replication", fresh=True).run("asynchronous", CUT_OFF)
    assert ran.status == 1, ran.output
    assert (ran.result, ran.restoration) == ("missed", "restored")
    failed = ran.checks("fail")
    lost = failed["lost_write"]
    assert lost["witnesses_total"] > 0
    assert lost["witnesses"], "the lost writes are named"
    assert "no_ack_while_cut" in failed
    assert lost["witnesses"][0] in ran.output or str(lost["witnesses_total"]) in ran.output


def test_a_cut_that_does_not_take_hold_is_inconclusive(labs):
    """The way in says ok and nothing is cut: everything stays available, and that proves nothing."""
    ran = labs.get("cut-is-ignored").run("ignored", CUT_OFF)
    assert ran.status == 6, ran.output
    assert (ran.result, ran.restoration) == ("inconclusive", "restored")
    told = ran.failed_assumptions()
    assert any("took hold" in f"{name} {words}" or "took_hold" in name for name, words in told.items()), told


def test_a_lease_that_runs_out_half_way_is_inconclusive_and_lapsed(labs):
    ran = labs.get("short-leases").run("short", CUT_OFF)
    assert ran.status == 6, ran.output
    assert (ran.result, ran.restoration) == ("inconclusive", "restored")
    assert ran.recording.journal.last("fault.lapsed") is not None
    assert "lapsed" in str(ran.last("drill.judged")["reasons"])


def stop_the_probes(running):
    running.wait_for("fault.struck")
    pids = workers_of(running, "probe")
    assert pids, "there are probe processes to stop"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_probes_that_stopped_are_inconclusive(labs):
    ran = labs.get().run("blind", CUT_OFF, during=stop_the_probes)
    assert ran.status == 6, ran.output
    assert ran.result == "inconclusive"
    assert any("probe" in f"{name} {words}" for name, words in ran.failed_assumptions().items())


def test_probes_that_stopped_do_not_hide_a_lost_write(labs):
    """Missed is never undone by a doubt."""
    ran = labs.get("asynchronous-replication").run("blind-and-asynchronous", CUT_OFF, during=stop_the_probes)
    assert ran.status == 1, ran.output
    assert ran.result == "missed"
    assert "lost_write" in ran.checks("fail")
