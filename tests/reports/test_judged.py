# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the judge really writes, the reports really read: the two agree on every key, not on a description of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.drill import judge
from drdrill.journal import events
from drdrill.journal.fake import Scene
from drdrill.journal.records import Done
from drdrill.reports import html, junit, terminal

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.journal.recording import Recording


class _Pen:
    """Takes what the judge writes, and puts it at the end of the scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def write(self, kind: str, **data: Any) -> None:
        self.scene.event(70.0, kind, **data)


def judged(folder: Path, lost: int) -> Recording:
    scene = Scene(folder)
    for vantage, site in (("client", "east"), ("client", "south"), ("east", "east"), ("south", "south")):
        scene.probes(site, vantage=vantage, bad=[(10.05, 14.2 if site == "south" else 30.5)])
    streams = [
        scene.writes("east", outcomes=[(10.0, 30.5, Done.UNKNOWN)]),
        scene.writes("south", outcomes=[(10.0, 14.2, Done.UNKNOWN)]),
    ]
    scene.claims(["east-db1", "south-db1"], [("east-db1", 0.0, 12.0), ("south-db1", 13.5, 60.0)])
    scene.strike("h1", 'site "east" is isolated', at=10.0, healed=30.0, sites=["east"], hosts=["east-db1"])
    keys = [key for stream in streams for key in scene.acknowledged(stream)]
    for member in ("east-db1", "south-db1"):
        scene.readback(member, keys[lost:], at=62.0, site=member.split("-")[0])
    judge.write(_Pen(scene), judge.judge(scene.recording()))  # type: ignore[arg-type]
    scene.event(71.0, events.DRILL_RESTORED, restoration="restored", differences=[])
    return scene.recording()


@pytest.mark.parametrize(("lost", "word"), [(0, "met"), (7, "missed")])
def test_what_the_judge_writes_is_what_every_report_says(lost: int, word: str, tmp_path: Path) -> None:
    recording = judged(tmp_path, lost)
    found = dict(junit.properties(recording))
    assert found["result"] == word
    assert found["rpo_lost"] == lost
    assert 3.9 < float(str(found["registration.rto_lower_s"])) <= float(str(found["registration.rto_upper_s"])) < 4.4
    assert any(f"{lost} lost" in line for line in terminal.lines(recording))
    text = html.render(recording)
    assert f"<b>{lost} lost</b>" in text
    assert "shown, not judged" in text
    for event in recording.journal.of(events.CHECK, events.ASSUMPTION):
        assert html.render(recording).count(str(html._code(event.data["message"])))
