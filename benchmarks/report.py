# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill report` of a ten-minute drill, from the command to the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figure import Figure
from tools import DRDRILL, timed

from drdrill.journal.fake import Scene
from drdrill.journal.records import Done

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = 5
LIMIT_S = 2.0
MINUTES = 10


def measure(folder: Path) -> Iterator[Figure]:
    """A drill with the traffic of a real one: 20 probes and 25 writes a second for each site."""
    drill = folder / "ten-minutes"
    scene = Scene(drill, end=60.0 * MINUTES)
    away = [(100.0, 107.5), (300.0, 301.2)]
    for site in ("east", "south"):
        scene.probes(site, bad=away)
        scene.writes(site, outcomes=[(a, b, Done.UNKNOWN) for a, b in away])
    scene.strike("h1", 'site "east" is isolated', sites=["east"], at=100.0, healed=290.0)
    scene.recording()
    seconds = [timed([*DRDRILL, "report", str(drill)], folder, allowed=(0, 1, 6))[0] for _ in range(ROUNDS)]
    size = (drill / "report.html").stat().st_size
    yield Figure(f"report of a {MINUTES}-minute drill", "s", seconds, "limit", [LIMIT_S], 1.0, detail={"bytes": size})
