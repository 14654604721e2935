# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What hosts with a shell say of themselves: which services run, which units have failed, and how their clock is set.

All hosts are asked at once, each with one command. A service that somebody enabled, and that ran, is one that should run: what
a bus or a socket starts comes and goes. Clocks are compared with one that nobody can set, so only the host's own clock can make
a difference.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.connect.capabilities import Ran
from drdrill.connect.many import Many, Order
from drdrill.estate.select import own_shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.connect.registry import Ways
    from drdrill.estate.model import Estate

_WITHIN_S: Final = 5.0
_LIST: Final = "--plain --no-legend --no-pager --full 2>/dev/null"
ASKED: Final = (
    f"date +%s.%N; echo =running; systemctl list-units --type=service --state=running {_LIST}; "
    f"echo =failed; systemctl list-units --state=failed {_LIST}; true"
)
ASKED_FIRST: Final = (
    f"{ASKED}; echo =enabled; systemctl list-unit-files --type=service --state=enabled,enabled-runtime {_LIST}; true"
)
CLOCK_S: Final = 0.5
"""A clock that was set by more than this is another clock."""


@dataclass(frozen=True)
class HostLook:
    """One look at one host.

    Args:
        running: the services that run.
        failed: the units that have failed.
        enabled: the services that start with the host; None where that was not asked.
        clock: the earliest and the latest that its clock may be ahead of ours, in seconds; None: it tells no such time.
        words: why it could not be asked; empty where it could.
    """

    running: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    enabled: frozenset[str] | None = None
    clock: tuple[float, float] | None = None
    words: str = ""


def look(estate: Estate, ways: Ways, *, first: bool) -> dict[str, HostLook]:
    """Ask every host that has a shell and a system of its own. Raises nothing for what they answer."""
    orders = [Order(name, ASKED_FIRST if first else ASKED) for name, host in estate.hosts.items() if own_shell(host)]
    asked_s = now_s()
    answers = Many(ways).ask(orders, within_s=_WITHIN_S, root=False)
    answered_s = now_s()
    return {
        host: read(ran.out, asked_s, answered_s) if isinstance(ran, Ran) else HostLook(words=str(ran))
        for host, ran in answers.items()
    }


def read(out: str, asked_s: float, answered_s: float) -> HostLook:
    """What a host answered, between these two times of our clock. Pure."""
    parts: dict[str, set[str]] = {"running": set(), "failed": set()}
    clock: tuple[float, float] | None = None
    part = ""
    for line in out.splitlines():
        if line.startswith("="):
            part = line[1:]
            parts.setdefault(part, set())
        elif part and line.split():
            parts[part].add(line.split()[0])
        elif not part:
            try:
                at_s = float(line)
            except ValueError:
                continue  # Its `date` knows no nanoseconds.
            clock = (at_s - answered_s, at_s - asked_s)
    enabled = frozenset(parts["enabled"]) if "enabled" in parts else None
    return HostLook(frozenset(parts["running"]), frozenset(parts["failed"]), enabled, clock)


def now_s() -> float:
    """A clock that nobody can set, and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def differences(host: str, before: HostLook, after: HostLook) -> Iterator[tuple[str, str, str, bool]]:
    """What is not as it was on one host: what, before, after, and whether that is certain. Pure."""
    if before.words:
        return
    if after.words:
        yield f"what runs on {host}", "it could be asked", after.words, False
        return
    for unit in sorted(((before.enabled or frozenset()) & before.running) - after.running):
        yield f"service {unit} on {host}", "it ran", "it does not run", True
    for unit in sorted(after.failed - before.failed):
        yield f"unit {unit} on {host}", "it had not failed", "it has failed", True
    if before.clock is not None and after.clock is not None:
        moved_s = max(after.clock[0] - before.clock[1], before.clock[0] - after.clock[1])
        if moved_s > CLOCK_S:
            yield f"the clock of {host}", "as it was set", f"it was set by at least {moved_s:.1f} s", True
