# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The first process of the lab's namespaces: `python -m drdrill.lab.network.supervisor FOLDER IMAGE DESCRIPTOR`.

It owns the hosts, their disks and power, the cables, and the leases of whatever is struck; `answers.py` lets others ask for
these. It has one thread, so that it can fork. When it dies, the kernel ends everything in its pid namespace, and the reaper
removes the control groups. It holds the lock `alive` in the lab's folder for life: that is what up means.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drdrill.lab.holds import Holds
from drdrill.lab.log import log
from drdrill.lab.network import answers, cables, cgroups, syscalls
from drdrill.lab.network.flaws import SHORT_LEASE_S
from drdrill.lab.network.layout import Layout
from drdrill.lab.network.machines import Machines
from drdrill.lab.network.topology import HOSTS

if TYPE_CHECKING:
    from drdrill.lab.holds import Hold
    from drdrill.lab.protocol import Strike

_AGAIN_S: Final = 1.0
_KERNEL: Final = syscalls.NOSUID | syscalls.NODEV | syscalls.NOEXEC


class Supervisor:
    """One lab.

    Args:
        layout: what it is made of.
        image: the shared root.
        pid: our own, as the machine sees it.
    """

    def __init__(self, layout: Layout, image: Path, pid: int) -> None:
        self.layout = layout
        self.pid = pid
        self.started_ns = time.monotonic_ns()
        self.machines = Machines(layout, image)
        self.holds = Holds(SHORT_LEASE_S if "short-leases" in layout.flaws else None)
        self.end = asyncio.Event()
        self.looks = 0
        self._power = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, up: int) -> None:
        """Raise the lab and serve until `end` is set. `up` is told when somebody can ask. Raises OSError and what hosts raise."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._bury)
        loop.add_signal_handler(signal.SIGTERM, self.end.set)
        self.machines.disks()
        cables.switches()
        self.machines.switch_on(HOSTS)
        server = await answers.serve(self)
        os.write(up, b"up\n")
        os.close(up)
        await self.end.wait()
        server.close()  # Not `async with`: that would wait for clients that keep their connection.

    async def down(self) -> None:
        """End all hosts. `end` is left to the caller, who may still have something to say. Raises TimeoutError."""
        log("down")
        async with self._power:
            await self.machines.switch_off(set(HOSTS))

    def _bury(self) -> None:
        """Wait for the dead: hosts, the children that ask them, and what those left behind."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self.machines.ended(pid, status)

    # ------------------------------------------------------------------ power, freezing, leases

    async def strike(self, strike: Strike) -> Hold:
        """Carry out a strike; the same one again changes nothing. Raises BadRequest, TimeoutError, CableError."""
        hold, new = self.holds.strike(strike, time.monotonic_ns())
        if new and strike.kind == "freeze":
            hold.woken.update(set(strike.hosts) - self.machines.on())
        self.rearm()
        await self.reconcile()
        if new:
            hold.last_ns = time.monotonic_ns()
            log(f"struck {strike.hold}: {strike.kind}, lease {strike.lease_s:g} s")
        return hold

    async def heal(self, hold: str) -> dict[str, Any]:
        """End a hold; its answer as the protocol has it. Raises as `strike`."""
        answer = self.holds.heal(hold, time.monotonic_ns())
        self.rearm()
        await self.reconcile()
        log(f"heal {hold}: {answer['state']}")
        return answer

    def rearm(self) -> None:
        """Set the clock for the next lease that ends."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        end_ns = self.holds.next_end_ns()
        if end_ns is not None:
            self._timer = asyncio.get_running_loop().call_at(end_ns / 1e9, self._lease_ended)

    def _lease_ended(self) -> None:
        for hold in self.holds.lapse(time.monotonic_ns()):
            log(f"the lease of {hold.strike.hold} has run out")
        self.rearm()
        task = asyncio.get_running_loop().create_task(self._heal_all())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _heal_all(self) -> None:
        """Nobody waits for this one, so it is tried until it is done."""
        while not self.end.is_set():
            try:
                await self.reconcile()
            except Exception:  # noqa: BLE001 - whatever it was, the lease has run out all the same
                log(traceback.format_exc())
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    async def reconcile(self) -> None:
        """Make the hosts' power, and who stands still, what the holds say. Raises TimeoutError, CableError, HostError.

        Looks again after each change: they may have ended meanwhile.
        """
        flaws = self.layout.flaws
        async with self._power:
            while True:
                off = set() if "power-is-ignored" in flaws else self.holds.off()
                on = self.machines.on()
                still = set() if "freeze-is-ignored" in flaws else self.holds.still() & on
                if dying := off & on:
                    await self.machines.switch_off(dying)
                    self.holds.power_went(dying)
                elif waking := set(HOSTS) - on - off:
                    self.machines.switch_on([name for name in HOSTS if name in waking])
                elif thawing := self.machines.still - still:
                    await self.machines.thaw(thawing)
                elif freezing := still - self.machines.still:
                    await self.machines.freeze(freezing)
                else:
                    return


def main() -> None:
    """Become the first process of namespaces of our own, then be the supervisor."""
    folder, image, up = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    os.set_inheritable(up, False)
    try:
        _step_aside(folder)
        # Still the /proc of whoever started us: its number for us is the one that others can use.
        pid = int(str(Path("/proc/self").readlink()))
        syscalls.mount("none", "/", None, syscalls.RECURSIVE | syscalls.PRIVATE)
        syscalls.mount("proc", "/proc", "proc", _KERNEL)
        layout = Layout.load(folder)
        layout.publish(pid)

        async def run() -> None:
            await Supervisor(layout, image, pid).run(up)

        asyncio.run(run())
    except Exception as error:  # noqa: BLE001 - whoever waits for us has to hear it, whatever it is
        log(traceback.format_exc())
        with contextlib.suppress(OSError):
            os.write(up, f"{error}\n".encode())
        sys.exit(1)


def _step_aside(folder: Path) -> None:
    """Take the lock, start the reaper, and go on as a child in namespaces of its own; the caller has its answer."""
    lock = os.open(folder / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    subprocess.Popen(
        [sys.executable, "-P", "-m", "drdrill.lab.network.reaper", str(folder)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ).returncode = 0  # Nobody here waits for it.
    cgroups.join(cgroups.of_lab(folder) / cgroups.SUPERVISOR)
    syscalls.unshare(syscalls.NEWNS | syscalls.NEWNET | syscalls.NEWPID)
    if os.fork():
        os._exit(0)
    os.setsid()


if __name__ == "__main__":
    main()
