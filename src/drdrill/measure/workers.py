# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The runner's side of a measuring process: start, pause, resume, stop, and see whether it lives."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

FOLDER = "workers"
"""Specifications and error output of the workers, in the drill's folder."""
TAIL = 400
"""Characters of a dead worker's error output that are shown."""


class Worker:
    """One measuring process.

    Nothing here waits, but `stop`: whoever waits for a status asks `poll` through the drill, which feeds its holds meanwhile.

    Args:
        name: of the process, for files and messages.
        spec: what it does; `role` is probes, writes or claims (see `probe_spec` and its siblings in `specs`).
        folder: the drill's folder.
        enter: turns an argument list into the one that runs it at the vantage point.
        waits: it begins only at `go`; else as soon as it has loaded.
    """

    def __init__(
        self,
        name: str,
        spec: Mapping[str, Any],
        folder: Path,
        enter: Callable[[Sequence[str]], Sequence[str]] = lambda argv: argv,
        *,
        waits: bool = False,
    ) -> None:
        self.name = name
        self.spec = {**spec, "folder": str(folder / "data"), "waits": waits}
        self.loaded = False
        self.ready = False
        self.paused = False
        self.quiet = False
        self.mark: int | None = None
        self.controls: list[dict[str, Any]] | None = None
        """What its probes made of wrong answers, once it has said so: see `controls.controls`."""
        self.stopped = False
        self._reason = ""
        self._pauses = 0
        self._half = b""
        place = folder / FOLDER
        place.mkdir(mode=0o700, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        path = place / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.spec, ensure_ascii=False))
        self._log = place / f"{name}.log"
        argv = enter([sys.executable, "-m", "drdrill.measure.worker", str(path)])
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C at the terminal reaches the runner only, and the measuring sees the heal.
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._out, False)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that it writes and that its death would end."""
        if self.spec["role"] == "probes":
            return tuple(s["stream"] for s in self.spec["streams"])
        return (str(self.spec["stream"]),)

    @property
    def pid(self) -> int:
        """Of the process (of the command that enters its vantage point, where there is one)."""
        return self._process.pid

    def poll(self) -> None:
        """Take in what the worker has said since the last time."""
        while True:
            try:
                text = os.read(self._out, 65536)
            except (BlockingIOError, OSError):
                return
            if not text:
                return
            *lines, self._half = (self._half + text).split(b"\n")
            for line in lines:
                self._told(json.loads(line))

    def _told(self, status: Mapping[str, Any]) -> None:
        match status["status"]:
            case "loaded":
                self.loaded = True
            case "ready":
                self.loaded = self.ready = True
            case "controls":
                self.controls = status["found"]
            case "failed":
                self._reason = str(status["words"])
            case "paused" if status["n"] == self._pauses:
                self.paused, self.mark = True, status["mark"]
            case "quiet" if status["n"] == self._pauses:
                self.quiet, self.mark = True, status["mark"]

    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def death(self) -> str | None:
        """What is known of an end that nobody asked for; None while it lives or after `stop`."""
        if self.stopped or self.alive():
            return None
        self.poll()
        if self._reason:
            return f"the measuring process {self.name} ended: {self._reason}"
        try:
            text = self._log.read_text(errors="replace").strip()
        except OSError:
            text = ""
        code = self._process.returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        return f"the measuring process {self.name} {how}" + (f": ...{text[-TAIL:]}" if text else "")

    def go(self) -> None:
        """Let it begin."""
        self._command("go")

    def pause(self) -> None:
        """Ask a writer to plan no further writes; `paused` and `quiet` tell when."""
        self.paused = self.quiet = False
        self._pauses += 1
        self._command("pause", n=self._pauses)

    def resume(self) -> None:
        """Ask a writer to go on."""
        self.paused = self.quiet = False
        self._command("resume")

    def ask_to_stop(self) -> None:
        """Ask it to end. A worker that has ended by itself stays one that died."""
        if not self.stopped and self.alive():
            self.stopped = True
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # its end says stop, also to a worker that is not reading commands yet

    def stop(self, patience_s: float = 2.0) -> None:
        """Ask it to end, and kill it if it does not within `patience_s`."""
        self.ask_to_stop()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.poll()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _command(self, what: str, **more: int) -> None:
        """Send a command. A worker that is gone does not hear it; `death` says so."""
        try:
            os.write(self._process.stdin.fileno(), json.dumps({"do": what, **more}).encode() + b"\n")  # type: ignore[union-attr]
        except (OSError, ValueError):
            return
