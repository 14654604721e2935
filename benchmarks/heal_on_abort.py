# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Six events that end an experiment early: is the fault healed then, and when? Chaos Toolkit and drdrill on one pocket lab.

Both isolate the site whose database writes, by the same links. Whether that is healed says somebody who uses code of neither
(raw_lab.py): the state of every link as the lab has it, and an HTTP request of a client to the site that was cut off. The time
begins with the signal, or when the tool itself says that the probe failed or the safeguard tripped. Ctrl-C goes to the whole
process group, as from a terminal; the other signals to the tool alone. Quarter of an hour.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from abort_tools import BY_SIGNAL, CTRL_C, EVENTS, HELD_S, KILL, TERM, Chaos, Ours
from figure import Figure
from raw_lab import Looker
from tools import DRDRILL, pocket, timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abort_tools import Tool

PEER, BEST, OURS = "Chaos Toolkit", "Chaos Toolkit, `--rollback-strategy always`", "drdrill"
COLUMNS = (PEER, BEST, OURS)
PATIENCE_S = 45.0
"""Longer than what drdrill promises at worst: a lease of 30 s and 5 s."""
STRIKES_S, ENDS_S = 60.0, 150.0
SIGNALS = {CTRL_C: signal.SIGINT, TERM: signal.SIGTERM, KILL: signal.SIGKILL}


@dataclass(frozen=True)
class Cell:
    """What became of the fault after one event in one tool."""

    event: str
    tool: str
    links: int
    """How many were frozen."""
    healed_s: float | None
    """From the event; None: it was not, for as long as it was waited for."""

    @property
    def words(self) -> str:
        """For the table."""
        return f"**no**, in {PATIENCE_S:g} s" if self.healed_s is None else f"yes, {self.healed_s:.1f} s"


def measure(folder: Path) -> Iterator[Figure]:
    """Each event in each tool, one after the other, and the table."""
    program = shutil.which("chaos", path=str(Path(sys.executable).parent)) or shutil.which("chaos")
    if program is None or shutil.which("curl") is None:
        sys.exit("Chaos Toolkit or curl is not installed here: pip install 'drdrill[bench]', and curl from your system")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell without job control starts what is in the background deaf to Ctrl-C, and the tools would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cells = []
    with pocket(folder) as state:
        looker = Looker(state / "pocket" / "lab")
        for event in EVENTS:
            for tool in COLUMNS:
                place = folder / str(len(cells))
                place.mkdir()
                site = looker.tidy()
                timed([*DRDRILL, "recover", "--estate", "pocket"], place, state=state)
                if tool == OURS:
                    of: Tool = Ours(event, site, looker, place, state)
                else:
                    options = ["--rollback-strategy", "always"] if tool == BEST else []
                    of = Chaos([program, *options], event, site, looker, place)
                cells.append(case(event, tool, of, site, looker))
                print(f"  {event}; {tool}: {cells[-1].words}", flush=True)
    if len({cell.links for cell in cells}) != 1:
        sys.exit("the tools did not strike the same number of links, so that nothing can be compared")
    told = ", ".join(f"{name} {number}" for name, number in versions().items())
    print("\n".join(["", *rows(cells), "", f"{datetime.now(UTC):%Y-%m-%d}; {told}", ""]))
    detail = {"versions": versions(), "cells": [asdict(cell) for cell in cells]}
    for peer in (PEER, BEST):
        beside = f"{peer}, {healed(cells, peer)}"
        theirs = [float(healed(cells, peer).split()[0])]
        ours = [float(healed(cells, OURS).split()[0])]
        what = "aborts that end healed, of 6"
        yield Figure(what, "", ours, beside, theirs, 1.0, more_is_better=True, detail=detail)


def case(event: str, tool: str, of: Tool, site: str, looker: Looker) -> Cell:
    """Let one tool that was started on a whole lab strike, and meet one event."""
    try:
        # The lab freezes all links of a strike at once, so that whoever sees one sees them all.
        struck = looker.struck(STRIKES_S)
        if struck is None:
            raise SystemExit(f"{tool} did not strike: {of.said()}")
        begun, frozen = struck
        met = told(of, event) if event in BY_SIGNAL else None
        # What is not told from outside comes by itself; how long that takes is added to the patience.
        later = 0.0 if met is not None else HELD_S + 5.0
        whole = looker.healed(site, PATIENCE_S + later)
        ended(of)
        # Without a word of the tool about the event the time begins with the strike: that can only be too long.
        met = met or of.met() or begun
        return Cell(event, tool, len(frozen), None if whole is None else max(0.0, whole - met))
    finally:
        if of.process.poll() is None:
            of.process.kill()
        of.process.wait()


def told(of: Tool, event: str) -> float:
    """Send the signal when the fault was held for a while; when that was."""
    time.sleep(HELD_S)
    now = time.monotonic()
    if event == CTRL_C:
        os.killpg(of.process.pid, SIGNALS[event])
    else:
        of.process.send_signal(SIGNALS[event])
    return now


def ended(of: Tool) -> None:
    """Let it end by itself: its own account of the event is read after that."""
    try:
        of.process.wait(ENDS_S)
    except subprocess.TimeoutExpired:
        of.process.kill()


def healed(cells: Sequence[Cell], tool: str) -> str:
    """How often, for people."""
    of = [cell for cell in cells if cell.tool == tool]
    return f"{sum(cell.healed_s is not None for cell in of)} of {len(of)}"


def versions() -> dict[str, str]:
    """Of everything that was compared."""
    return {name: version(name) for name in ("drdrill", "chaostoolkit", "chaostoolkit-lib", "chaostoolkit-addons")}


def rows(cells: Sequence[Cell]) -> list[str]:
    """The table, as a document has it."""
    lines = [f"| event | {' | '.join(COLUMNS)} |", f"| --- |{' --- |' * len(COLUMNS)}"]
    for event in EVENTS:
        of = {cell.tool: cell.words for cell in cells if cell.event == event}
        lines.append(f"| {event} | {' | '.join(of[tool] for tool in COLUMNS)} |")
    return [*lines, f"| healed | {' | '.join(f'**{healed(cells, tool)}**' for tool in COLUMNS)} |"]
