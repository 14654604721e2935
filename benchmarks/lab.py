# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The pocket lab: how long until it is up and down, and how much memory it takes.

Memory is the sum of PSS over every process of the lab: RSS would count a shared page once for each of the twenty.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from figure import Figure
from tools import DRDRILL, timed

from drdrill.lab.pocket.owner import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
LIMIT_UP_S, LIMIT_DOWN_S, LIMIT_MIB = 10.0, 2.0, 400.0


def measure(folder: Path) -> Iterator[Figure]:
    """Raise and end a lab of our own a few times."""
    ups, downs, memory = [], [], []
    for n in range(ROUNDS):
        state = folder / f"lab-{n}"
        ups.append(timed([*DRDRILL, "lab", "up", "pocket"], folder, state=state)[0])
        memory.append(pss_mib(state))
        downs.append(timed([*DRDRILL, "lab", "down"], folder, state=state)[0])
    yield Figure("lab up", "s", ups, "limit", [LIMIT_UP_S], 1.0)
    yield Figure("lab down", "s", downs, "limit", [LIMIT_DOWN_S], 1.0)
    yield Figure("memory of the lab", "MiB PSS", memory, "limit", [LIMIT_MIB], 1.0)


def pss_mib(state: Path) -> float:
    """The memory of all processes of the lab in this state folder, in MiB."""
    kib = 0
    for process in processes(state / "pocket" / "lab"):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024
