# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The write ledger over ODBC beside mariadb-slap: the same statement, 16 connections each, from the client's host, in turn.

mariadb-slap is a closed loop in C: it sends when an answer came. The ledger is an open loop that writes every intent to disk,
synced, before the write is sent, and every outcome after, and each of its connections is a process that can be killed; its
figure is the most that it had acknowledged in a second over a ladder of rates.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from figure import Figure
from ledger import CONNECTIONS, DATABASE, MEMBER, ROUNDS, SECONDS, ladder
from tools import DRDRILL, ROOT, network

from drdrill.connect.enter import enter
from drdrill.connect.registry import Ways
from drdrill.engines.galera_client import INSERT
from drdrill.engines.registry import engine_for
from drdrill.estate.load import load
from drdrill.measure.sql import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from drdrill.engines.engine import Address
    from drdrill.estate.model import Estate

VANTAGE = "client"
_SECONDS = re.compile(r"Average number of seconds to run all queries: ([\d.]+)")


def measure(folder: Path) -> Iterator[Figure]:
    """Both in turn, a few rounds, on a network lab of our own."""
    with network(folder) as state:
        os.environ["DRDRILL_STATE"] = str(state)
        estate = load("network")
        enter(estate)
        with Ways(estate) as ways:
            address = address_of(ways.vantages().address(VANTAGE, estate.databases[DATABASE].addresses[MEMBER]))
            yield both(estate, address, folder, lambda argv: ways.vantages().command(VANTAGE, argv), from_client_host)


def both(
    estate: Estate,
    address: Address,
    folder: Path,
    at: Callable[[Sequence[str]], Sequence[str]],
    tool: Callable[[Sequence[str]], Sequence[str]],
) -> Figure:
    """The figure, once there is a cluster.

    Args:
        estate: with the database.
        address: of the member that is written to.
        folder: for what is measured.
        at: makes the command of the ledger into one that runs where clients stand.
        tool: the same for mariadb-slap.
    """
    engine = engine_for(estate, DATABASE)
    table = engine.make_ledger("bench")
    account = str(estate.databases[DATABASE].nodes[MEMBER]["dsn"])
    try:
        ours, theirs, count = [], [], 4000
        for n in range(ROUNDS):
            theirs.append(slap(tool, account, address, table, count))
            count = round(theirs[-1] * SECONDS)
            ours.append(max(ladder(estate, address, table, folder / f"round-{n}", at)))
    finally:
        engine.drop_ledger(table)
        engine.close()
    return Figure("ledger writes in a second, Galera", "1/s", ours, "mariadb-slap", theirs, 0.8, more_is_better=True)


def from_client_host(argv: Sequence[str]) -> Sequence[str]:
    """The tool is a part of the hosts' image, so it runs on a host of the lab."""
    return [*DRDRILL, "lab", "exec", VANTAGE, "--", *argv]


def slap(tool: Callable[[Sequence[str]], Sequence[str]], dsn: str, address: Address, table: str, count: int) -> float:
    """Statements a second of mariadb-slap, with keys as long as ours."""
    parts = dict(part.split("=", 1) for part in dsn.split(";"))
    key = "concat('bench-0000000000000000/write-to-clinical-east/', uuid_short())"
    insert = INSERT.format(table=table, key=key)
    argv = [
        "mariadb-slap", f"--host={address[0]}", f"--port={address[1]}", f"--user={parts['UID']}",
        f"--password={parts['PWD']}", f"--create-schema={parts['DATABASE']}", "--no-drop", "--iterations=1",
        f"--concurrency={CONNECTIONS}", f"--number-of-queries={count}", f"--query={insert}",
    ]  # fmt: skip
    ended = subprocess.run(tool(argv), cwd=ROOT, capture_output=True, text=True, check=False)
    found = _SECONDS.search(ended.stdout)
    if ended.returncode or found is None:
        raise SystemExit(f"mariadb-slap: {ended.stdout[-400:]}{ended.stderr[-400:]}")
    return count / float(found[1])
