# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What three instruments say of the same outages, beside the truth: `benchmarks/instrument.py [--json FILE]`, two minutes.

Each instrument watches a scripted service of its own; the services play the same script at the same time, and keep the
truth of what they did (see tests/scripted.py). All look 20 times a second and wait 0.3 s for an answer; the others as far as
their loops allow. A single bad answer counts, and bad times with less than a stable window of 0.4 s between them are one
outage, for each instrument alike.

- drdrill: its own probe process and its own bounds.
- Chaos Toolkit: an HTTP probe with tolerance 200 and a time-out as steady-state hypothesis, run `continuously`, as its
  documentation describes; read from its journal: from the first probe that deviates to the next that does not.
- a curl loop: `while curl -m 0.3 -w '%{http_code}'; sleep 0.05`, as administrators write it; read in the same way from its log.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from scripted import Script  # noqa: E402 - the tests are no package
from truth import Away, away  # noqa: E402 - after the path to the tests

from drdrill.journal.recording import load_streams  # noqa: E402 - after the path to the tests
from drdrill.measure.outages import attempts, joined, named, stretches  # noqa: E402 - after the path to the tests
from drdrill.measure.workers import Worker  # noqa: E402 - after the path to the tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripted import Bit

LATENCY_S, STABLE_S, SPACING_S, FIRST_S, REST_S = 0.3, 0.4, 0.05, 4.0, 1.2
STREAM = "probe-client-scripted-here"
ENDLESS = 60.0
"""Away still when measuring stops, a rest after it began."""

Bits = list[tuple[float, str, float]]
PHASES: dict[str, Bits] = {
    way: [(FIRST_S, way, 0.05), (REST_S, way, 0.7), (REST_S, way, 1.6)]
    for way in ("refused", "failing", "wrong", "broken")
} | {
    "silent": [(FIRST_S, "silent", 0.7), (REST_S, "silent", 1.6)],
    "stalled": [(FIRST_S, "stalled", 0.9), (REST_S, "stalled", 1.7)],
    "flapping": [(FIRST_S, "failing", 0.2), (0.15, "failing", 0.15), (0.15, "failing", 0.2)],
    "silent, and still when measuring stops": [(FIRST_S, "silent", ENDLESS)],
}
"""Good seconds before, the way, seconds away. Each is played by itself, so that nothing is carried on into the next."""


def lasts_s(bits: Bits) -> float:
    """From the first good second to the end of measuring."""
    return sum(rest + (0.0 if gone == ENDLESS else gone) for rest, _, gone in bits) + REST_S


@dataclass(frozen=True)
class Said:
    """One outage as an instrument tells it, CLOCK_MONOTONIC seconds. Where it gives one figure, both bounds are that."""

    begin: float
    end: float
    least: float
    most: float | None


class Ours:
    """drdrill's probe process."""

    name = "drdrill"

    def __init__(self, url: str, folder: Path) -> None:
        stream = {
            "stream": STREAM, "service": "scripted", "vantage": "client", "site": "here", "url": url, "address": url,
            "method": "GET", "path": "/healthz", "expect_status": 200, "expect_json": {"ready": True},
            "rate_hz": 1 / SPACING_S, "latency_s": LATENCY_S,
        }  # fmt: skip
        self.folder = folder
        self.worker = Worker("probes", {"role": "probes", "streams": [stream]}, folder)

    def stop(self) -> None:
        """Stop probing."""
        self.worker.stop()

    def said(self) -> list[Said]:
        """Outages with their bounds."""
        samples = load_streams(self.folder / "data")[STREAM].records
        calm = samples[np.argsort(samples["seq"])][: round(0.8 * FIRST_S / SPACING_S)]
        p99 = int(np.percentile(calm["done"] - calm["due"], 99))
        seen = attempts(samples, round(LATENCY_S * 1e9), p99)
        found = named(joined(stretches(seen), round(STABLE_S * 1e9), int(seen.due[-1])), "scripted", "client")
        far = float("inf")
        return [
            Said(
                o.after_ns / 1e9, far if o.end_by_ns is None else o.end_by_ns / 1e9, o.lower_ns / 1e9,
                None if o.upper_ns is None else o.upper_ns / 1e9,
            )
            for o in found
        ]  # fmt: skip


