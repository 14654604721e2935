# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The write ledger beside pgbench: the same statement, 16 connections each, one process each, on one database in turn.

pgbench is a closed loop: it sends when an answer came. The ledger is an open loop that writes every intent to disk, synced,
before the write is sent, and every outcome after; its figure is the most that it had acknowledged in a second over a ladder of
rates. A drill needs 25 a second for each site; what counts is that the instrument is never what is slow.
"""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from figure import Figure
from tools import pocket

from drdrill.engines.postgresql_client import INSERT
from drdrill.engines.registry import engine_for
from drdrill.estate.load import load
from drdrill.journal.recording import load_stream
from drdrill.journal.records import Done
from drdrill.lab.pocket.layout import Layout
from drdrill.lab.pocket.postgresql import programs
from drdrill.measure import specs
from drdrill.measure.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from drdrill.engines.engine import Address
    from drdrill.estate.model import Estate

RATES = (1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000, 6000)
SECONDS = 4.0
ROUNDS = 3
CONNECTIONS = 16
MEMBER, DATABASE, SITE = "east-db1", "clinical", "east"
READY_S = 20.0


def measure(folder: Path) -> Iterator[Figure]:
    """Both in turn, a few rounds."""
    with pocket(folder) as state:
        os.environ["DRDRILL_STATE"] = str(state)
        layout, estate = Layout.load(state / "pocket" / "lab"), load("pocket")
        engine = engine_for(estate, DATABASE)
        table = engine.make_ledger("bench")
        try:
            ours, theirs = [], []
            for n in range(ROUNDS):
                theirs.append(pgbench(layout, table, folder))
                ours.append(
                    max(ladder(estate, ("127.0.0.1", layout.private(MEMBER, "pg")), table, folder / f"round-{n}"))
                )
        finally:
            engine.drop_ledger(table)
            engine.close()
    yield Figure("ledger writes in a second", "1/s", ours, "pgbench", theirs, 0.8, more_is_better=True)


def ladder(
    estate: Estate, address: Address, table: str, folder: Path, at: Callable[[Sequence[str]], Sequence[str]] = list
) -> Iterator[float]:
    """Acknowledged writes a second at rising rates, until a rate is not reached any more.

    Args:
        estate: with the database.
        address: of the member that is written to.
        table: the ledger.
        folder: for what is measured.
        at: makes the command of the worker into one that runs where clients stand.
    """
    for rate in RATES:
        found = acknowledged(estate, address, table, folder / str(rate), rate=rate, at=at)
        yield found
        if found < 0.7 * rate:
            return


def acknowledged(
    estate: Estate,
    address: Address,
    table: str,
    folder: Path,
    *,
    rate: float,
    at: Callable[[Sequence[str]], Sequence[str]],
) -> float:
    """Acknowledged writes a second of one worker that is told to write at this rate."""
    spec = specs.write_to_spec(
        estate, estate.databases[DATABASE], SITE, SITE, {MEMBER: address},
        table=table, rate_hz=rate, drill=f"bench-{time.monotonic_ns()}",
    )  # fmt: skip
    folder.mkdir(parents=True)
    worker = Worker(spec["stream"], spec, folder, at)
    try:
        until = time.monotonic() + READY_S
        while not worker.ready:
            worker.poll()
            if time.monotonic() > until or worker.death():
                raise SystemExit(f"the writer did not begin: {worker.death()}")
            time.sleep(0.01)  # Between two looks at what the worker said.
        time.sleep(SECONDS)  # What is measured is what happens in this time.
    finally:
        worker.stop()
    stream = load_stream(folder / "data", spec["stream"])
    if stream is None:
        raise SystemExit("the writer left no stream")
    done = stream.records["done"][stream.records["outcome"] == Done.OK]
    # The first second has the opening of the connections in it.
    begin, end = int(done.min()) + 1_000_000_000, int(done.max())
    return float(((done > begin) & (done <= end)).sum() / ((end - begin) / 1e9))


def pgbench(layout: Layout, table: str, folder: Path) -> float:
    """Transactions a second of pgbench with the ledger's statement, sent as the ledger sends it: parsed, bound, executed."""
    script = folder / "ledger.sql"
    insert = INSERT.format(table=table).replace("$1", "'bench-0000000000000000/write-to-clinical-east/' || :n")
    script.write_text(f"\\set n random(1, 1000000000000000)\n{insert};\n")
    account = f"user=drdrill dbname={DATABASE} password={layout.passwords['drdrill']}"
    dsn = f"host=127.0.0.1 port={layout.private(MEMBER, 'pg')} {account}"
    argv = [str(programs() / "pgbench"), "-n", "-c", str(CONNECTIONS), "-j", "1", "-T", str(round(SECONDS))]
    ended = subprocess.run(
        [*argv, "-M", "extended", "-f", str(script), dsn], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise SystemExit(f"pgbench: {ended.stderr[-800:]}")
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("tps")]
    return float(line.split()[2])
