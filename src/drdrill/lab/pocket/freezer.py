# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Stops every process of a host where it stands (SIGSTOP), keeps it so, and lets go on exactly what it stopped.

A process is known by its number *and* the moment of its start: a number may be given again while the host stands still.
What somebody else had stopped before is not ours and is left as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.lab.pocket.owner import processes

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOOK_S: Final = 0.02
_STOPPING_S: Final = 5.0
"""A process that waits for a disk stops when the disk has answered."""
_SURE: Final = 2
"""So many looks in a row must find everything stopped: a process that forks in the moment of its stop leaves a child running."""
_STILL: Final = frozenset("TtZXx")
"""States in /proc/PID/stat in which nothing runs: stopped, traced, or dead and not yet buried (proc_pid_stat(5))."""


@dataclass
class _Frozen:
    """One host that stands still: what we stopped, by number and start, and how often something ran all the same."""

    stopped: dict[int, int] = field(default_factory=dict)
    woke: int = 0


class Freezer:
    """The hosts of one lab that stand still.

    Args:
        folder: the lab's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hosts: dict[str, _Frozen] = {}

    @property
    def hosts(self) -> set[str]:
        """Those that were frozen and not thawed since."""
        return set(self._hosts)

    async def freeze(self, hosts: Iterable[str]) -> None:
        """Stop everything on these hosts, children that are born meanwhile too.

        Raises:
            TimeoutError: something does not stop.
        """
        new = {host: _Frozen() for host in hosts if host not in self._hosts}
        self._hosts |= new
        still, deadline = 0, time.monotonic() + _STOPPING_S
        while still < _SURE:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"processes of {', '.join(sorted(new))} do not stop within {_STOPPING_S:g} s of SIGSTOP"
                )
            still = 0 if self._stop(new) else still + 1
            await asyncio.sleep(_LOOK_S)  # The kernel stops a process in its own time, and tells nobody but its parent.

    def keep(self) -> None:
        """Stop and count what runs on a frozen host all the same: somebody woke it, or it came from outside."""
        for host in self._stop(self._hosts):
            self._hosts[host].woke += 1

    def thaw(self, hosts: Iterable[str]) -> None:
        """Let go on what we stopped on these hosts, and is still there."""
        for host in hosts:
            frozen = self._hosts.pop(host, _Frozen())
            for pid, started in frozen.stopped.items():
                with contextlib.suppress(OSError, ValueError):
                    if state(pid) == ("T", started):
                        os.kill(pid, signal.SIGCONT)

    def forget(self, hosts: Iterable[str]) -> None:
        """These hosts lost their power: nothing of theirs stands still any more."""
        for host in hosts:
            self._hosts.pop(host, None)

    def woke(self, host: str) -> int:
        """How many processes of this host ran all the same since it was frozen."""
        return self._hosts[host].woke if host in self._hosts else 0

    def _stop(self, hosts: Iterable[str]) -> list[str]:
        """Send SIGSTOP to everything on these hosts that runs. The host of each that was found running."""
        found = []
        wanted = set(hosts)
        for process in processes(self._folder):
            if process.host not in wanted:
                continue
            with contextlib.suppress(OSError, ValueError):
                if all_still(process.pid):
                    continue
                _, started = state(process.pid)
                os.kill(process.pid, signal.SIGSTOP)
                self._hosts[process.host].stopped[process.pid] = started
                found.append(process.host)
        return found


def state(pid: int) -> tuple[str, int]:
    """A process's state and the moment of its start (clock ticks since boot). Raises OSError when it is gone."""
    # The command's name stands in brackets and may hold anything, so the fields are counted from the last bracket.
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return fields[0].decode(), int(fields[19])


def all_still(pid: int) -> bool:
    """Whether no thread of a process runs. Raises OSError when it is gone."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        fields = (thread / "stat").read_bytes().rpartition(b")")[2].split()
        if fields[0].decode() not in _STILL:
            return False
    return True