class Chaos:
    """Chaos Toolkit, with a steady-state hypothesis that it looks at continuously."""

    name = "Chaos Toolkit"

    def __init__(self, url: str, folder: Path, program: str, seconds: float) -> None:
        provider = {"type": "http", "url": f"{url}/healthz", "timeout": LATENCY_S}
        probe = {"type": "probe", "name": "it answers", "tolerance": 200, "provider": provider}
        wait = {
            "type": "action",
            "name": "wait",
            "provider": {"type": "process", "path": "true"},
            "pauses": {"after": seconds},
        }
        experiment = {
            "title": "a scripted service", "description": "its outages",
            "steady-state-hypothesis": {"title": "it is up", "probes": [probe]}, "method": [wait], "rollbacks": [],
        }  # fmt: skip
        (folder / "experiment.json").write_text(json.dumps(experiment))
        self.journal = folder / "chaos.json"
        argv = [program, "--no-version-check", "run", "--hypothesis-strategy", "continuously"]
        argv += ["--hypothesis-frequency", str(SPACING_S), "--journal-path", str(self.journal), "experiment.json"]
        self.process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """It ends by itself."""
        self.process.wait(60)

    def said(self) -> list[Said]:
        """From its journal."""
        offset = time.time() - time.monotonic()
        states = json.loads(self.journal.read_text())["steady_states"]["during"]
        probes = [probe for state in states for probe in state["probes"]]
        return runs([(_utc(p["start"]) - offset, bool(p.get("tolerance_met"))) for p in probes])


