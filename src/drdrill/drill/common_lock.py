# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lock of an estate where every runner sees it: on one of its hosts, a lease that the drill's main loop renews.

take --> held --renewed at each look--> held --> given back
|                             |
|   halted by a person        +--> TRIPPED: the drill aborts and heals
+-- not renewed for half its lease
+-- it is somebody else's
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import threading
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Self

from drdrill.connect.registry import Ways
from drdrill.drill.bounded import bounded
from drdrill.drill.guardian.line import Line
from drdrill.drill.hold import LEASE_S
from drdrill.errors import DrdrillError, EstateBusy, Refused, WayInFailed
from drdrill.faults.limits import recover_command

if TYPE_CHECKING:
    import subprocess

    from drdrill.estate.model import Estate

LOCK_LEASE_S: Final = 30.0
FAULTS_S: Final = LEASE_S + 5.0
"""How long after a renewal of the lock a fault of its drill may last by its own lease: one may be struck right after."""
EVERY_S: Final = 0.5
_ANSWERS_S: Final = 10.0
_AGAIN_S: Final = 2.0
_AT_ONCE_S: Final = 0.05
"""An answer that comes so soon is heard at the look that asked for it."""


def owner() -> str:
    """Who we are, for those who find our lock."""
    name = str(os.getuid())
    with contextlib.suppress(Exception):  # An account without a name is one all the same.
        name = getpass.getuser()
    return f"{name}@{os.uname().nodename} (process {os.getpid()})"


@dataclass(frozen=True)
class Held:
    """What is known of a lock that somebody holds."""

    drill: str
    owner: str
    age_s: float
    silent_s: float
    stale: bool
    free_s: float
    faults_s: float
    halt: str | None
    seen: bool

    @classmethod
    def of(cls, told: dict[str, Any]) -> Held:
        """From the words of its host, of which nothing is printed that is no line of text. Raises WayInFailed."""
        try:
            drill, who = _line(told["drill"]), _line(told["owner"])
            times = [float(told[name]) for name in ("age_s", "silent_s", "free_s", "faults_s")]
            halt = None if told["halt"] is None else _line(told["halt"])
            return cls(
                drill, who, times[0], times[1], bool(told["stale"]), times[2], times[3], halt, bool(told["seen"])
            )
        except (LookupError, TypeError, ValueError) as error:
            raise WayInFailed(f"what the host says of the lock cannot be read: {error!r}") from error

    @property
    def words(self) -> str:
        """Who holds it, in words."""
        return f"drill {self.drill} of {self.owner}, begun {self.age_s:.0f} s ago and heard {self.silent_s:.0f} s ago"


def _line(text: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(text))[:500]


