# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The runner's side: start a guardian, give it every undo before its harm, be heard by it, and stop when it is not heard itself."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from drdrill.drill import state
from drdrill.drill.guardian.line import LOG, PROTOCOL, Line, dial
from drdrill.drill.guardian.ward import LEASE_S
from drdrill.drill.undo_log import to_json
from drdrill.errors import BadInput, DrdrillError, Refused, WayInFailed
from drdrill.journal.journal import GUARDIANS

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Undo

LOCAL: Final = "local"
STARTS_S: Final = 20.0
"""Python, the estate file and its ways in; 0.5 s on a machine with nothing else to do."""
PREPARES_S: Final = 60.0
"""A connection to every host, and what is asked there without harm."""
ANSWERS_S: Final = 5.0
PROVES_S: Final = 10.0
BEATS_S: Final = 1.0


class Guardian:
    """A drill's guardian, as the drill sees it; a watch of the drill as well.

    Args:
        where: `local`, or `ssh://[user@]host[:port][/path/of/the/estate.yaml]`.
        drill: the drill's id.
        estate: what it guards.
        folder: the drill's own folder.
    """

    name = "the guardian"
    every_s = BEATS_S

    def __init__(self, where: str, drill: str, estate: Estate, folder: Path) -> None:
        self.where = where
        self.pid = 0
        self._drill = drill
        self._estate = estate
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None
        self._heard_s = 0.0
        self._words = ""
        self._own = Path()

    def start(self) -> Self:
        """Start it; nobody waits for it yet. Raises BadInput, Refused."""
        if self.where == LOCAL:
            self._start_here()
        else:
            self._start_there()
        return self

    def _start_here(self) -> None:
        self._own = state.folder(self._estate.name) / "guardian" / self._drill
        self._own.mkdir(mode=0o700, parents=True)
        argv = [sys.executable, "-P", "-m", "drdrill.drill.guardian.process", str(self._own), self._drill]
        argv += [str(self._estate.path.absolute()), str(self._folder.absolute()), str(os.getpid())]
        log = os.open(self._own / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                [*apart(self._drill), *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _start_there(self) -> None:
        self._process = subprocess.Popen(
            relayed(self.where, self._drill, self._estate.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def prepare(self, ways: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        """Have it try every way back from where it stands, without harm.

        Args:
            ways: capability, name of the way in, hosts.

        Raises:
            Refused: it cannot be reached, or it cannot prove that it reaches every way back.
        """
        try:
            line = self._line or self._connect()
            hello = self._asked({"do": "hello", "drill": self._drill, "beside": self.where == LOCAL}, ANSWERS_S)
            if hello.get("protocol") != PROTOCOL:
                raise WayInFailed(f"it speaks protocol {hello.get('protocol')}, and this drdrill {PROTOCOL}")
            self.pid = int(hello["pid"])
            self._asked({"do": "prepare", "ways": [[c, n, list(hosts)] for c, n, hosts in ways]}, PREPARES_S)
        except (DrdrillError, OSError) as error:
            raise Refused(
                f"the guardian ({self.where}) cannot guard this drill, so nothing is struck: {error}"
            ) from error
        self._line, self._heard_s = line, time.monotonic()

    def guard(self, undo: Undo, hard_end_s: float) -> None:
        """Put an undo into its care; it is on its disk when this returns. Raises Refused: it is not, so there must be no harm."""
        try:
            self._asked({"do": "guard", "undo": to_json(undo), "hard_end_s": hard_end_s}, ANSWERS_S)
        except DrdrillError as error:
            raise Refused(
                f"{undo.title}: the guardian does not have its undo ({error}), so nothing is struck"
            ) from error

    def prove(self, undo: Undo) -> str | None:
        """Why the way back cannot be seen to work from where it stands, now that the fault is in force; None: it works."""
        try:
            self._asked({"do": "prove", "hold": undo.hold}, PROVES_S)
        except DrdrillError as error:
            return str(error)
        return None

    def done(self, hold: str) -> None:
        """This hold is proven healed. A guardian that does not hear it heals once more, which changes nothing."""
        with contextlib.suppress(DrdrillError):
            self._asked({"do": "done", "hold": hold}, ANSWERS_S)

    def beat(self) -> None:
        """Be heard, and hear what it answered. Never waits, and raises nothing: `look` says what is wrong."""
        if self._line is None:
            return
        with contextlib.suppress(DrdrillError):
            for answer in self._line.answers():
                self._heard(answer)
            if self._line.owed < 3:  # noqa: PLR2004 - more would only wait in the pipe of one that stands still
                self._line.send({"do": "renew"})

    def look(self) -> str | None:
        """Why the drill has to stop: the guardian is gone, silent for half a lease, or heals already."""
        if self._line is None:
            return None
        self.beat()
        if self._words:
            return self._words
        if self._line.broken:
            return "it is gone, and without it nobody would heal this drill if it died"
        silent_s = time.monotonic() - self._heard_s
        if silent_s <= LEASE_S / 2:
            return None
        self._line.broken = True  # Nobody waits for it again while there is something to heal.
        return f"it has said nothing for {silent_s:.0f} s"

    def end(self) -> list[dict[str, Any]]:
        """Let it go, when nothing is open; its journal, also into the drill's folder. Empty when it does not answer."""
        lines: list[dict[str, Any]] = []
        try:
            if self._process is not None and self._line is None:
                self._connect()  # A drill that was refused before it had anything to guard has one all the same.
            if self._line is not None:
                text = str(self._asked({"do": "end"}, ANSWERS_S)["journal"])
                (self._folder / GUARDIANS).write_text(text)
                lines = [json.loads(line) for line in text.splitlines()]
        except (DrdrillError, OSError, ValueError):
            pass  # It goes on by itself, and leaves its journal where it can.
        finally:
            self._hang_up(within_s=ANSWERS_S if lines else 0.1)
        return lines

    # --- the line -----------------------------------------------------------------------------------------------------

    def _connect(self) -> Line:
        if self.where == LOCAL:
            both = self.dialled().detach()
            self._line = Line(both, both)
        else:
            process = self._process
            if process is None or process.stdin is None or process.stdout is None:
                raise WayInFailed("it was not started")
            self._line = Line(os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno()))
        return self._line

    def dialled(self) -> socket.socket:
        """A connection to the guardian on this machine, once it listens. Raises WayInFailed, BadInput."""
        end = time.monotonic() + STARTS_S
        while True:
            with contextlib.suppress(OSError):
                return dial(self._own)
            if (self._process is None or self._process.poll() is not None) or time.monotonic() > end:
                raise WayInFailed(self._said() or f"it did not start within {STARTS_S:g} s")
            time.sleep(0.02)

    def _asked(self, message: dict[str, Any], within_s: float) -> dict[str, Any]:
        """A good answer. Raises WayInFailed when there is none, or it is a refusal."""
        if self._line is None:
            raise WayInFailed("there is no guardian")
        try:
            answer = self._line.ask(message, within_s)
        except WayInFailed as error:
            raise WayInFailed(f"{error}: {self._said()}" if self._said() else str(error)) from error
        self._heard_s = time.monotonic()
        if not answer.get("ok"):
            raise WayInFailed(str(answer.get("words") or "it refuses without a reason"))
        return answer

    def _heard(self, answer: dict[str, Any]) -> None:
        self._heard_s = time.monotonic()
        if not answer.get("ok"):
            self._words = f"it heals by itself: {answer.get('words')}"

    def _said(self) -> str:
        """The last that it, or the way to it, complained of."""
        text = ""
        with contextlib.suppress(OSError):
            if self.where == LOCAL:
                text = (self._own / LOG).read_text(errors="replace")
            elif self._process is not None and self._process.stderr is not None and self._process.poll() is not None:
                text = self._process.stderr.read().decode(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def _hang_up(self, within_s: float) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(within_s)
        process.returncode = (
            process.returncode if process.returncode is not None else 0
        )  # One that heals goes on without us.
        with contextlib.suppress(OSError):
            (self._own / LOG).unlink(missing_ok=True)
            self._own.rmdir()


def apart(drill: str) -> list[str]:
    """The words that start a command outside of our own unit, so that `systemctl stop` of that one and a logout leave it alone.

    Nothing where systemd does not run: there are no units that could be stopped.
    """
    systemd_run = shutil.which("systemd-run")
    if systemd_run is None or not Path("/run/systemd/system").is_dir():
        return []
    unit = f"drdrill-guardian-{drill}-{secrets.token_hex(2)}"
    manager = [] if os.geteuid() == 0 else ["--user"]
    argv = [systemd_run, *manager, "--scope", "--quiet", "--collect", f"--unit={unit}"]
    tried = subprocess.run([*argv, "true"], capture_output=True, timeout=ANSWERS_S, check=False)
    return [*argv, "--"] if tried.returncode == 0 else []


def relayed(where: str, drill: str, estate: str) -> list[str]:
    """The command that starts a guardian on another machine and relays its line. Raises BadInput for an address that is none."""
    url = urlsplit(where)
    if url.scheme != "ssh" or not url.hostname or url.query or url.password or url.hostname.startswith("-"):
        raise BadInput(
            f"--guardian {where}: is neither `local` nor `ssh://[user@]host[:port][/path/of/the/estate.yaml]`"
        )
    there = f"{url.username}@{url.hostname}" if url.username else url.hostname
    port = ["-p", str(url.port)] if url.port else []
    words = shlex.join(["drdrill", "guardian", "--drill", drill, "--estate", url.path or estate])
    return ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-o", "ServerAliveInterval=5", *port, there, words]
