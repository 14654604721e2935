# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What healing costs, and how soon it begins: each figure beside its limit. Of the network lab only as root.

- From Ctrl-C, as a terminal sends it, to the event of the journal that is written right before the first command of the heal;
  and the memory and time of the drill's guardian, which has the ways in of a lab and no vendor's.
- A thousand holds, each renewed by its hold through the lab's supervisor and written into the journal, as a drill does it
  every five seconds: time of the processor of the drill, all threads. Whether they are held is asked as well in a drill, by
  the traffic of each fault; that is no part of this.
- A strike with everything that hold, undo log, journal and guardian add to it, without the command itself and the looking.
- The network lab: the command that isolates a site in both directions, and the one that heals it, by SSH and nftables.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figure import Figure
from tools import DRDRILL, network, pocket

from drdrill.connect.capabilities import Look
from drdrill.connect.enter import enter
from drdrill.connect.registry import Ways
from drdrill.drill.guardian.beside import Guardian
from drdrill.drill.hold import LOOK_EVERY_S, Hold, State
from drdrill.drill.reach import reach_for
from drdrill.drill.tools import Tools
from drdrill.drill.undo_log import UndoLog
from drdrill.estate.load import load
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.connect.capabilities import Lease
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Reach, Undo

ROUNDS, STRIKES, LEASES = 3, 30, 1000
WATCHED_S = 20.0
LIMIT_BEGUN_S, LIMIT_MB, LIMIT_GUARDIAN, LIMIT_LEASES, LIMIT_OVERHEAD_MS, LIMIT_CUT_S = 0.5, 40.0, 1.0, 5.0, 20.0, 0.3
FEATURE = """\
Feature: Told to stop
  Scenario: The site that only votes is isolated
    Given the estate is healthy
    When site "witness" is isolated
    And the fault is held for 300 s
    Then service "registration" is never away for more than its RTO
"""


@dataclass(frozen=True)
class Bare(SiteIsolated):
    """A site that is isolated without anybody looking at it; it keeps the time of its own command."""

    spent: list[float] = field(default_factory=list, compare=False)

    def offer(self, reach: Reach, undo: Undo) -> None:
        """No traffic: its silence takes half a second to prove, in which nothing of this is done."""

    def inject(self, reach: Reach, undo: Undo) -> Lease:
        """The command itself."""
        began = time.monotonic()
        lease = super().inject(reach, undo)
        self.spent.append(time.monotonic() - began)
        return lease

    def took_hold(self, reach: Reach, undo: Undo) -> Look:
        """Answered at once."""
        del reach, undo
        return Look(True, "it was not looked at")


def measure(folder: Path) -> Iterator[Figure]:
    """Drills that are stopped, then holds of this process."""
    with pocket(folder) as state:
        begun, memory, share = zip(*(_stopped(folder / f"stopped-{n}", state) for n in range(ROUNDS)), strict=True)
        yield Figure("Ctrl-C until the heal begins", "s", begun, "limit", [LIMIT_BEGUN_S], 1.0)
        yield Figure("memory of the guardian", "MB RSS", memory, "limit", [LIMIT_MB], 1.0)
        yield Figure("the guardian's share of a core", "%", share, "limit", [LIMIT_GUARDIAN], 1.0)
        with _in(state):
            yield from _leases(folder / "leases")
            overhead = list(_strikes(folder / "strikes"))
            yield Figure("hold and undo log, a strike", "ms", overhead, "limit", [LIMIT_OVERHEAD_MS], 1.0)
    if os.geteuid() == 0:
        yield from _network(folder)


class _in:  # noqa: N801 - read as a word: `with _in(state)`
    """While this is open, this process has that state folder."""

    def __init__(self, state: Path) -> None:
        self._state = str(state)
        self._before = os.environ.get("DRDRILL_STATE")

    def __enter__(self) -> None:
        os.environ["DRDRILL_STATE"] = self._state

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ["DRDRILL_STATE"]
        else:
            os.environ["DRDRILL_STATE"] = self._before