class Curl:
    """A closed loop around curl."""

    name = "a curl loop"

    def __init__(self, url: str, folder: Path) -> None:
        self.log = folder / "curl.log"
        loop = (
            f"while true; do t=$(date +%s.%N); c=$(curl -s -o /dev/null -m {LATENCY_S} -w '%{{http_code}}' {url}/healthz);"
            f' echo "$t $c"; sleep {SPACING_S}; done'
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(["/bin/bash", "-c", loop], stdout=log, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """End the loop."""
        self.process.terminate()
        self.process.wait()

    def said(self) -> list[Said]:
        """From its log."""
        offset = time.time() - time.monotonic()
        rows = [line.split() for line in self.log.read_text().splitlines()]
        return runs([(float(row[0]) - offset, row[1] == "200") for row in rows if len(row) == 2])  # noqa: PLR2004 - time and status; a last line may be cut


def _utc(text: str) -> float:
    return datetime.fromisoformat(text if text.endswith("+00:00") else f"{text}+00:00").timestamp()


def runs(polls: Sequence[tuple[float, bool]]) -> list[Said]:
    """From the first bad poll to the next good one; runs with less than a stable window between them are one."""
    spans: list[list[float]] = []
    for at, good in polls:
        if good:
            if spans and spans[-1][1] == float("inf"):
                spans[-1][1] = at
        elif not spans or at - spans[-1][1] >= STABLE_S:
            spans.append([at, float("inf")])
        else:
            spans[-1][1] = float("inf")
    stop = polls[-1][0] if polls else 0.0
    return [Said(a, b, min(b, stop) - a, min(b, stop) - a if b < float("inf") else None) for a, b in spans]


@dataclass(frozen=True)
class Row:
    """One true outage, and what one instrument said of it."""

    instrument: str
    way: str
    true_s: float
    least_s: float | None
    most_s: float | None

    @property
    def error_s(self) -> float:
        """How far the truth lies outside of what was said; of a miss, all of it."""
        if self.least_s is None:
            return self.true_s
        return max(0.0, self.least_s - self.true_s, self.true_s - (self.most_s or float("inf")))

    @property
    def words(self) -> str:
        """For the table."""
        if self.least_s is None:
            return "missed"
        if self.most_s is None:
            return f"{self.least_s:.2f} s, going on"
        if self.most_s == self.least_s:
            return f"{self.least_s:.2f} s, {self.least_s - self.true_s:+.2f}"
        return f"{self.least_s:.2f} to {self.most_s:.2f} s" + (f", {self.error_s:.2f} off" if self.error_s else "")


def outages(phase: str, bits: Sequence[Bit], stop_s: float) -> list[tuple[str, float, float]]:
    """The truth as outages: its name, begin, end in seconds; cut where measuring stopped."""
    found: list[tuple[str, list[Away]]] = []
    for bit in away(bits, round(LATENCY_S * 1e9)):
        if found and (bit.begin - found[-1][1][-1].end) / 1e9 < STABLE_S:
            found[-1][1].append(bit)
        else:
            found.append((phase, [bit]))
    return [(way, b[0].begin / 1e9, min(stop_s, b[-1].early / 1e9)) for way, b in found]


def compared(instrument: str, truth: Sequence[tuple[str, float, float]], said: Sequence[Said]) -> tuple[list[Row], int]:
    """What was said of each true outage, and how many were invented."""
    rows, used = [], set()
    for way, begin, end in truth:
        fits = [k for k, s in enumerate(said) if s.begin < end + LATENCY_S and s.end > begin and k not in used]
        used |= set(fits[:1])
        one = said[fits[0]] if fits else None
        rows.append(Row(instrument, way, end - begin, one.least if one else None, one.most if one else None))
    return rows, len(said) - len(used)


def chaos_program() -> str | None:
    """Where Chaos Toolkit is installed."""
    return shutil.which("chaos", path=str(Path(sys.executable).parent)) or shutil.which("chaos")


def main() -> None:
    """Play the script once, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--json", type=Path, default=ROOT / "reports" / "out" / "instrument.json", help="where the figures go"
    )
    options = parser.parse_args()
    program = chaos_program()
    if program is None:
        sys.exit("Chaos Toolkit is not installed here: pip install 'drdrill[bench]'")
    if shutil.which("curl") is None:
        sys.exit("curl is not installed here: install it with the packages of your system")
    versions = {
        "drdrill": version("drdrill"),
        "Chaos Toolkit": _first([program, "--version"]),
        "curl": _first(["curl", "-V"]),
    }
    with tempfile.TemporaryDirectory(prefix="drdrill-bench-") as folder:
        rows, invented = play(Path(folder), program)
    show(rows, invented)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    told = {"versions": versions, "outages": [asdict(r) | {"error_s": r.error_s} for r in rows], "invented": invented}
    options.json.write_text(json.dumps(told, indent=1) + "\n")
    Console().print(f"figures      {options.json}", highlight=False, soft_wrap=True)


def _first(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split("\n")[0].split("(")[0].strip()


def play(folder: Path, program: str) -> tuple[list[Row], dict[str, int]]:
    """Play every phase, and compare."""
    rows: list[Row] = []
    invented: dict[str, int] = {}
    for phase, bits in PHASES.items():
        own = folder / phase.split(",")[0]
        own.mkdir(exist_ok=True)
        place = Path(tempfile.mkdtemp(dir=own))
        for name, (truth, said) in _phase(phase, bits, place, program).items():
            found, more = compared(name, truth, said)
            rows += found
            invented[name] = invented.get(name, 0) + more
    return rows, invented


def _phase(
    phase: str, bits: Bits, folder: Path, program: str
) -> dict[str, tuple[list[tuple[str, float, float]], list[Said]]]:
    """The truth of each instrument's service, and what it said."""
    played = Script(3)
    instruments: list[Any] = []
    stops = []
    try:
        for n in range(3):
            played.play(bits, n)
        ours, curl, chaos = played.urls
        instruments += [Ours(ours, folder), Curl(curl, folder), Chaos(chaos, folder, program, lasts_s(bits))]
        time.sleep(lasts_s(bits))  # The script plays by the clock; there is nothing else to wait for.
        for instrument in instruments:
            instrument.stop()
            stops.append(time.monotonic())
        played.come_back()
        truth = dict(played.played() for _ in range(3))
    finally:
        for instrument in instruments:
            instrument.stop()
        played.close()
    return {i.name: (outages(phase, truth[n], stops[n]), i.said()) for n, i in enumerate(instruments)}


def show(rows: Sequence[Row], invented: dict[str, int]) -> None:
    """What people see; a Markdown table, so that it can be copied into a document."""
    names = list(invented)
    table = Table("way", "true", *names, box=None, pad_edge=False, header_style="bold")
    lines = [f"| way | true | {' | '.join(names)} |", f"| --- | --- |{' --- |' * len(names)}"]
    columns = [[r for r in rows if r.instrument == name] for name in names]
    for told in zip(*columns, strict=True):
        cells = (told[0].way, f"{told[0].true_s:.2f} s", *(r.words for r in told))
        table.add_row(*cells)
        lines.append(f"| {' | '.join(cells)} |")
    worst = (f"{max(r.error_s for r in c):.2f} s" for c in columns)
    missed = (str(sum(r.least_s is None for r in c)) for c in columns)
    for cells in (
        ("farthest off", "", *worst),
        ("missed", "", *missed),
        ("invented", "", *(str(invented[n]) for n in names)),
    ):
        table.add_row(*cells)
        lines.append(f"| {' | '.join(cells)} |")
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    sys.stdout.write("\n".join(["", *lines, "", ""]))


if __name__ == "__main__":
    main()
