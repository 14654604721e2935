# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whole drills on a real lab, as a person runs them: a command in a process of its own, judged by what it left on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.errors import BadInput
from drdrill.journal import journal
from drdrill.journal.recording import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.journal.recording import Recording

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-c", "from drdrill.cli.main import main; main()"]
FEATURES = ROOT / "features"


@dataclass
class Ran:
    """One drill that ended: the command's status and output, and what lies on disk."""

    status: int
    output: str
    folder: Path | None

    @property
    def recording(self) -> Recording:
        assert self.folder is not None, f"no drill was begun:\n{self.output}"
        return load(self.folder)

    def last(self, kind: str) -> dict[str, Any]:
        event = self.recording.journal.last(kind)
        assert event is not None, f"the journal has no {kind}:\n{self.output}"
        return event.data

    @property
    def result(self) -> str:
        return str(self.last("drill.ended")["result"])

    @property
    def restoration(self) -> str:
        return str(self.last("drill.ended")["restoration"])

    def checks(self, verdict: str) -> dict[str, dict[str, Any]]:
        """The checks that ended so, by name."""
        return {e.data["check"]: e.data for e in self.recording.journal.of("check") if e.data["verdict"] == verdict}

    def failed_assumptions(self) -> dict[str, str]:
        return {
            e.data["assumption"]: e.data["message"]
            for e in self.recording.journal.of("assumption")
            if e.data["verdict"] != "pass"
        }


@dataclass
class Running:
    """A drill in progress."""

    process: subprocess.Popen[str]
    out: Path
    log: Path
    state: Path
    lab: Lab

    def folder(self) -> Path | None:
        return max(self.out.glob("*/journal.jsonl"), default=None, key=lambda p: p.parent.name)

    def wait_for(self, kind: str, seconds: float = 90, **data: object) -> dict[str, Any]:
        """The first event of this kind with these data; fails when the drill ends before."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if (path := self.folder()) is not None:
                try:
                    events = journal.read(path.parent).of(kind)
                except BadInput:
                    events = iter(())
                for event in events:
                    if all(event.data.get(k) == v for k, v in data.items()):
                        return event.data
            assert self.process.poll() is None, f"the drill ended before {kind}:\n{self.log.read_text()}"
            time.sleep(0.05)
        raise AssertionError(f"no {kind} within {seconds} s:\n{self.log.read_text()}")

    def end(self, seconds: float = 180) -> Ran:
        self.process.wait(seconds)
        path = self.folder()
        return Ran(self.process.returncode, self.log.read_text(), path.parent if path else None)


@dataclass
class Lab:
    """A lab with its own state folder, and how to run commands against it. `name` is that of its estate, too."""

    state: Path
    out: Path
    flaws: tuple[str, ...] = ()
    name: str = "pocket"
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DRDRILL", "PYTEST"))}
        self.env = {**kept, "DRDRILL_STATE": str(self.state), "PYTHONUNBUFFERED": "1"}

    def drdrill(self, *args: str, cwd: Path = ROOT, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *args], cwd=cwd, env=self.env, capture_output=True, text=True, timeout=seconds, check=False
        )

    def up(self) -> None:
        ended = self.drdrill("lab", "up", self.name, *[a for flaw in self.flaws for a in ("--flaw", flaw)])
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def down(self) -> None:
        ended = self.drdrill("lab", "down", self.name)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def start(
        self, name: str, *features: str | Path, options: tuple[str, ...] = (), env: dict[str, str] | None = None
    ) -> Running:
        out = self.out / name
        out.mkdir(parents=True)
        log = out / "terminal.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [*COMMAND, "run", "--estate", self.name, "--drill-out", str(out), *options, *map(str, features)],
                cwd=ROOT,
                env={**self.env, **(env or {})},
                stdout=stream,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        return Running(process, out, log, self.state, self)

    def run(
        self,
        name: str,
        *features: str | Path,
        during: Callable[[Running], None] | None = None,
        env: dict[str, str] | None = None,
    ) -> Ran:
        running = self.start(name, *features, env=env)
        try:
            if during:
                during(running)
            return running.end()
        finally:
            if running.process.poll() is None:
                running.process.terminate()
                running.process.wait(60)


class Labs:
    """Raises labs one after the other: two on a machine of two cores would measure each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._up: Lab | None = None
        self._count = 0

    def get(self, *flaws: str, fresh: bool = False, name: str = "pocket") -> Lab:
        if self._up is not None and (self._up.name, self._up.flaws) == (name, flaws) and not fresh:
            return self._up
        self.close()
        self._count += 1
        lab = Lab(self._folder / f"s{self._count}", self._folder / f"o{self._count}", flaws, name)
        self._up = lab
        lab.up()
        return lab

    def close(self) -> None:
        if self._up is not None:
            lab, self._up = self._up, None
            lab.down()


@contextmanager
def labs(folder: Path) -> Iterator[Labs]:
    all_of_them = Labs(folder)
    try:
        yield all_of_them
    finally:
        all_of_them.close()


def workers_of(running: Running, word: str) -> list[int]:
    """The pids of measuring processes of a drill whose command line has this word."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "drdrill.measure.worker" in line and word in line and str(running.out) in line:
            found.append(int(entry.name))
    return found
