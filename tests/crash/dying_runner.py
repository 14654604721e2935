# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A runner that meets its end at a moment that is told: `python dying_runner.py ESTATE OUT FAULT MOMENT KILLER`.

FAULT is a number in the examples of the contract. MOMENT is `KIND` of an event, right after it was written, or
`strike:N` or `heal:N`: before the N-th command of that phase. KILLER is who gets the signal: `runner`, `guardian`, `both`, or
`still`: the runner stands still, until somebody lets it go on. Or what becomes of the runner without any: `full`, its journal
takes nothing any more; `cut off`, no host of the (fake) estate answers it any more, while its guardian goes on.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.connect.fake_world import World
from drdrill.connect.lab_supervisor import Supervisor
from drdrill.connect.ssh import SshShell
from drdrill.drill.call import Call
from drdrill.drill.drill import About, Drill
from drdrill.drill.guards.votes import majority_gone
from drdrill.drill.signals import guard
from drdrill.errors import WayInFailed
from drdrill.estate.load import load
from drdrill.journal import events
from drdrill.journal.journal import FILE_NAME, Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

HELD_S = 6.0
"""Longer than the time between two renewals."""


class End:
    """The end of this runner, or of its guardian, once."""

    def __init__(self, moment: str, killer: str) -> None:
        self.moment = moment
        self.killer = killer
        self.drill: Drill | None = None
        self.phase = ""
        self.commands = 0
        self.cut_off = False

    def event(self, kind: str) -> None:
        if kind in {events.FAULT_ARMED, events.FAULT_HEALING}:
            self.phase, self.commands = ("strike" if kind == events.FAULT_ARMED else "heal"), 0
        elif kind in {events.FAULT_STRUCK, events.FAULT_HEALED}:
            self.phase = ""
        if kind == self.moment:
            self.come()

    def command(self) -> None:
        if self.phase:
            self.commands += 1
            if f"{self.phase}:{self.commands}" == self.moment:
                self.come()

    def come(self) -> None:
        self.moment = ""
        sys.stdout.write("now\n")
        sys.stdout.flush()
        guardian = self.drill.guardian.pid if self.drill and self.drill.guardian else 0
        if self.killer in {"guardian", "both"} and guardian:
            os.kill(guardian, signal.SIGKILL)
        if self.killer in {"runner", "both"}:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.killer == "still":
            os.kill(os.getpid(), signal.SIGSTOP)
        if self.killer == "full" and self.drill:
            # The estate and its undo log are smaller files, so that it is the journal alone for which there is no room.
            size = (self.drill.folder / FILE_NAME).stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
        self.cut_off = self.killer == "cut off"


def watch(end: End) -> None:
    """Hear of every event once it is on disk, and of every command before it is given, on whatever kind of estate."""
    wrote, changed, looked, asked, ran = Journal.write, World.changing, World.looking, Supervisor.ask, SshShell.run

    def write(self: Journal, kind: str, **data: Any) -> Any:
        event = wrote(self, kind, **data)
        end.event(kind)
        return event

    @contextlib.contextmanager
    def changing(self: World, call: str, *args: Any) -> Iterator[None]:
        end.command()
        with changed(self, call, *args):
            yield

    @contextlib.contextmanager
    def looking(self: World, call: str, *args: Any) -> Iterator[None]:
        if end.cut_off:
            raise WayInFailed(f"nobody answers the runner: {call}")
        with looked(self, call, *args):
            yield

    def ask(self: Supervisor, do: str, **what: Any) -> Any:
        if do in {"strike", "heal"}:
            end.command()
        return asked(self, do, **what)

    def run(self: SshShell, *args: Any, **options: Any) -> Any:
        end.command()
        return ran(self, *args, **options)

    Journal.write, World.changing, World.looking = write, changing, looking  # type: ignore[method-assign, assignment]
    Supervisor.ask, SshShell.run = ask, run  # type: ignore[method-assign, assignment]


def main() -> None:
    from test_every_fault import EXAMPLES  # noqa: PLC0415 - the folder of the contract is put into the path by whoever starts this

    file, out, number, moment, killer = sys.argv[1:]
    estate, fault = load(file), EXAMPLES[int(number)]
    expected = majority_gone(estate, fault.candidates(estate).hosts) is not None
    end = End(moment, killer)
    watch(end)
    about = About("a runner that dies", "crash", calls=(Call("drill", "strike", (fault,)),))
    end.drill = drill = Drill.begin(estate, about, Path(out), lambda _: None, "local")
    drill.measure = lambda: None  # type: ignore[method-assign] - what clients see is not what dies here
    error: BaseException | None = None
    with guard():
        try:
            drill.nouns["drill"].strike(fault, quorum_loss=expected)
            drill.nouns["drill"].hold_for(HELD_S)
        except BaseException as caught:  # noqa: BLE001 - it heals, whatever it was
            error = caught
    ended = drill.finish(error)
    sys.stdout.write(" ".join([ended.result, ended.restoration, *ended.reasons]) + "\n")


if __name__ == "__main__":
    main()
