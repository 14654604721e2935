# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's one process that is the parent of all others: `python -m drdrill.lab.pocket.supervisor FOLDER`.

It owns the hosts' processes, their power, the links between them and the leases of whatever is struck. `answers.py` lets
others ask for these over a Unix socket. When the supervisor dies, the reaper ends everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drdrill.lab.holds import Holds
from drdrill.lab.log import log
from drdrill.lab.pocket import answers, machines, owner, ssh
from drdrill.lab.pocket.audit import Audit
from drdrill.lab.pocket.echo import EchoService
from drdrill.lab.pocket.flaws import SHORT_LEASE_S
from drdrill.lab.pocket.freezer import Freezer
from drdrill.lab.pocket.layout import FOUNDER, HOSTS, Layout
from drdrill.lab.pocket.net import Net
from drdrill.lab.pocket.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from drdrill.lab.holds import Hold
    from drdrill.lab.protocol import Strike

_SUBREAPER: Final = 36
_AUDIT_S: Final = 1.0
_KEEP_S: Final = 0.2
_LOOK_S: Final = 0.02
_FOUNDING_S: Final = 10.0
_FILES: Final = 65536


class Supervisor:
    """One lab.

    Args:
        layout: what it is made of.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.started_ns = time.monotonic_ns()
        self.machines = machines.machines(layout)
        self.net = Net(layout, lambda host: self.machines[host].booting())
        self.holds = Holds(SHORT_LEASE_S if "short-leases" in layout.flaws else None)
        self.audit = Audit(layout.folder)
        self.freezer = Freezer(layout.folder)
        self.end = asyncio.Event()
        self._echoes = {name: EchoService(layout.private(name, "echo")) for name in HOSTS}
        self._doors = {name: self._door(name) for name in HOSTS}
        self._power = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reaper: subprocess.Popen[bytes] | None = None

    def _door(self, host: str) -> ssh.Door:
        port = self.layout.private(host, "ssh")
        return ssh.Door(
            self.layout.folder, host, self.layout.home(host), port, still=lambda: host in self.freezer.hosts
        )

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Raise the lab and serve until `end` is set. Raises OSError when a port is taken."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._bury)
        self._start_reaper()
        ssh.publish(self.layout.folder, {name: self.layout.private(name, "ssh") for name in HOSTS})
        self.net.open()
        self.apply()
        server = await answers.serve(self)
        self._keep(self._start_all())
        self._keep(self._audit())
        self._keep(self._keep_frozen())
        try:
            await self.end.wait()
        finally:
            server.close()  # Not `async with`: that would wait for clients that keep their connection.

    async def down(self) -> None:
        """End every process but this one. `end` is left to the caller, who may still have something to say."""
        log("down")
        for task in list(self._tasks):
            task.cancel()
        async with self._power:
            for machine in self.machines.values():
                machine.on = False
            self.apply()
            for name in HOSTS:
                self._echoes[name].stop()
                self._doors[name].stop()
            await asyncio.to_thread(sweep, self.layout.folder, {os.getpid()})
            self.net.close()
        if self._reaper is not None:
            reaper, self._reaper = self._reaper, None
            reaper.kill()

    def _start_reaper(self) -> None:
        argv = [sys.executable, "-P", "-m", "drdrill.lab.pocket.reaper", str(self.layout.folder)]
        # Its cwd is elsewhere, so that no sweep takes it for a part of the lab.
        self._reaper = subprocess.Popen(argv, cwd="/", stdin=subprocess.PIPE, start_new_session=True)

    def _bury(self) -> None:
        """Wait for the dead: the hosts' processes, and what they left behind (postgres outlives a killed Patroni)."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if self._reaper is not None and pid == self._reaper.pid:
                    self._reaper.returncode = os.waitstatus_to_exitcode(status)
                    log("the reaper died; starting another")
                    self._start_reaper()
                for machine in self.machines.values():
                    machine.process_ended(pid, status)

    async def _start_all(self) -> None:
        try:
            await self._first_start()
        except Exception:  # noqa: BLE001 - whatever it was, half a lab is none: it ends, and its log says why
            log(traceback.format_exc())
            self.end.set()

    async def _first_start(self) -> None:
        """Links are open from the beginning, so that whoever comes too early is refused and not kept."""
        async with self._power:
            for machine in self.machines.values():
                machine.on = True
            self.apply()
            votes = [name for name in self.machines if "raft" in HOSTS[name].services]
            for name in votes:
                await self._switch_on(name)
            # What only waits for the database is not started beside initdb: two cores have enough to do.
            await self._founded()
            for name in self.machines:
                if name not in votes:
                    await self._switch_on(name)
        await self.reconcile()

    async def _founded(self) -> None:
        port, deadline = self.layout.private(FOUNDER, "pg"), time.monotonic() + _FOUNDING_S
        while port not in owner.listening() and time.monotonic() < deadline:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(_LOOK_S)  # Nobody tells when another process begins to listen.

    async def _audit(self) -> None:
        while True:
            await asyncio.to_thread(self.audit.look)
            await asyncio.sleep(_AUDIT_S)

    async def _keep_frozen(self) -> None:
        while True:
            if self.freezer.hosts and not self._power.locked():
                self.freezer.keep()
            await asyncio.sleep(_KEEP_S)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log("".join(traceback.format_exception(error)))

    # ------------------------------------------------------------------ links, power, leases

    async def strike(self, strike: Strike) -> Hold:
        """Carry out a strike; the same one again changes nothing. Raises BadRequest."""
        hold, new = self.holds.strike(strike, time.monotonic_ns())
        if new and strike.kind == "freeze":
            hold.woken.update(name for name in strike.hosts if not self.machines[name].on)
        self.apply()
        if strike.kind != "links":
            await self.reconcile()
        if new:
            hold.last_ns = time.monotonic_ns()
            log(f"struck {strike.hold}: {strike.kind}, lease {strike.lease_s:g} s")
        return hold

    async def heal(self, hold: str) -> dict[str, Any]:
        """End a hold; its answer as the protocol has it."""
        answer = self.holds.heal(hold, time.monotonic_ns())
        self.apply()
        await self.reconcile()
        log(f"heal {hold}: {answer['state']}")
        return answer

    def apply(self) -> None:
        """Make the links what the holds and the hosts' power say, and set the clock for the next lease that ends."""
        self.holds.lapse(time.monotonic_ns())
        off = {name for name, machine in self.machines.items() if not machine.on}
        frozen = {pair for pair in self.net.links if off.intersection(pair)}
        if "cut-is-ignored" not in self.layout.flaws:
            frozen |= self.holds.frozen()
        self.net.freeze(frozen)
        if self._timer:
            self._timer.cancel()
            self._timer = None
        end_ns = self.holds.next_end_ns()
        if end_ns is not None:
            self._timer = asyncio.get_running_loop().call_at(end_ns / 1e9, self._lease_ended)

    def _lease_ended(self) -> None:
        for hold in self.holds.lapse(time.monotonic_ns()):
            log(f"the lease of {hold.strike.hold} has run out")
        self.apply()
        self._keep(self.reconcile())

    async def reconcile(self) -> None:
        """Make the hosts' power, and who stands still, what the holds say.

        Looks again after each change: they may have ended meanwhile.
        """
        async with self._power:
            while True:
                wanted = set() if "power-is-ignored" in self.layout.flaws else self.holds.off()
                on = {name for name, machine in self.machines.items() if machine.on}
                if dying := wanted & on:
                    await self._switch_off(dying)
                elif waking := set(self.machines) - on - wanted:
                    for name in [name for name in self.machines if name in waking]:
                        await self._switch_on(name)
                elif not await self._refreeze(on):
                    return

    async def _refreeze(self, on: set[str]) -> bool:
        """Freeze or thaw what the holds say. Whether anything had to be done."""
        wanted = set() if "freeze-is-ignored" in self.layout.flaws else self.holds.still() & on
        if thawing := self.freezer.hosts - wanted:
            self.freezer.thaw(thawing)
            log(f"thawed: {', '.join(sorted(thawing))}")
        if freezing := wanted - self.freezer.hosts:
            await self.freezer.freeze(freezing)
            log(f"frozen: {', '.join(sorted(freezing))}")
        return bool(thawing or freezing)

    async def _switch_off(self, names: set[str]) -> None:
        for name in names:
            self.machines[name].on = False
        self.apply()  # Frozen first: nobody hears a goodbye.
        for name in names:
            self._echoes[name].stop()
            self._doors[name].stop()
        await machines.cut_power(self.layout, names)
        self.holds.power_went(names)
        self.freezer.forget(names)
        self.net.host_died(names)
        log(f"off: {', '.join(sorted(names))}")

    async def _switch_on(self, name: str) -> None:
        machine = self.machines[name]
        machine.start()
        await self._echoes[name].start()
        await self._doors[name].start()
        machine.on = True
        self.apply()
        log(f"on: {name}")


def main() -> None:
    """Detach from whoever started it, then be the supervisor."""
    layout = Layout.load(Path(sys.argv[1]))
    if os.fork():
        os._exit(0)  # The caller has its answer; the lab outlives it.
    os.setsid()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    # Every session has two sockets, and what comes over a frozen link waits together: 20 fresh connections a second.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if most == resource.RLIM_INFINITY else min(most, _FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))

    async def run() -> None:
        await Supervisor(layout).run()

    try:
        asyncio.run(run())
    except OSError as error:
        log(f"cannot start: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
