# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lock of an estate where every runner sees it: a lease in a file on one of its hosts, renewed over a connection that is kept.

A runner that could not renew for half of it has to stop. Whatever it struck is healed by its leases before the other half is over,
so whoever finds the lock run out finds nothing in force.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import shlex
import threading
import time
from collections import deque
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from drdrill.drill.guardian.line import Line
from drdrill.drill.hold import LEASE_S as HOLD_LEASE_S
from drdrill.errors import DrdrillError, EstateBusy, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import Popen

    from drdrill.connect.registry import Ways

LEASE_S: Final = 2 * HOLD_LEASE_S
"""Half of it without a renewal, then the leases of the last holds."""
RENEW_EVERY_S: Final = 5.0
LOOK_EVERY_S: Final = 0.5
ANSWERS_S: Final = 15.0
"""A connection by SSH included."""
_ENDS_S: Final = 2.0
RUN: Final = secrets.token_hex(8)
"""This process, as locks name it: one that was halted begins no other drill."""


class SharedLock:
    """One estate's lock on one host.

    Args:
        ways: whose shells are used.
        host: where it is kept.
        longest_s: the longest lease that any open hold has now; locks outlast it.
    """

    def __init__(self, ways: Ways, host: str, longest_s: Callable[[], float] = lambda: HOLD_LEASE_S) -> None:
        self.host = host
        self.healing = False
        self.halt: str | None = None
        """Who said that the drill has to stop."""
        self._ways = ways
        self._longest_s = longest_s
        self._drill = ""
        self._lost: str | None = None
        self._line: Line | None = None
        self._process: Popen[bytes] | None = None
        self._connecting: threading.Thread | None = None
        self._turn = threading.Lock()
        self._sent: deque[tuple[str, float]] = deque()
        self._renewed_s = self._renew_s = self._look_s = 0.0

    def take(self, drill: str) -> dict[str, Any] | None:
        """Take it; the lock of a drill whose lease is out, when it was taken over from one.

        Raises:
            EstateBusy: another drill has it.
            Unreachable, WayInFailed, BadInput: the host cannot keep it.
        """
        since = datetime.now(UTC).isoformat(timespec="seconds")
        at = time.monotonic()
        answer = self._asked("take", drill=drill, owner=me(), run=RUN, since=since, lease_s=self._lease_s())
        if not answer["taken"]:
            raise EstateBusy(
                f"estate {self._ways.estate.name} is held by {told(answer['lock'])}, as its lock on {self.host} says; wait for its "
                f"end, stop it with `drdrill halt`, or wait until its lease is out, in {max(0.0, answer['lock']['left_s']):.0f} s"
            )
        self._drill, self._renewed_s, self._renew_s = drill, at, at + RENEW_EVERY_S
        stale: dict[str, Any] | None = answer["stale"]
        return stale

    def look(self) -> dict[str, Any] | None:
        """Who has it now, or None. Raises Unreachable, WayInFailed."""
        found: dict[str, Any] | None = self._asked("look")["lock"]
        return found

    def tell_halt(self, by: str) -> dict[str, Any] | None:
        """Tell whoever has it to stop; who that is. Raises Unreachable, WayInFailed."""
        found: dict[str, Any] | None = self._asked("halt", by=by)["lock"]
        return found

    def wrong(self, *, silent_too: bool = True) -> str | None:
        """Why the drill has to stop: the lock is another's, or could not be renewed for half its lease. Never waits."""
        self.beat()
        if self._lost is not None:
            return self._lost
        silent_s = time.monotonic() - self._renewed_s
        if silent_s <= LEASE_S / 2 or not silent_too:
            return None
        return f"{self.host} could not be asked to renew it for {silent_s:.0f} s, half of its lease"

    def beat(self) -> None:
        """Renew it when it is time, and hear what was answered. Never waits, and raises nothing."""
        if not self._drill:
            return
        line = self._line
        if line is None or line.broken:
            self._connect()
            return
        with contextlib.suppress(DrdrillError, ValueError):
            for answer in line.answers():
                self._hear(answer)
            now = time.monotonic()
            if now < min(self._look_s, self._renew_s) or line.owed >= 3:  # noqa: PLR2004 - more would only wait in the pipe
                return
            self._look_s = now + LOOK_EVERY_S
            verb = "renew" if now >= self._renew_s else "look"
            self._sent.append((verb, now))
            line.send(self._message(verb, **self._lease()))
            if verb == "renew":
                self._renew_s = now + RENEW_EVERY_S

    def heal(self) -> None:
        """Say on the lock that the drill heals by now, whoever looks."""
        self.healing, self._renew_s = True, 0.0
        self.beat()

    def release(self) -> None:
        """Give it back. Raises DrdrillError when that could not be done: then its lease runs out."""
        with self._turn:
            drill, self._drill = self._drill, ""
        if self._connecting is not None:
            self._connecting.join(_ENDS_S)
        self._hang_up()
        if drill:
            self._asked("release", drill=drill)

    # --- the host -----------------------------------------------------------------------------------------------------

    def _lease_s(self) -> float:
        return LEASE_S / 2 + max(HOLD_LEASE_S, self._longest_s())

    def _lease(self) -> dict[str, Any]:
        return {"drill": self._drill, "lease_s": self._lease_s(), "healing": self.healing}

    def _message(self, verb: str, **what: Any) -> dict[str, Any]:
        return {"do": verb, "estate": self._ways.estate.name, **what}

    def _asked(self, verb: str, **what: Any) -> dict[str, Any]:
        """By a command of its own. Raises Unreachable, WayInFailed."""
        shell = self._ways.shell([self.host])
        given = json.dumps(self._message(verb, **what)) + "\n"
        ran = shell.run(self.host, command(), within_s=ANSWERS_S, root=True, given=given)
        try:
            answer: dict[str, Any] = json.loads(ran.out.splitlines()[-1])
        except (ValueError, IndexError):
            said = ran.err.strip().splitlines() or [f"it ended with {ran.status} and without a word"]
            raise WayInFailed(f"{self.host} cannot keep the lock of the estate: {said[-1]}") from None
        if "wrong" in answer:
            raise WayInFailed(f"{self.host} cannot keep the lock of the estate: {answer['wrong']}")
        return answer

    def _hear(self, answer: dict[str, Any]) -> None:
        verb, sent_s = self._sent.popleft()
        if "wrong" in answer:
            return  # Not renewed: half a lease of that is too long.
        lock = answer["lock"]
        if lock is None:
            self._lost = f"the lock is gone from {self.host}"
        elif lock["drill"] != self._drill:
            self._lost = f"{told(lock)} has taken it over"
        else:
            self.halt = lock["halt"]
            self._renewed_s = max(self._renewed_s, sent_s) if verb == "renew" else self._renewed_s

    def _connect(self) -> None:
        """In a thread of its own, since a host that is away takes its time; what is sent is sent by the drill's own loop."""
        if self._connecting is not None and self._connecting.is_alive():
            return
        self._hang_up()
        self._connecting = threading.Thread(target=self._dial, daemon=True, name="lock")
        self._connecting.start()

    def _dial(self) -> None:
        try:
            process = self._ways.shell([self.host]).talk(self.host, command(), root=True)
        except (DrdrillError, OSError):
            time.sleep(LOOK_EVERY_S)
            return
        with self._turn:
            if not self._drill or process.stdin is None or process.stdout is None:
                end(process)  # It took so long that nobody waits for it any more.
                return
            self._sent.clear()
            self._process = process
            self._renew_s = 0.0
            self._line = Line(os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno()))

    def _hang_up(self) -> None:
        line, process = self._line, self._process
        self._line = self._process = None
        if line is not None:
            line.close()
        if process is not None:
            end(process)


def command() -> str:
    """What the host runs."""
    return f"python3 -c {shlex.quote(files('drdrill.connect').joinpath('lock_agent.py').read_text())}"


def me() -> str:
    """Who drills, and where."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return f"{user}@{os.uname().nodename}, process {os.getpid()}"


def told(lock: dict[str, Any]) -> str:
    """A lock in words."""
    return f"drill {lock['drill']} ({lock['owner']}, since {lock['since']})"


def end(process: Popen[bytes]) -> None:
    """Let a command that was talked to go."""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
