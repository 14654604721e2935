# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The one process that owns a network lab: `python -m drdrill.lab.network.supervisor FOLDER IMAGE`.

It is PID 1 of namespaces of its own (processes, mounts, networks), so whatever kills it ends every host: the kernel does, and
nobody has to be there for it. It has one thread, since it forks the hosts. A small process outside removes what the kernel
leaves behind then, the empty cgroups.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import LabError
from drdrill.lab.holds import Holds
from drdrill.lab.log import log
from drdrill.lab.network import answers, cables, cgroups, host, mounts, reaper, syscalls
from drdrill.lab.network.flaws import SHORT_LEASE_S
from drdrill.lab.network.layout import Layout
from drdrill.lab.network.topology import HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from drdrill.lab.holds import Hold
    from drdrill.lab.protocol import Strike

ALIVE: Final = "alive"
"""The file in the lab's folder that the supervisor keeps locked for its life: the kernel lets it go with it."""
PLACE: Final = "place"
"""The folder, in the lab's, that the supervisor mounts over for itself: outside it stays empty."""
_STEP_S: Final = 5.0
"""What the kernel may take to end or stop the processes of a host; it takes 0.01 to 0.1 s."""
_LOOK_S: Final = 0.002
_AGAIN_S: Final = 1.0


class Supervisor:
    """One lab.

    Args:
        layout: what it is made of.
        image: the root of its hosts.
        outside: its own pid as the machine numbers it.
    """

    def __init__(self, layout: Layout, image: Path, outside: int) -> None:
        self.layout = layout
        self.outside = outside
        self.started_ns = time.monotonic_ns()
        self.place = host.Place(layout, image, layout.folder / PLACE, cgroups.of(layout.folder))
        self.holds = Holds(SHORT_LEASE_S if "short-leases" in layout.flaws else None)
        self.end = asyncio.Event()
        self.on: dict[str, int] = {}
        """The hosts that have power, with their PID 1."""
        self.still: set[str] = set()
        self._cut: set[str] = set()
        """The hosts that we took the power of, and give it back to."""
        self._power = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Raise the lab and serve until `end` is set. Raises OSError."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._bury)
        self.place.cgroup.mkdir()
        cables.lay()
        for name in HOSTS:
            mounts.insert_disk(self.place.folder, name)
        self._switch_on(list(HOSTS))
        # Before anybody is told that there is a lab: whoever hears of it connects at once.
        server = await answers.serve(self)
        self.layout.publish(self.outside)
        log(f"all hosts have power after {(time.monotonic_ns() - self.started_ns) / 1e9:.2f} s")
        await self.end.wait()
        server.close()

    async def down(self) -> None:
        """End every host. What else there is ends with this process, whose end is left to the caller."""
        log("down")
        async with self._power:
            cgroups.kill(self.place.cgroup)
            await self._until(lambda: not cgroups.is_populated(self.place.cgroup), "the lab's processes do not end")
            cgroups.remove(self.place.cgroup)

    def _bury(self) -> None:
        """Wait for the dead: as PID 1 this process is the parent of all orphans."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                for name in [name for name, first in self.on.items() if first == pid]:
                    log(f"PID 1 of {name} ended by itself with {status}; the host is off")
                    del self.on[name]

    def _lease_ended(self) -> None:
        for hold in self.holds.lapse(time.monotonic_ns()):
            log(f"the lease of {hold.strike.hold} has run out")
        self.apply()
        self._keep(self._persist())

    async def _persist(self) -> None:
        """Reconcile until it is done: a lease that has run out has nobody else who would ask again."""
        while not self.end.is_set():
            try:
                await self.reconcile()
            except Exception:  # noqa: BLE001 - whatever it was, what is struck has to be healed all the same
                log(traceback.format_exc())
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log("".join(traceback.format_exception(error)))

    async def _until(self, there: Callable[[], bool], otherwise: str) -> None:
        """Wait for the kernel, which tells nobody. Raises LabError: one step that hangs must not hang the lab."""
        deadline = time.monotonic() + _STEP_S
        while not there():
            if time.monotonic() > deadline:
                raise LabError(f"{otherwise} within {_STEP_S:g} s")
            await asyncio.sleep(_LOOK_S)

    # --- power, freeze, leases ----------------------------------------------------------------------------------------

    async def strike(self, strike: Strike) -> Hold:
        """Carry out a strike; the same one again changes nothing. Raises BadRequest."""
        hold, new = self.holds.strike(strike, time.monotonic_ns())
        if new and strike.kind == "freeze":
            hold.woken.update(name for name in strike.hosts if name not in self.on)
        self.apply()
        await self.reconcile()
        if new:
            hold.last_ns = time.monotonic_ns()
            log(f"struck {strike.hold}: {strike.kind} of {', '.join(strike.hosts)}, lease {strike.lease_s:g} s")
        return hold

    async def heal(self, hold: str) -> dict[str, Any]:
        """End a hold; its answer as the protocol has it."""
        answer = self.holds.heal(hold, time.monotonic_ns())
        self.apply()
        try:
            await self.reconcile()
        except Exception:
            self._keep(self._persist())  # Whoever asked is told, and may not be there to ask again.
            raise
        log(f"heal {hold}: {answer['state']}")
        return answer

    def apply(self) -> None:
        """Set the clock for the next lease that ends."""
        self.holds.lapse(time.monotonic_ns())
        if self._timer:
            self._timer.cancel()
            self._timer = None
        end_ns = self.holds.next_end_ns()
        if end_ns is not None:
            self._timer = asyncio.get_running_loop().call_at(end_ns / 1e9, self._lease_ended)

    async def reconcile(self) -> None:
        """Make the hosts' power, and who stands still, what the holds say. Looks again after each change."""
        async with self._power:
            while True:
                wanted = set() if "power-is-ignored" in self.layout.flaws else self.holds.off()
                if dying := wanted & set(self.on):
                    await self._switch_off(dying)
                elif waking := self._cut - wanted:
                    self._switch_on([name for name in HOSTS if name in waking])
                elif not await self._refreeze():
                    return

    async def _refreeze(self) -> bool:
        """Freeze or thaw what the holds say. Whether anything had to be done."""
        wanted = set() if "freeze-is-ignored" in self.layout.flaws else self.holds.still() & set(self.on)
        pulled = "frozen-hosts-answer" not in self.layout.flaws
        if thawing := self.still - wanted:
            for name in thawing:
                cgroups.freeze(self.place.cgroup_of(name), still=False)
            await self._until(
                lambda: not any(cgroups.is_frozen(self.place.cgroup_of(name)) for name in thawing),
                f"the processes of {', '.join(sorted(thawing))} do not go on",
            )
            if pulled:
                cables.put_back(thawing)
            self.still -= thawing
            log(f"thawed: {', '.join(sorted(thawing))}")
        if freezing := wanted - self.still:
            # The kernel of a stopped host still answers ARP, ping and the handshake, which that of a hung machine does not.
            if pulled:
                cables.pull(freezing)
            for name in freezing:
                cgroups.freeze(self.place.cgroup_of(name), still=True)
            self.still |= freezing
            await self._until(
                lambda: all(cgroups.is_frozen(self.place.cgroup_of(name)) for name in freezing),
                f"the processes of {', '.join(sorted(freezing))} do not stand still",
            )
            log(f"frozen: {', '.join(sorted(freezing))}")
        return bool(thawing or freezing)

    async def _switch_off(self, names: set[str]) -> None:
        cables.pull(names)  # First: nobody hears a goodbye.
        for name in names:
            cgroups.kill(self.place.cgroup_of(name))
        self._cut |= names
        for name in names:
            self.on.pop(name, None)
        self.holds.power_went(names)
        self.still -= names
        await self._until(
            lambda: not any(cgroups.is_populated(self.place.cgroup_of(name)) for name in names),
            f"the processes of {', '.join(sorted(names))} do not end",
        )
        for name in names:
            # A freeze outlives the processes: the next PID 1 would be born frozen, and whoever forks it would wait for ever.
            cgroups.freeze(self.place.cgroup_of(name), still=False)
        log(f"off: {', '.join(sorted(names))}")

    def _switch_on(self, names: list[str]) -> None:
        began = time.monotonic()
        started: dict[str, host.Started] = {}
        try:
            for name in names:
                started[name] = host.start(self.place, HOSTS[name])
            cables.plug({name: one.pid for name, one in started.items()})
        except Exception:
            for name, one in started.items():  # Half of them is none: the next try begins anew.
                one.give_up()
                cgroups.kill(self.place.cgroup_of(name))
            raise
        for name, one in started.items():
            self.on[name] = one.pid
            one.go()
        self._cut -= set(names)
        log(f"on: {', '.join(names)} in {time.monotonic() - began:.3f} s")


