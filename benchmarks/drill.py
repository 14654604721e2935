# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One whole drill: our own share of its time, and how late its probes were sent.

Our own share is all of the command's time, from the shell to the report, in which neither the estate nor a stated window is
awaited: see sampled.py. The lateness of a probe is the time from when it was due until it was sent; beside it stands an empty
asyncio loop that sleeps to the same grid on the same machine while a second drill runs, and the bound beyond which an
assumption of the drill fails (a quarter of the latency bound).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from figure import Figure
from tools import ROOT, pocket, timed

from drdrill.journal.recording import load

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 2
LIMIT_SHARE = 5.0
NOT_A_DRILL = ["-p", "no:hypothesispytest"]
"""A tool of our developers' environment that pytest would load in 0.6 s; whoever only drills does not have it."""
RATE_HZ = 20.0
FEATURE = ROOT / "features" / "host_loss" / "database_host.feature"


def measure(folder: Path) -> Iterator[Figure]:
    """Drill a few times on one lab."""
    of_drill, of_command, late, bare = [], [], [], []
    where: dict[str, float] = {}
    quarter_ms = 0.0  # of the last drill; it is the estate's, so the same for all
    with pocket(folder) as state:
        for n in range(ROUNDS):
            out, samples = folder / f"out-{n}", folder / f"samples-{n}.json"
            argv = [sys.executable, str(Path(__file__).parent / "sampled.py"), str(samples)]
            argv += ["run", "--estate", "pocket", "--drill-out", str(out), str(FEATURE), *NOT_A_DRILL]
            with Loop() as loop:
                seconds, _ = timed(argv, folder, state=state)
            bare.append(loop.p99_ms)
            drill = next(out.iterdir())
            found, quarter_ms = lateness_ms(drill)
            late.append(found)
            rows = json.loads(samples.read_text())
            begun, ended = times(drill)
            inside = [row for row in rows if begun <= row[0] <= ended]
            of_drill.append(100 * (1 - awaited_s(inside) / (ended - begun)))
            of_command.append(100 * (1 - awaited_s(rows) / seconds))
            where = by_place(inside)
    detail = {"seconds of our own in the last drill": where}
    yield Figure("our own share of a drill", "%", of_drill, "limit", [LIMIT_SHARE], 1.0, detail=detail)
    note = "from the shell to the report: Python, pytest, collecting and the report as well"
    yield Figure(
        "our own share of `drdrill run`", "%", of_command, "twice the limit", [2 * LIMIT_SHARE], 1.0, note=note
    )
    yield Figure("a probe is sent late, p99", "ms", late, "limit", [quarter_ms], 1.0)
    yield Figure("a probe is sent late, p99", "ms", late, "an empty asyncio loop", bare, 3.0)


def awaited_s(rows: list[tuple[float, float, str, str]]) -> float:
    """Seconds in which the estate or a stated window was awaited."""
    return sum(taken for _, taken, kind, _ in rows if kind != "own")


def by_place(rows: list[tuple[float, float, str, str]]) -> dict[str, float]:
    """Our own seconds by the function that spent them, the longest first."""
    spent: defaultdict[str, float] = defaultdict(float)
    for _, taken, kind, place in rows:
        if kind == "own":
            spent[place] += taken
    return {place: round(s, 3) for place, s in sorted(spent.items(), key=lambda item: -item[1])[:25]}


def times(drill: Path) -> tuple[float, float]:
    """When a drill began and ended, in s of CLOCK_MONOTONIC."""
    journal = load(drill).journal
    first, last = journal.events[0], journal.events[-1]
    return first.t / 1e9, last.t / 1e9


def lateness_ms(drill: Path) -> tuple[float, float]:
    """p99 of sent - due over all probes of a drill, and a quarter of the strictest latency bound, in ms."""
    recording = load(drill)
    late, bounds = [], []
    for stream in recording.streams.values():
        if stream.head["kind"] == "samples":
            late.append((stream.records["sent"] - stream.records["due"]) / 1e6)
            bounds.append(float(stream.head["latency_s"]) * 250)
    return float(np.percentile(np.concatenate(late), 99)), min(bounds)


class Loop:
    """An empty asyncio loop in a process of its own that sleeps to a grid of 20 a second."""

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, and take its answer."""
        answer, _ = self._process.communicate("\n")
        self.p99_ms = float(answer)


def bare() -> float:
    """p99 of how late it woke up, in ms, from now until a line arrives on stdin."""
    over = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        over.set()

    threading.Thread(target=listen, daemon=True).start()

    async def loop() -> list[float]:
        late, due = [], time.monotonic()
        while not over.is_set():
            due += 1 / RATE_HZ
            await asyncio.sleep(due - time.monotonic())
            late.append((time.monotonic() - due) * 1e3)
        return late

    return float(np.percentile(asyncio.run(loop()), 99))


if __name__ == "__main__":
    print(bare())
