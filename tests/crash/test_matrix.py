# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""It heals, whatever dies: every fault, at every moment of its life, whoever gets the signal. Counted.

The cases of a new fault come from its example in the contract. On an estate over the fake ways in, which is a file: whether
something is struck is read from that file, and from nothing of the product's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from fake_truth import guardians, left_over, struck
from harness import ROOT
from test_every_fault import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

LEASE_S = 30.0
MOMENTS = (
    "fault.planned", "fault.armed", "strike:1", "fault.struck", "fault.looked", "fault.renewed",
    "fault.healing", "heal:1", "fault.healed", "drill.quiet",
)  # fmt: skip
KILLERS = ("runner", "guardian", "both", "still", "full", "cut off")
AT_ONCE = 10
EVERY = 7
"""Of the cases that are run where not all are asked for. Coprime to the number of killers, so that each of them has its turn."""

ESTATE = """\
estate: matrix
sites: {east: {campus: East, aka: [primary site]}, south: {campus: South}, witness: {campus: South, votes_only: true}}
vantage: {client: {at: fake}}
hosts:
  client: {role: client, links: fake}
  witness-arb1: {site: witness, role: arbitrator, votes: true, links: fake, power: fake, freeze: fake}
  east-db1: {site: east, role: database, votes: true, links: fake, power: fake, freeze: fake}
  east-app1: {site: east, role: application, links: fake, power: fake, freeze: fake}
  east-lb1: {site: east, role: entry, links: fake, power: fake, freeze: fake, entry: fake}
  south-db1: {site: south, role: database, votes: true, links: fake, power: fake, freeze: fake}
  south-app1: {site: south, role: application, links: fake, power: fake, freeze: fake}
  south-lb1: {site: south, role: entry, links: fake, power: fake, freeze: fake, entry: fake}
services:
  registration:
    endpoints: {east: "http://east.example", south: "http://south.example"}
    hosts: {application: [east-app1, south-app1], entry: [east-lb1, south-lb1]}
    database: clinical
    served_by: {writer: clinical}
    probe: {path: /healthz}
    rto: 15 s
    latency: 1 s
    stable: 3 s
databases:
  clinical:
    engine: fake
    rpo: 0 s
    fencing: 5 s
    recovery: 2 s
    tables: {registrations: {key: key}}
    nodes: {east-db1: {dsn: a}, south-db1: {dsn: b}}
limits: {campuses_down: 1, sites_down: 1, hosts_down: 3, longest_fault: 10 min, quorum_loss: true}
"""


@dataclass(frozen=True)
class Case:
    """One death."""

    fault: int
    moment: str
    killer: str

    def __str__(self) -> str:
        return f"{EXAMPLES[self.fault].title}; {self.moment}; {self.killer}"


def cases() -> list[Case]:
    """Every fault with every moment, each fault and each moment with every killer."""
    return [
        Case(fault, moment, KILLERS[(fault + at) % len(KILLERS)])
        for fault in range(len(EXAMPLES))
        for at, moment in enumerate(MOMENTS)
    ]


def die(case: Case, folder: Path, estate: str = ESTATE, world: str = "") -> str | None:
    """Let one runner meet its end; what is wrong then, or None."""
    folder.mkdir()
    (folder / "matrix.yaml").write_text(estate)
    (folder / "matrix.fake.json").write_text(world)
    argv = [
        sys.executable,
        str(ROOT / "tests" / "crash" / "dying_runner.py"),
        str(folder / "matrix.yaml"),
        str(folder / "out"),
    ]
    env = {
        **os.environ,
        "DRDRILL_STATE": str(folder / "state"),
        "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'tests' / 'contract'}",
    }
    runner = subprocess.Popen(
        [*argv, str(case.fault), case.moment, case.killer],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    try:
        assert runner.stdout is not None
        if (said := runner.stdout.readline().strip()) != "now":
            wrong: str | None = f"the moment never came: {said} {runner.communicate(timeout=60)[1][-500:]}"
        else:
            wrong = healed_in_time(case, folder, runner)
    except subprocess.TimeoutExpired:
        wrong = "the runner that lived did not end"
    finally:
        runner.kill()
        runner.communicate()
        left = left_over(folder)
    return wrong or (f"guardians are left: {left}" if left else None)


LIVING = ("guardian", "full", "cut off")
"""The killers after which the runner lives."""


def healed_in_time(case: Case, folder: Path, runner: subprocess.Popen[str]) -> str | None:
    world, end = folder / "matrix.fake.json", time.monotonic() + LEASE_S + 5
    # A runner that lives heals by itself, and is waited for; one that stands still is let go on when others had to have healed.
    while time.monotonic() < end and (
        struck(world) or (case.killer in LIVING and runner.poll() is None) or guardians(folder)
    ):
        time.sleep(0.1)
    if left := struck(world):
        return f"still struck after a lease and 5 s: {left}"
    if case.killer == "still":
        runner.send_signal(signal.SIGCONT)
    if case.killer in (*LIVING, "still"):
        said, _ = runner.communicate(timeout=60)
        # Who cannot see the estate any more claims nothing of it, though others have healed it meanwhile.
        if ("restored" in said.split()) == (case.killer == "cut off") or not said:
            return f"the runner that lived said {said!r}"
    return f"struck again: {left}" if (left := struck(world)) else None


@pytest.mark.parametrize("part", ["stands for all", pytest.param("all", marks=pytest.mark.long)])
def test_it_heals_whatever_dies(part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    chosen = cases() if part == "all" else cases()[::EVERY]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = list(pool.map(lambda told: die(told[1], tmp_path / str(told[0])), enumerate(chosen)))
    words = f"{len(chosen)} cases, {wrong.count(None)} healed"
    with capsys.disabled():
        sys.stdout.write(f" {words} ")
    assert wrong.count(None) == len(chosen), "\n".join(
        [words, *(f"{case}: {what}" for case, what in zip(chosen, wrong, strict=True) if what)]
    )


@pytest.mark.long
def test_an_estate_that_heals_nothing_is_not_counted_as_healed(tmp_path: Path):
    """Power by boards without a timer that ignore the command to give it back: what this matrix exists to see."""
    estate = ESTATE.replace("power: fake", "power: fake-bmc")
    number = next(n for n, fault in enumerate(EXAMPLES) if fault.name == "site-lost")
    case = Case(number, "fault.looked", "runner")
    said = die(case, tmp_path / "0", estate, json.dumps({"flaws": ["heal-is-ignored"]}))
    assert said is not None
    assert said.startswith("still struck after a lease and 5 s")