def main() -> None:
    """Detach from whoever started it, step into namespaces of its own, and be the supervisor there."""
    layout, image = Layout.load(Path(sys.argv[1])), Path(sys.argv[2])
    if os.fork():
        os._exit(0)  # The caller has its answer; the lab outlives it.
    os.setsid()
    os.umask(0o022)  # With 077, as careful people have it, no account of a host but root could enter its own root.
    alive = (layout.folder / ALIVE).open("w")
    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    reaper.part(layout.folder, alive)
    # /proc is still that of whoever started us, and has the number by which the machine knows us.
    outside = int(str(Path("/proc/self").readlink()))
    try:
        (layout.folder / PLACE).mkdir()
        syscalls.unshare(syscalls.NEWNS | syscalls.NEWNET)
        _private_mounts(layout.folder / PLACE)
        asyncio.run(_run(layout, image, outside))
    except Exception:  # noqa: BLE001 - whatever it was, half a lab is none: it ends, and its log says why
        log(traceback.format_exc())
        os._exit(1)
    os._exit(0)  # PID 1 ends, and the kernel ends what is left in its namespaces.


async def _run(layout: Layout, image: Path, outside: int) -> None:
    await Supervisor(layout, image, outside).run()


def _private_mounts(place: Path) -> None:
    syscalls.mount("none", "/", None, syscalls.REC | syscalls.PRIVATE)
    syscalls.mount("proc", "/proc", "proc", syscalls.NOSUID | syscalls.NODEV | syscalls.NOEXEC)
    syscalls.mount("tmpfs", str(place), "tmpfs", 0, "mode=755,size=16m")


if __name__ == "__main__":
    main()