def _stopped(folder: Path, state: Path) -> tuple[float, float, float]:
    """One drill that gets a Ctrl-C: seconds until its heal begins; MB and % of a core of its guardian before."""
    folder.mkdir()
    (folder / "told.feature").write_text(FEATURE)
    argv = [*DRDRILL, "run", "--estate", "pocket", "--drill-out", "out", "told.feature", "-p", "no:cacheprovider"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DRDRILL_", "PYTEST_"))}
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell without job control starts what is in the background deaf to Ctrl-C, and the drill would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with (folder / "said.txt").open("wb") as said:
        drill = subprocess.Popen(
            argv, cwd=folder, env=environment | {"DRDRILL_STATE": str(state)}, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip
    try:
        while not _of(folder, "fault.renewed"):
            if drill.poll() is not None:
                raise SystemExit(f"the drill did not strike:\n{(folder / 'said.txt').read_text()[-3000:]}")
            time.sleep(0.1)
        guardian = _of(folder, "guardian.begun")[0]["data"]["pid"]
        before = processor_s(guardian)
        time.sleep(WATCHED_S)
        share = 100 * (processor_s(guardian) - before) / WATCHED_S
        memory = rss_mb(guardian)
        told_ns = time.monotonic_ns()
        os.killpg(drill.pid, signal.SIGINT)
        drill.wait(120)
        return (_of(folder, "fault.healing")[0]["t"] - told_ns) / 1e9, memory, share
    finally:
        if drill.poll() is None:
            drill.terminate()
            drill.wait()


def _of(folder: Path, kind: str) -> list[dict[str, Any]]:
    """What a drill's journal has of one kind."""
    lines = [line for path in folder.glob("out/*/journal.jsonl") for line in path.read_text().split("\n")[:-1]]
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def processor_s(pid: int) -> float:
    """Time of the processor that a process had, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """The memory of a process, in MB; what it shares with others is counted as its own."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


def _hold(fault: Bare, ways: Ways, tools: Tools, drill: str, number: int) -> Hold:
    """A hold with its undo on disk, here and with the guardian."""
    targets = fault.candidates(ways.estate)
    reach = reach_for(ways, fault, targets, drill=drill, hold=f"{drill}-{number}", lease_s=30.0)
    return Hold.plan(fault, reach, targets, tools)


def _leases(folder: Path) -> Iterator[Figure]:
    """Renew a thousand, a few times."""
    estate, drill = load("pocket"), f"bench-leases-{os.getpid()}"
    with Ways(estate) as ways:
        journal = Journal(folder)
        tools = Tools(journal, UndoLog(folder), print)
        holds = [_hold(Bare("witness"), ways, tools, drill, n) for n in range(LEASES)]
        try:
            for hold in holds:
                hold.fault.inject(hold.reach, hold.undo)
                hold.state = State.HELD
            shares, walls = [], []
            for _ in range(ROUNDS):
                began, spent = time.monotonic(), time.process_time()
                for hold in holds:
                    hold.feed(now=True)
                shares.append(100 * (time.process_time() - spent) / LOOK_EVERY_S)
                walls.append(time.monotonic() - began)
        finally:
            for hold in holds:
                hold.fault.revert(hold.reach, hold.undo)
            journal.close()
    note = f"{LEASES} every {LOOK_EVERY_S:g} s"
    yield Figure("renewing 1,000 leases, of a core", "%", shares, "limit", [LIMIT_LEASES], 1.0, note=note)
    what = "renewing 1,000 leases, until all are"
    yield Figure(what, "s", walls, "the time until they are due again", [LOOK_EVERY_S], 1.0)


def _strikes(folder: Path) -> Iterator[float]:
    """What is added to each strike, in ms."""
    estate, drill = load("pocket"), f"bench-strikes-{os.getpid()}"
    with Ways(estate) as ways:
        journal = Journal(folder)
        fault = Bare("witness")
        targets = fault.candidates(estate)
        guardian = Guardian("local", drill, estate, folder).start()
        try:
            guardian.prepare([("links", ways.links(targets.hosts).name, targets.hosts)])
            tools = Tools(journal, UndoLog(folder), print, guardian=guardian)
            for number in range(STRIKES):
                began = time.monotonic()
                hold = _hold(fault, ways, tools, drill, number)
                hold.strike()
                yield (time.monotonic() - began - fault.spent[-1]) * 1000
                if not hold.heal("end"):
                    raise SystemExit(f"it was not healed: {hold.words}")
        finally:
            guardian.end()
            journal.close()


def _network(folder: Path) -> Iterator[Figure]:
    """In a thread of its own: who steps into the networks of a lab stays in there, and what it starts as well."""
    with network(folder) as state, _in(state), ThreadPoolExecutor(1) as apart:
        struck, healed = apart.submit(_cuts, load("network")).result()
    yield Figure("network lab: a site is isolated", "s", struck, "limit", [LIMIT_CUT_S], 1.0)
    yield Figure("network lab: and reconnected", "s", healed, "limit", [LIMIT_CUT_S], 1.0)


def _cuts(estate: Estate) -> tuple[Sequence[float], Sequence[float]]:
    """The commands of some isolations and of their heals, in s."""
    enter(estate)
    drill = f"bench-cuts-{os.getpid()}"
    struck, healed = [], []
    with Ways(estate) as ways:
        fault = SiteIsolated("east")
        targets = fault.candidates(estate)
        for n in range(ROUNDS):
            reach = reach_for(ways, fault, targets, drill=drill, hold=f"{drill}-{n}", lease_s=30.0)
            undo = fault.plan(reach, targets)
            reach.traffic = fault.offer(reach, undo)  # That proves the cut; a look without it proves nothing.
            began = time.monotonic()
            try:
                fault.inject(reach, undo)
                struck.append(time.monotonic() - began)
                if (look := fault.took_hold(reach, undo)).answer is not True:
                    raise SystemExit(f"the site was not isolated: {look.words}")
            finally:
                began = time.monotonic()
                fault.revert(reach, undo)
                healed.append(time.monotonic() - began)
                if reach.traffic is not None:
                    reach.traffic.close()
    return struck, healed
