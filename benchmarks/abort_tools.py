# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The two tools of heal_on_abort.py: how each is asked to isolate a site, to hold it, and to meet one of the six events.

Chaos Toolkit as its documentation says: the fault is an action, the way back a declared rollback, the promise a steady-state
hypothesis with its default strategy, the safeguard that of the addons. The lab keeps a lease on every fault. No part of Chaos
Toolkit renews one, so its action asks for an hour: a short one would end the experiment's fault before its rollback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools import DRDRILL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raw_lab import Looker

TOLERANCE, ERROR, SAFEGUARD, CTRL_C, TERM, KILL = (
    "a probe is out of tolerance", "an HTTP probe errors: the application is away", "a safeguard trips",
    "Ctrl-C", "SIGTERM", "SIGKILL",
)  # fmt: skip
EVENTS = (TOLERANCE, ERROR, SAFEGUARD, CTRL_C, TERM, KILL)
BY_SIGNAL = (CTRL_C, TERM, KILL)
HELD_S, ENDLESS_S = 3, 300
"""How long the fault is held before a probe looks, and where the event comes from outside or from a safeguard."""
AN_HOUR_S = 3600


class Tool:
    """One tool, for one case.

    Args:
        folder: where it works.
        argv: how it is started.
        state: where the lab is, for a tool that asks.
    """

    def __init__(self, folder: Path, argv: Sequence[str], state: Path) -> None:
        self.folder = folder
        self.process = started(argv, folder, state)

    def said(self) -> str:
        """The end of what it printed."""
        return (self.folder / "said.txt").read_text(errors="replace")[-3000:]

    def met(self) -> float | None:
        """When it says that the event came, in s of CLOCK_MONOTONIC; None: it says nothing. After its process has ended."""
        raise NotImplementedError


def started(argv: Sequence[str], folder: Path, state: Path) -> subprocess.Popen[bytes]:
    """A tool in a process group of its own, as a shell starts it at a terminal."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DRDRILL_", "PYTEST_", "CHAOSTOOLKIT_"))}
    environment["DRDRILL_STATE"] = str(state)
    with (folder / "said.txt").open("wb") as said:
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


class Chaos(Tool):
    """Chaos Toolkit.

    Args:
        argv: the program, and what it is told about its rollbacks.
        event: what it is to meet.
        site: what is struck.
    """

    def __init__(self, argv: Sequence[str], event: str, site: str, looker: Looker, folder: Path) -> None:
        (folder / "experiment.json").write_text(json.dumps(experiment(event, site, looker, folder), indent=1))
        program, *options = argv
        asked = [program, "--no-version-check", "--log-file", "chaos.log", "run", "--journal-path", "journal.json"]
        super().__init__(folder, [*asked, *options, "experiment.json"], folder / "state")

    def met(self) -> float | None:
        """From the probe, which notes when it first failed; of one inside of Chaos Toolkit from its journal."""
        offset = time.time() - time.monotonic()
        noted = self.folder / "failed.txt"
        if noted.exists():
            return float(noted.read_text().split()[0]) - offset
        journal = self.folder / "journal.json"
        states = json.loads(journal.read_text())["steady_states"] if journal.exists() else {}
        probes = (states.get("after") or {}).get("probes") or []
        return (
            datetime.fromisoformat(f"{probes[-1]['end'].split('+')[0]}+00:00").timestamp() - offset if probes else None
        )


def experiment(event: str, site: str, looker: Looker, folder: Path) -> dict[str, Any]:
    """What Chaos Toolkit is given."""
    pairs = [
        [a, b] for a in looker.sites for b in looker.sites if (looker.sites[a] == site) != (looker.sites[b] == site)
    ]
    hold = f"chaos-{time.monotonic_ns()}"
    strike = {"do": "strike", "hold": hold, "drill": "chaos-toolkit", "lease_s": AN_HOUR_S, "hard_end_s": AN_HOUR_S}
    strike["links"] = {"pairs": pairs, "state": "frozen"}
    url = looker.front_door(site)
    # The note of the first failure is for the table, and changes nothing of what the probe answers.
    loop = f"curl --silent --fail --max-time 1 {url} || {{ date +%s.%N >> {folder}/failed.txt; exit 1; }}"
    asked = {"type": "process", "path": "/bin/sh", "arguments": ["-c", loop]}
    probe: dict[str, Any] = {"type": "probe", "name": "the front door answers", "tolerance": 0, "provider": asked}
    if event == ERROR:
        probe |= {"tolerance": 200, "provider": {"type": "http", "url": url, "timeout": 1}}
    told: dict[str, Any] = {
        "title": f"site {site} is isolated", "description": event,
        "steady-state-hypothesis": {"title": "it is up", "probes": [probe]},
        "method": [_action("isolate the site", looker, strike)],
        "rollbacks": [_action("reconnect the site", looker, {"do": "heal", "hold": hold})],
    }  # fmt: skip
    told["method"][0]["pauses"] = {"after": HELD_S if event in {TOLERANCE, ERROR} else ENDLESS_S}
    if event == SAFEGUARD:
        guard = {"type": "python", "module": "chaosaddons.controls.safeguards"}
        guard |= {"arguments": {"probes": [probe | {"frequency": 0.5}]}}
        told["controls"] = [{"name": "safeguard", "provider": guard}]
    return told


def _action(name: str, looker: Looker, request: dict[str, Any]) -> dict[str, Any]:
    plain = [str(Path(__file__).with_name("raw_lab.py")), str(looker.socket), json.dumps(request)]
    return {"type": "action", "name": name, "provider": {"type": "process", "path": sys.executable, "arguments": plain}}


STEP = '''\
"""The team's own step: a question by HTTP that raises when nobody answers."""

import urllib.request

from pytest_bdd import then


@then("the front door answers")
def the_front_door_answers(drill_context):
    """One GET of the site that is struck."""
    assert urllib.request.urlopen("{url}", timeout=1).status == 200
'''


class Ours(Tool):
    """drdrill, by its command.

    Args:
        event: what it is to meet.
        site: what is struck.
        state: where its lab is.
    """

    def __init__(self, event: str, site: str, looker: Looker, folder: Path, state: Path) -> None:
        (folder / "abort.feature").write_text(feature(event, site))
        (folder / "conftest.py").write_text(STEP.format(url=looker.front_door(site)))
        argv = [*DRDRILL, "run", "--estate", "pocket", "--drill-out", "out", "abort.feature", "-p", "no:cacheprovider"]
        super().__init__(folder, argv, state)

    def met(self) -> float | None:
        """From its journal, which is JSON lines: when a watch tripped, a check was judged, or a sentence ended badly."""
        for path in self.folder.glob("out/*/journal.jsonl"):
            for event in map(json.loads, path.read_text().splitlines()):
                tripped = event["kind"] == "drill.tripped"
                failed = event["kind"] == "step.ended" and event["data"]["status"] != "passed"
                if tripped or failed:
                    return float(event["t"]) / 1e9
        return None


def feature(event: str, site: str) -> str:
    """What drdrill is given."""
    away = (
        '\n    And the drill is aborted if service "registration" is away for more than 1 s'
        if event == SAFEGUARD
        else ""
    )
    last = {
        TOLERANCE: f'service "registration" is available again at site "{site}" within 1 s',
        ERROR: "the front door answers",
    }.get(event, 'service "registration" is never away for more than its RTO')
    return f"""\
Feature: Abort means heal
  Scenario: {event}
    Given the estate is healthy{away}
    When site "{site}" is isolated
    And the fault is held for {HELD_S if event in {TOLERANCE, ERROR} else ENDLESS_S} s
    Then {last}
"""
