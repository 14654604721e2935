# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Samples who claims to accept writes: every member of a database, five times a second, through the management path."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.journal.records import MEMBER_CLAIM_PACK, Claim
from drdrill.measure.schedule import SECOND, Grid
from drdrill.measure.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.engines.engine import Engine

_CLAIMS: dict[bool | None, Claim] = {True: Claim.YES, False: Claim.NO, None: Claim.SILENT}


def run(spec: Mapping[str, Any], say: Callable[..., None]) -> None:
    """Sample until told to stop. A question that takes longer than a period leaves out the ticks that it missed."""
    from drdrill.engines.registry import engine_for  # noqa: PLC0415 - engines load drivers
    from drdrill.estate.load import load  # noqa: PLC0415 - pydantic and ruamel.yaml are behind it

    estate = load(spec["estate_file"])
    engine = engine_for(estate, spec["database"])
    members = sorted(estate.databases[spec["database"]].nodes)
    head = {k: spec[k] for k in ("database", "rate_hz")}
    sink = Sink(Path(spec["folder"]), spec["stream"], kind="member-claims", members=members, **head)
    grid = Grid(time.monotonic_ns(), spec["rate_hz"])
    say(status="ready", t0_ns=grid.t0_ns)
    k = 0
    while not _told_to_stop(grid.due(k)):
        due = time.monotonic_ns()
        told = _ask(engine, members)
        done = time.monotonic_ns()
        sink.write(b"".join(MEMBER_CLAIM_PACK.pack(k, due, done, n, *told[m]) for n, m in enumerate(members)))
        k = max(k + 1, grid.first_at(done))


def _ask(engine: Engine, members: Sequence[str]) -> dict[str, tuple[Claim, int]]:
    """What each member says, and of which component; who is not heard is silent, whatever the reason, which goes to the log."""
    told = dict.fromkeys(members, (Claim.SILENT, 0))
    try:
        told |= {c.host: (_CLAIMS[c.accepts], c.component) for c in engine.claims() if c.host in told}
    except Exception as error:  # noqa: BLE001 - an engine that fails to ask has heard nobody; sampling must go on
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    return told


def _told_to_stop(until_ns: int) -> bool:
    """Wait for the next tick; True when the runner says stop, or is gone."""
    while True:
        left = max(0.0, (until_ns - time.monotonic_ns()) / SECOND)
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], left)
        if not ready:
            return False
        line = os.read(sys.stdin.fileno(), 65536)
        if not line or any(json.loads(text)["do"] == "stop" for text in line.splitlines()):
            return True
