# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The power of the hosts of one lab, and who of them stands still: what the supervisor does, one step after the other.

Everything here waits for what it did, with a deadline: a supervisor that hangs would keep every fault in force.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.lab.log import log
from drdrill.lab.network import cables, cgroups, host
from drdrill.lab.network.syscalls import mount
from drdrill.lab.network.topology import HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from drdrill.lab.network.layout import Layout

_DISK: Final = "mode=755,size=512m"


@dataclass
class Machine:
    """One host. `ended`: the wait status of a first process that ended while the power was on."""

    pid: int | None = None
    on: bool = False
    ended: int | None = None


class Machines:
    """All hosts of one lab, off.

    Args:
        layout: the lab's.
        image: the shared root.
    """

    def __init__(self, layout: Layout, image: Path) -> None:
        self.each = {name: Machine() for name in HOSTS}
        self.still: set[str] = set()
        self._layout = layout
        self._image = image
        self._group = cgroups.of_lab(layout.folder)
        self._disks = layout.folder / "disks"
        self._silence = "frozen-hosts-answer" not in layout.flaws

    def disks(self) -> None:
        """Mount the disks, below the lab's own folder and for nobody else to see. Raises OSError."""
        self._disks.mkdir(exist_ok=True)
        mount("tmpfs", str(self._disks), "tmpfs", 0, "mode=755,size=1m")
        for name in HOSTS:
            (self._disks / name).mkdir()
            mount("tmpfs", str(self._disks / name), "tmpfs", 0, _DISK)

    def on(self) -> set[str]:
        """Who has power."""
        return {name for name, machine in self.each.items() if machine.on}

    def group(self, name: str) -> Path:
        """The control group of a host."""
        return self._group / name

    def switch_on(self, names: Iterable[str]) -> None:
        """Start these hosts with the disks that they have. Raises HostError, CableError, OSError."""
        starting = []
        for name in names:
            starting.append(host.start(name, self.group(name), self._image, self._disks / name, self._layout))
            self.each[name] = Machine(starting[-1].pid, on=True)
        cables.plug({begun.name: begun.pid for begun in starting})
        for begun in starting:
            begun.go()
        for begun in starting:
            begun.wait()
        log(f"on: {', '.join(begun.name for begun in starting)}")

    async def switch_off(self, names: set[str]) -> None:
        """Cables first, so that nobody hears a goodbye; then everything on these hosts dies at once.

        Raises:
            TimeoutError: something does not die.
            CableError: a cable does not come down.
        """
        cables.pull(names)
        for name in names:
            cgroups.kill(self.group(name))
        for name in names:
            await cgroups.until(self.group(name), "populated 0", host.STEP_S)
            # A group stays frozen when what was in it is gone, and the next first process would be born frozen.
            cgroups.freeze(self.group(name), frozen=False)
            self.each[name] = Machine()
        self.still -= names
        log(f"off: {', '.join(sorted(names))}")

    async def freeze(self, names: set[str]) -> None:
        """Cables first: a kernel answers for a frozen host, and a machine that hangs has none. Raises as `switch_off`."""
        self.still |= names
        if self._silence:
            cables.pull(names)
        for name in names:
            cgroups.freeze(self.group(name), frozen=True)
        for name in names:
            await cgroups.until(self.group(name), "frozen 1", host.STEP_S)
        log(f"frozen: {', '.join(sorted(names))}")

    async def thaw(self, names: set[str]) -> None:
        """Let them go on, then give them their cables. Raises as `switch_off`."""
        for name in names:
            cgroups.freeze(self.group(name), frozen=False)
        for name in names:
            await cgroups.until(self.group(name), "frozen 0", host.STEP_S)
        if self._silence:
            cables.push(names)
        self.still -= names
        log(f"thawed: {', '.join(sorted(names))}")

    def ended(self, pid: int, status: int) -> None:
        """A child of the supervisor ended: by our hand, or a host's first process by itself."""
        for machine in self.each.values():
            if machine.pid == pid:
                machine.pid = None
                if machine.on:
                    machine.ended = os.waitstatus_to_exitcode(status)

    def lacks(self, name: str) -> list[str]:
        """What a host lacks that can be told without asking it."""
        machine = self.each[name]
        if not machine.on:
            return ["it is off"]
        if name in self.still:
            return ["it is frozen"]
        return [f"its first process has ended (status {machine.ended})"] if machine.ended is not None else []