class CommonLock:
    """The lock of one estate on one of its hosts; a watch of the drill that holds it.

    Args:
        estate: whose lock.
        host: where it is kept.
        ways: whose shells are used; without any they are its own.
    """

    every_s = EVERY_S

    def __init__(self, estate: Estate, host: str, ways: Ways | None = None) -> None:
        self.host = host
        self.name = f"the lock of the estate on {host}"
        self._estate = estate
        self._ways = ways or Ways(estate)
        self._own = ways is None
        self._drill = ""
        self._words = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None
        self._opening: threading.Thread | None = None
        self._heard_s = self._sent_s = self._opened_s = 0.0

    # --- one question after the other: before a drill, and for those who only look ---------------------------------------

    def take(self, drill: str) -> Held | None:
        """Take it; the stale one that was taken over, if there was one.

        Raises:
            EstateBusy: another drill holds it, or held it and its faults may still be in force.
            Refused: its host does not answer.
        """
        told = {"drill": drill, "owner": owner(), "lease_s": LOCK_LEASE_S, "faults_s": 0.0}
        try:
            answer = self._ask("take", **told)
        except (DrdrillError, OSError) as error:
            self.close()
            raise Refused(
                f"the lock of estate {self._estate.name} is kept on {self.host}, and it cannot be taken there, "
                f"so nothing is struck: {error}"
            ) from error
        if not answer["ok"]:
            self.close()
            raise EstateBusy(self._busy(Held.of(answer["held"])))
        self._drill, self._heard_s = drill, time.monotonic()
        return Held.of(answer["over"]) if answer.get("over") else None

    def _busy(self, held: Held) -> str:
        told = f"estate {self._estate.name} is held by {held.words}, as {self.host} says"
        if held.stale:
            return (
                f"{told}; it is not heard any more, and the leases of its faults are out in {held.free_s:.0f} s at the latest: "
                f"try again then, or heal now: {recover_command(self._estate)}"
            )
        return f"{told}; wait for its end, or stop it with `drdrill halt`"

    def show(self) -> Held | None:
        """Who holds it now. Raises WayInFailed, Unreachable."""
        answer = self._ask("show")
        return Held.of(answer["held"]) if answer.get("held") else None

    def halt(self, words: str) -> Held | None:
        """Tell whoever holds it to stop; who that is. Raises WayInFailed, Unreachable."""
        answer = self._ask("halt", words=words)
        return Held.of(answer["held"]) if answer.get("held") else None

    def _ask(self, do: str, **told: Any) -> dict[str, Any]:
        if self._line is None or self._line.broken:
            bounded(self._open, _ANSWERS_S, f"reaching {self.host}")
        if self._line is None:
            raise WayInFailed(f"{self.host} cannot be reached")
        return self._line.ask({"do": do, "estate": self._estate.name, **told}, _ANSWERS_S)

    # --- while a drill holds it -----------------------------------------------------------------------------------------

    def beat(self) -> None:
        """Renew it, and hear what was answered. Never waits, and raises nothing: `look` says what is wrong."""
        if not self._drill:
            return
        line, now = self._line, time.monotonic()
        if line is None or line.broken:
            self._open_again(now)
            return
        with contextlib.suppress(DrdrillError, ValueError):
            self._hear(line.answers())
            if not line.owed and now - self._sent_s >= EVERY_S * 0.9:
                self._sent_s = now
                told = {"drill": self._drill, "lease_s": LOCK_LEASE_S, "faults_s": FAULTS_S}
                line.send({"do": "renew", "estate": self._estate.name, **told})
                self._hear(line.answers(_AT_ONCE_S))

    def look(self) -> str | None:
        """Why the drill has to stop: it was halted, the lock is not its own any more, or cannot be renewed."""
        self.beat()
        if self._words:
            return self._words
        silent_s = time.monotonic() - self._heard_s
        if silent_s > LOCK_LEASE_S / 2:
            return f"it could not be renewed for {silent_s:.0f} s, and somebody else may take it when its lease is out"
        return None

    def _hear(self, answers: list[dict[str, Any]]) -> None:
        for answer in answers:
            self._heard_s = time.monotonic()
            if answer.get("ok"):
                self._words = self._words or (_line(answer["halt"]) if answer.get("halt") else "")
            elif answer.get("held"):
                self._words = f"it is not ours any more: it is held by {Held.of(answer['held']).words}"
            else:
                self._words = f"{self.host} does not know it any more, as after a boot"

    def _open_again(self, now: float) -> None:
        """Beside the main loop, which feeds leases: to reach a host takes seconds."""
        if (self._opening is not None and self._opening.is_alive()) or now - self._opened_s < _AGAIN_S:
            return
        self._opened_s = now
        self._opening = threading.Thread(target=self._tried, daemon=True, name="the lock")
        self._opening.start()

    def _tried(self) -> None:
        with contextlib.suppress(DrdrillError, OSError):
            self._open()

    def _open(self) -> None:
        self._hang_up()
        program = files("drdrill.connect").joinpath("lock_agent.py").read_text()
        shell = self._ways.shell([self.host])
        process = shell.talk(self.host, shlex.join(["python3", "-c", program]), root=True)
        if process.stdin is None or process.stdout is None:
            raise WayInFailed(f"{self.host} cannot be spoken to")
        self._process = process
        self._line = Line(
            os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno()), f"the lock's keeper on {self.host}"
        )

    # --- the end ----------------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Give it back; what cannot be given back runs out. Raises nothing."""
        if self._drill:
            with contextlib.suppress(DrdrillError, OSError, ValueError):
                self._ask("give", drill=self._drill)
            self._drill = ""
        self.close()

    def close(self) -> None:
        """Let its host go."""
        self._hang_up()
        if self._own:
            self._ways.close()

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        process, self._process = self._process, None
        if line is not None:
            line.close()
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            with contextlib.suppress(OSError):
                process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
