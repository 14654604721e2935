# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The guardian's own process: `python -m drdrill.drill.guardian.process FOLDER DRILL ESTATE DRILL'S-FOLDER STARTER`.

It has its own undo log, its own ways in and its own journal. While anything is open the drill has to be heard; when it is not, when
its process is gone, or when a hard end has come, everything is healed, the last strike first: one bounded pass over all before any
is retried. What the targets heal by themselves meanwhile is found healed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drdrill.drill.forged import require_genuine
from drdrill.drill.guardian.healing import Healing
from drdrill.drill.guardian.line import LOG, MOST, PROTOCOL, SOCKET, peer
from drdrill.drill.guardian.memory import give_back
from drdrill.drill.guardian.ward import Ward
from drdrill.drill.undo_log import UndoLog, from_json
from drdrill.errors import DrdrillError
from drdrill.journal import events
from drdrill.journal.journal import FILE_NAME, GUARDIANS, Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.connect.registry import Ways

_LOOK_S: Final = 0.1
_IDLE_S: Final = 600.0
"""Nobody has called for so long and nothing is open: the drill ended without a goodbye."""


def boottime_ns() -> int:
    """A clock that nobody can set, and that goes on while the machine sleeps: a lease is not stretched by either."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Guardian:
    """One guardian.

    Args:
        folder: its own: socket, undo log, journal. Mode 0700.
        drill: whose it is.
        ways: its own ways in.
        others: undo logs beside its own from which a healed hold is to be taken: the runner's, on the same machine.
        now_ns: its clock.
    """

    def __init__(
        self,
        folder: Path,
        drill: str,
        ways: Ways,
        others: tuple[UndoLog, ...] = (),
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        self.folder = folder
        self.drill = drill
        self.ways = ways
        self.ward = Ward()
        self.log = UndoLog(folder)
        self.journal = Journal(folder)
        self.journal.best_effort()
        self._others = others
        self._now_ns = now_ns
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._runner = -1
        """A pidfd of the drill's process, where that is on this machine."""
        self._starter = -1
        """The same of whoever started this one: the drill, or the relay of one on another machine."""
        self._called_ns = now_ns()
        self.journal.write(events.GUARDIAN_BEGUN, drill=drill, pid=os.getpid(), machine=os.uname().nodename)

    # --- what it is asked ---------------------------------------------------------------------------------------------

    def answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one question. Never raises for what is asked."""
        known = {
            "hello": self._hello, "prepare": self._prepare, "guard": self._guard, "renew": self._renew,
            "prove": self._prove, "done": self._done, "end": self._end,
        }  # fmt: skip
        try:
            return known[str(message["do"])](message)
        except (DrdrillError, OSError, LookupError, TypeError, ValueError) as error:
            return {"ok": False, "words": f"{error}" or type(error).__name__}

    def _hello(self, message: Mapping[str, Any]) -> dict[str, Any]:
        if message.get("drill") != self.drill:
            return {"ok": False, "words": f"this is the guardian of drill {self.drill}"}
        return {"ok": True, "protocol": PROTOCOL, "pid": os.getpid(), "lease_s": self.ward.lease_s}

    def _prepare(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Whether every way back works from here, tried without harm."""
        wrong = []
        for capability, name, hosts in message["ways"]:
            # The estate file of another machine may be another one.
            without = [host for host in hosts if name not in self.ways.estate.host_named(host).ways_in(capability)]
            if without:
                wrong.append(f"{self.ways.estate.path} names no {name} for {capability} of {', '.join(without)}")
                continue
            look = self.ways.named(capability, name).ready(hosts)
            if look.answer is not True:
                wrong.append(f"{capability} through {name}: {look.words}")
        self.journal.write(events.GUARDIAN_PREPARED, ways=[list(way) for way in message["ways"]], wrong=wrong)
        return {"ok": not wrong, "words": "; ".join(wrong)}

    def _guard(self, message: Mapping[str, Any]) -> dict[str, Any]:
        undo = from_json(message["undo"])
        if undo.drill != self.drill or undo.estate != self.ways.estate.name:
            return {"ok": False, "words": f"the undo record is of drill {undo.drill} on the estate {undo.estate}"}
        require_genuine(undo, self.ways.estate)
        with self._turn:
            if self.ward.healing:
                return {"ok": False, "words": f"the guardian heals already: {self.ward.why}"}
            self.log.write(undo)
            self.ward.guard(undo, float(message["hard_end_s"]), self._now_ns())
        self.journal.write(events.GUARDIAN_GUARDS, hold=undo.hold, fault=undo.fault, title=undo.title)
        return {"ok": True}

    def _renew(self, message: Mapping[str, Any]) -> dict[str, Any]:
        del message
        with self._turn:
            return {"ok": self.ward.heard(self._now_ns()), "words": self.ward.why or ""}

    def _prove(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Whether a hold can be seen from here, by each way that would heal it, now that it is in force."""
        undo = next(undo for undo in self.ward.open if undo.hold == message["hold"])
        wrong = []
        for capability, name in undo.way_in.items():
            try:
                if undo.hold not in self.ways.named(capability, name).holds(undo.drill):
                    wrong.append(f"{capability} through {name}: it is not seen")
            except (DrdrillError, OSError) as error:
                wrong.append(f"{capability} through {name}: {error}")
        return {"ok": not wrong, "words": "; ".join(wrong)}

    def _done(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.forget(str(message["hold"]))
        return {"ok": True}

    def _end(self, message: Mapping[str, Any]) -> dict[str, Any]:
        del message
        if self.ward.open:
            return {"ok": False, "words": "; ".join(undo.title for undo in self.ward.open)}
        self.journal.write(events.GUARDIAN_ENDED, words="the drill has ended and nothing is open")
        self._over.set()
        return {"ok": True, "journal": (self.folder / FILE_NAME).read_text()}

    def forget(self, hold: str) -> None:
        """This hold is proven healed: no record of it is left, here or beside."""
        with self._turn:
            self.ward.done(hold)
        for log in (self.log, *self._others):
            with contextlib.suppress(OSError):
                log.done(hold)

    # --- what it does -------------------------------------------------------------------------------------------------

    def run(self, listening: socket.socket) -> None:
        """Answer, and heal when it is time; returns when there is nothing left to do."""
        threading.Thread(target=self._listen, args=(listening,), daemon=True, name="listening").start()
        while not self._over.wait(_LOOK_S):
            with self._turn:
                why = self._overdue()
                if why is not None:
                    self.ward.heal(why)
            if why is not None:
                Healing(self.ways, self.ward, self.journal, self.forget).run(why)
                break
            if self._idle():
                break

    def _overdue(self) -> str | None:
        """Why the healing has to begin. A runner whose process is gone will not be heard again: nobody waits for its lease."""
        if self.ward.open and _gone(self._runner):
            return "the drill's process is gone"
        return self.ward.overdue(self._now_ns())

    def _idle(self) -> bool:
        if self.ward.open:
            return False
        # Nobody calls a second time: with its first caller gone, and nothing to guard, there is nothing to wait for.
        gone = _gone(self._runner) or _gone(self._starter)
        return gone or self._now_ns() - self._called_ns > _IDLE_S * 1e9

    def begun_by(self, pid: int) -> None:
        """Whoever started it; when that one is gone before anything is open, it ends."""
        try:
            self._starter = os.pidfd_open(pid)
        except ProcessLookupError:
            self._over.set()
        except OSError:
            pass  # A kernel without such descriptors: it waits for the end of the long silence.

    def _listen(self, listening: socket.socket) -> None:
        while True:
            try:
                there, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(there,), daemon=True, name="caller").start()

    def _converse(self, there: socket.socket) -> None:
        pid, uid = peer(there)
        if uid not in {os.geteuid(), 0}:
            there.close()
            return
        with there, contextlib.suppress(OSError), there.makefile("rb") as lines:
            while line := lines.readline(MOST):
                self._called_ns = self._now_ns()
                try:
                    message = json.loads(line)
                except ValueError:
                    return
                if message.get("beside") and self._runner < 0:
                    with contextlib.suppress(OSError):
                        self._runner = os.pidfd_open(pid)
                there.sendall(json.dumps(self.answer(message)).encode() + b"\n")


def _gone(pidfd: int) -> bool:
    """Whether this process has ended; not when none is known."""
    return pidfd >= 0 and bool(select.select([pidfd], [], [], 0)[0])


def listen(folder: Path) -> socket.socket:
    """A socket in this folder that nobody but its owner can call."""
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        listening = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            listening.bind(f"/proc/self/fd/{directory}/{SOCKET}")
        finally:
            os.umask(before)
        listening.listen()
        return listening
    finally:
        os.close(directory)


def main() -> None:
    """Stand beside a drill until it has ended, or healed what it left."""
    folder, drill, estate_file, beside, starter = sys.argv[1:]
    for told in (signal.SIGINT, signal.SIGHUP):
        signal.signal(told, signal.SIG_IGN)
    from drdrill.connect.enter import enter  # noqa: PLC0415 - what is wrong below is answered by the end of this process
    from drdrill.connect.registry import Ways  # noqa: PLC0415
    from drdrill.drill import state  # noqa: PLC0415
    from drdrill.estate.load import load  # noqa: PLC0415

    try:
        estate = load(estate_file)
        enter(estate)
        with Ways(estate) as ways:
            guardian = Guardian(Path(folder), drill, ways, (UndoLog(state.folder(estate.name)),))
            guardian.begun_by(int(starter))
            give_back()
            with listen(Path(folder)) as listening:
                guardian.run(listening)
            left_beside(guardian, Path(beside))
    except DrdrillError as error:
        sys.exit(str(error))


def left_beside(guardian: Guardian, drill_folder: Path) -> None:
    """Leave the guardian's journal in the drill's folder, where a report of a drill that died looks for it."""
    guardian.journal.close()
    if drill_folder.is_dir():
        with contextlib.suppress(OSError):
            (drill_folder / GUARDIANS).write_bytes((guardian.folder / FILE_NAME).read_bytes())
    if not guardian.ward.open:
        for path in (guardian.folder / name for name in (SOCKET, FILE_NAME, LOG)):
            path.unlink(missing_ok=True)
        for path in (guardian.log.folder, guardian.folder):
            with contextlib.suppress(OSError):
                path.rmdir()


if __name__ == "__main__":
    main()
