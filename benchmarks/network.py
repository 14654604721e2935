# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The network lab: how long until it is up and down, its memory, a host that is powered on, and a command by SSH. As root.

The root of its hosts is built before, if it is not there: that is once a machine, and a figure of its own.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from figure import Figure
from tools import DRDRILL, network, timed

from drdrill.connect.enter import enter
from drdrill.connect.lab import LabPower
from drdrill.connect.registry import Ways
from drdrill.estate.load import load
from drdrill.lab.network import cgroups, image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate

ROUNDS = 3
COMMANDS = 50
LIMIT_UP_S, LIMIT_DOWN_S, LIMIT_MIB, LIMIT_BUILD_S, LIMIT_IMAGE_MIB = 8.0, 0.5, 600.0, 30.0, 350.0
LIMIT_POWER_S, LIMIT_SSH_MS = 0.1, 15.0
HOST = "east-app1"


def measure(folder: Path) -> Iterator[Figure]:
    """Build, raise and end labs of our own, and use the last one."""
    yield from _image(folder)
    ups, downs, memory = [], [], []
    for n in range(ROUNDS):
        state = folder / f"lab-{n}"
        ups.append(timed([*DRDRILL, "lab", "up", "network"], folder, state=state)[0])
        memory.append(pss_mib(state))
        downs.append(timed([*DRDRILL, "lab", "down", "network"], folder, state=state)[0])
    yield Figure("network lab up", "s", ups, "limit", [LIMIT_UP_S], 1.0)
    yield Figure("network lab down", "s", downs, "limit", [LIMIT_DOWN_S], 1.0)
    yield Figure("memory of the network lab", "MiB PSS", memory, "limit", [LIMIT_MIB], 1.0)
    with network(folder) as state:
        os.environ["DRDRILL_STATE"] = str(state)
        estate = load("network")
        enter(estate)
        yield Figure("a host is powered on", "s", list(_powered(estate)), "limit", [LIMIT_POWER_S], 1.0)
        yield Figure("a command by SSH", "ms", list(_commands(estate)), "limit", [LIMIT_SSH_MS], 1.0)


def _image(folder: Path) -> Iterator[Figure]:
    """A root of our own: the machine's stays where it is."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        began = time.monotonic()
        root = image.ensure(lambda _words: None)
        seconds = time.monotonic() - began
        mib = sum(path.lstat().st_blocks for path in root.rglob("*")) / 2048
        shutil.rmtree(folder / "cache")
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
    yield Figure("root of the network lab's hosts", "s", [seconds], "limit", [LIMIT_BUILD_S], 1.0)
    yield Figure("root of the network lab's hosts", "MiB", [mib], "limit", [LIMIT_IMAGE_MIB], 1.0)


def _powered(estate: Estate) -> Iterator[float]:
    """Until the lab answers that the host has power: what it boots then is its own time."""
    power = LabPower(estate)
    for n in range(ROUNDS):
        hold = f"bench-{os.getpid()}-{n}"
        power.off(hold, "bench", [HOST], 60.0, 60.0)
        began = time.monotonic()
        power.on(hold, [HOST])
        yield time.monotonic() - began


def _commands(estate: Estate) -> Iterator[float]:
    """Each, after the first, which makes the connection."""
    with Ways(estate) as ways:
        shell = ways.shell(["east-db1"])
        shell.run("east-db1", "true")
        for _ in range(COMMANDS):
            began = time.monotonic()
            shell.run("east-db1", "true")
            yield (time.monotonic() - began) * 1000


def pss_mib(state: Path) -> float:
    """The memory of all processes of the hosts of the lab in this state folder, in MiB."""
    kib = 0
    for pid in cgroups.pids(cgroups.of((state / "network" / "lab").resolve())):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024
