# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A probe on a real lab: everything but the strikes, and nothing of it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from harness import FEATURES

if TYPE_CHECKING:
    from harness import Labs

STRIKES = {"fault.planned", "fault.armed", "fault.struck", "operation.begun"}


@pytest.mark.lab
def test_a_site_is_not_cut_off_and_all_the_rest_is_done(labs: Labs) -> None:
    lab = labs.get()
    ran = lab.start("probe-only", FEATURES / "site_isolation" / "site_cut_off.feature", options=("--probe-only",)).end()
    assert ran.status == 0, ran.output
    assert (ran.result, ran.restoration) == ("inconclusive", "restored")
    kinds = {event.kind for event in ran.recording.journal.events}
    assert not STRIKES & kinds
    assert {"guardian.begun", "probes.started", "writes.started", "readback"} <= kinds
    steps = [e.data["status"] for e in ran.recording.journal.of("step.ended")]
    assert steps[:3] == ["passed"] * 3
    assert "Only probed: nothing was struck" in ran.output
    assert "skipped" in ran.output
