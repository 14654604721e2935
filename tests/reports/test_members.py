# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What clients were told by the members of a database, in the picture and in the assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from drills import Folder, ns

from drdrill.checkers.schedules import probes_kept_schedule
from drdrill.checkers.verdict import Verdict
from drdrill.journal import events
from drdrill.journal.recording import load
from drdrill.journal.records import Seen
from drdrill.reports import strips
from drdrill.reports.drawing import WIDTH
from drdrill.reports.timeline import draw

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.journal.recording import Recording
    from drdrill.reports.drawing import Group


def recording(folder: Path, *, hole: bool = False) -> Recording:
    """20 s: east-db1 commits until 10, is silent until 15, then only reads. With `hole` nobody asked it from 5 to 8."""
    made = Folder(folder)
    made.event(0, events.DRILL_BEGUN, drill="d", title="t", objectives={})
    for question in ("read", "write"):
        name = f"probe-client-clinical-east-db1-{question}"
        told = {
            "stream": name, "database": "clinical", "member": "east-db1", "site": "east", "question": question, "vantage": "client",
            "vantage_site": None, "rate_hz": 5.0, "latency_s": 1.0,
        }  # fmt: skip
        made.event(0.5, events.MEMBERS_PROBED, **told)
        rows = []
        for k in range(95):
            second = 1 + k / 5
            if hole and 5 <= second < 8:
                continue
            seen = Seen.SILENT if 10 <= second < 15 else Seen.GOOD
            if question == "write" and second >= 15:
                seen = Seen.WRONG
            rows.append((k, ns(second), ns(second), ns(second + 0.01), seen, 0, b""))
        made.stream(name, "samples", rows, t0_ns=ns(1), **told)
        made.event(20, events.WORKER_ENDED, stream=name, status="stopped", words="")
    made.close()
    return load(folder)


def members(found: Recording) -> Group:
    drawing = draw(found)
    assert drawing is not None
    (group,) = [g for g in drawing.groups if "clinical" in g.heading]
    return group


def test_a_member_is_drawn_as_what_it_told_a_client_at_each_time(tmp_path: Path) -> None:
    found = recording(tmp_path / "drill")
    group = members(found)
    assert group.heading == "Who commits to clinical"
    (row,) = group.rows
    assert row.label == "client \u2192 east-db1"
    states = [s.state for s in row.segments if s.state != strips.SILENT]
    assert states == [strips.YES, strips.NO]
    commits, reads = (s for s in row.segments if s.state != strips.SILENT)
    assert commits.hover.startswith("can be read and commits")
    assert reads.hover.startswith("can be read, does not commit")
    silence = (reads.first - commits.after) / WIDTH * (draw(found).axis.to_s - draw(found).axis.from_s)
    assert silence == pytest.approx(5.0, abs=0.3)


def test_a_member_that_was_asked_one_question_only_is_drawn_from_that_one() -> None:
    asked = strips.Cells(np.array([0, 10], np.int64), np.array([strips.GOOD], np.uint8))
    assert strips.answers(asked, strips.NOTHING).states.tolist() == [strips.NO]
    assert strips.answers(strips.NOTHING, asked).states.tolist() == [strips.YES]
    assert not len(strips.answers(strips.NOTHING, strips.NOTHING).states)


def test_probes_of_members_are_held_to_their_schedule(tmp_path: Path) -> None:
    kept = probes_kept_schedule(recording(tmp_path / "whole"))
    assert kept is not None
    assert kept.verdict is Verdict.PASS
    assert kept.counts["streams"] == 2
    broken = probes_kept_schedule(recording(tmp_path / "hole", hole=True))
    assert broken is not None
    assert broken.verdict is Verdict.FAIL
    assert "probe-client-clinical-east-db1-read" in broken.message
