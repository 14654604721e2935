# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's one process that is the parent of all others: `python -m drdrill.lab.pocket.supervisor FOLDER`.

It owns the hosts' processes, their power, the links between them and the leases of whatever is struck, and answers the
protocol of `drdrill.lab.protocol` on its Unix socket. When it dies, the reaper ends everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from drdrill.lab import protocol
from drdrill.lab.holds import Holds
from drdrill.lab.pocket import machines, owner
from drdrill.lab.pocket.audit import Audit
from drdrill.lab.pocket.echo import EchoService
from drdrill.lab.pocket.layout import HOSTS, SITES, VANTAGES, Layout, ends
from drdrill.lab.pocket.net import Net
from drdrill.lab.pocket.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_SUBREAPER: Final = 36
_SHORT_LEASE_S: Final = 4.0
_AUDIT_S: Final = 1.0
_LOOK_S: Final = 0.02
_VOTES_S: Final = 10.0
_FILES: Final = 65536

FLAWS: Final = {
    "asynchronous-replication": "the database acknowledges before its standby has the write",
    "cut-is-ignored": "a strike on links is answered and does nothing",
    "power-is-ignored": "a strike on power is answered and does nothing",
    "short-leases": f"every hold ends {_SHORT_LEASE_S:g} s after its strike, whatever was answered",
}
"""What can be wrong with this lab on purpose, for a drill to catch."""


class Supervisor:
    """One lab.

    Args:
        layout: what it is made of.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.machines = machines.machines(layout)
        self.net = Net(layout, lambda host: self.machines[host].booting())
        self.holds = Holds(_SHORT_LEASE_S if "short-leases" in layout.flaws else None)
        self.audit = Audit(layout.folder)
        self._echoes = {name: EchoService(layout.private(name, "echo")) for name in HOSTS}
        self._started_ns = time.monotonic_ns()
        self._power = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._end = asyncio.Event()
        self._reaper: subprocess.Popen[bytes] | None = None
        self._answers: dict[str, dict[str, Any]] = {}

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Raise the lab and serve until `down`. Raises OSError when a port is taken."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._children)
        self._start_reaper()
        self.net.open()
        self._apply()
        server = await asyncio.start_unix_server(
            self._serve, sock=_listen(self.layout.folder), limit=protocol.LONGEST_LINE
        )
        self._keep(self._start_all())
        self._keep(self._audit())
        async with server:
            await self._end.wait()

    def _start_reaper(self) -> None:
        argv = [sys.executable, "-P", "-m", "drdrill.lab.pocket.reaper", str(self.layout.folder)]
        # Its cwd is elsewhere, so that no sweep takes it for a part of the lab.
        self._reaper = subprocess.Popen(argv, cwd="/", stdin=subprocess.PIPE, start_new_session=True)

    def _children(self) -> None:
        """Bury the dead: the hosts' processes, and what they left behind (postgres outlives a killed Patroni)."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if self._reaper is not None and pid == self._reaper.pid:
                    self._reaper.returncode = os.waitstatus_to_exitcode(status)
                    _log("the reaper died; starting another")
                    self._start_reaper()
                for machine in self.machines.values():
                    machine.process_ended(pid, status)

    async def _start_all(self) -> None:
        """The first start: links are open from the beginning, so that whoever comes too early is refused and not kept."""
        async with self._power:
            for machine in self.machines.values():
                machine.on = True
            self._apply()
            for name in sorted(self.machines, key=lambda name: "raft" not in HOSTS[name].services):
                await self._switch_on(name)
                if "raft" in HOSTS[name].services:
                    await self._votes(name)
        await self._reconcile()

    async def _votes(self, name: str) -> None:
        """Wait until this host's vote listens. One that calls another too early tries again only 5 s later (pysyncobj)."""
        port, deadline = self.layout.private(name, "raft"), time.monotonic() + _VOTES_S
        while port not in owner.listening() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)  # Nobody tells when another process begins to listen.

    async def _audit(self) -> None:
        while True:
            await asyncio.to_thread(self.audit.look)
            await asyncio.sleep(_AUDIT_S)

    # ------------------------------------------------------------------ power, links, leases

    def _apply(self) -> None:
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
            _log(f"the lease of {hold.strike.hold} has run out")
        self._apply()
        self._keep(self._reconcile())

    async def _reconcile(self) -> None:
        """Make the hosts' power what the holds say. Looks again after each change: they may have ended meanwhile."""
        async with self._power:
            while True:
                wanted = set() if "power-is-ignored" in self.layout.flaws else self.holds.off()
                on = {name for name, machine in self.machines.items() if machine.on}
                if dying := wanted & on:
                    await self._switch_off(dying)
                elif waking := set(self.machines) - on - wanted:
                    for name in [name for name in self.machines if name in waking]:
                        await self._switch_on(name)
                else:
                    return

    async def _switch_off(self, names: set[str]) -> None:
        for name in names:
            self.machines[name].on = False
        self._apply()  # Frozen first: nobody hears a goodbye.
        for name in names:
            self._echoes[name].stop()
        await machines.cut_power(self.layout, names)
        self.net.host_died(names)
        _log(f"off: {', '.join(sorted(names))}")

    async def _switch_on(self, name: str) -> None:
        machine = self.machines[name]
        machine.start()
        await self._echoes[name].start()
        machine.on = True
        self._apply()
        _log(f"on: {name}")

    # ------------------------------------------------------------------ the protocol

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: a line beyond the limit; the caller is cut off.
            while line := await reader.readline():
                answer = await self._answer(line)
                try:
                    writer.write(protocol.encode(answer))
                    await writer.drain()
                finally:
                    if answer.get("down"):
                        self._end.set()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            message = protocol.decode(line)
            what = protocol.text(message, "do")
            return {"ok": True} | await self._handler(what)(message)
        except protocol.BadRequest as error:
            return {"ok": False, "error": str(error)}
        except Exception as error:  # noqa: BLE001 - one bad request must not end the lab
            _log(traceback.format_exc())
            return {"ok": False, "error": f"the supervisor failed: {type(error).__name__}: {error}"}

    def _handler(self, what: str) -> Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]:
        known = self._handlers()
        if what not in known:
            raise protocol.BadRequest(f'"{what}" is nothing that can be done here; there are {", ".join(known)}')
        return known[what]

    def _handlers(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]]:
        return {
            "hello": self._hello,
            "strike": self._strike,
            "renew": self._renew,
            "heal": self._heal,
            "revoke": self._revoke,
            "holds": self._show_holds,
            "links": self._show_links,
            "hosts": self._show_hosts,
            "address": self._address,
            "audit": self._show_audit,
            "down": self._down,
        }

    async def _hello(self, _message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "lab": "pocket",
            "protocol": protocol.PROTOCOL,
            "version": _version(),
            "pid": os.getpid(),
            "started_ns": self._started_ns,
            "sites": list(SITES),
            "hosts": {host.name: {"site": host.site, "role": host.role} for host in HOSTS.values()},
            "vantages": dict(VANTAGES),
            "links": "user-space",
            "flaws": list(self.layout.flaws),
            "notes": list(self.layout.notes),
            "folder": str(self.layout.folder),
        }

    async def _strike(self, message: Mapping[str, Any]) -> dict[str, Any]:
        strike = protocol.strike_of(message, dict.fromkeys(ends()), HOSTS)
        first_ns = time.monotonic_ns()
        hold, new = self.holds.strike(strike, first_ns)
        if not new:
            return self._answers[strike.hold]
        self._apply()
        if strike.kind == "power":
            await self._reconcile()
        answer = {
            "hold": strike.hold,
            "lease_s": (hold.until_ns - hold.struck_ns) / 1e9,
            "first_ns": first_ns,
            "last_ns": time.monotonic_ns(),
        }
        self._answers[strike.hold] = answer
        _log(f"struck {strike.hold}: {strike.kind}, lease {answer['lease_s']:g} s")
        return answer

    async def _renew(self, message: Mapping[str, Any]) -> dict[str, Any]:
        hold, lease_s = protocol.text(message, "hold"), protocol.seconds(message, "lease_s")
        answer = self.holds.renew(hold, lease_s, time.monotonic_ns())
        self._apply()
        return answer

    async def _heal(self, message: Mapping[str, Any]) -> dict[str, Any]:
        hold = protocol.text(message, "hold")
        answer = self.holds.heal(hold, time.monotonic_ns())
        self._apply()
        await self._reconcile()
        _log(f"heal {hold}: {answer['state']}")
        return answer

    async def _revoke(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.holds.revoke(protocol.text(message, "drill"))
        return {}

    async def _show_holds(self, message: Mapping[str, Any]) -> dict[str, Any]:
        drill = protocol.text(message, "drill") if message.get("drill") is not None else None
        return {"holds": self.holds.show(drill, time.monotonic_ns())}

    async def _show_links(self, message: Mapping[str, Any]) -> dict[str, Any]:
        pairs = (
            self.net.links
            if message.get("pairs") is None
            else protocol.pairs_of(message["pairs"], dict.fromkeys(ends()))
        )
        return {"links": self.net.show(pairs)}

    async def _show_hosts(self, _message: Mapping[str, Any]) -> dict[str, Any]:
        missing = await asyncio.gather(*(machine.missing() for machine in self.machines.values()))
        counts = dict.fromkeys(self.machines, 0)
        for process in owner.processes(self.layout.folder):
            if process.host in counts:
                counts[process.host] += 1
        return {
            "hosts": {
                name: {
                    "site": machine.host.site,
                    "role": machine.host.role,
                    "on": machine.on,
                    "processes": counts[name],
                    "ready": not lacks,
                    "missing": lacks,
                }
                for (name, machine), lacks in zip(self.machines.items(), missing, strict=True)
            }
        }

    async def _address(self, message: Mapping[str, Any]) -> dict[str, Any]:
        source = protocol.text(message, "from")
        if source not in ends():
            raise protocol.BadRequest(f"nobody is at {source!r}; there are {', '.join(ends())}")
        url = urlsplit(protocol.text(message, "url")) if message.get("url") is not None else None
        host = protocol.known_host(url.hostname if url else message.get("host"), HOSTS)
        service = "http" if url else protocol.text(message, "service")
        try:
            own = source == host
            port = self.layout.private(host, service) if own else self.layout.link(source, host, service)
        except KeyError:
            raise protocol.BadRequest(f"{source} does not reach a service {service!r} of {host}") from None
        answer: dict[str, Any] = {"host": "127.0.0.1", "port": port}
        if url:
            answer["url"] = url._replace(netloc=f"127.0.0.1:{port}").geturl()
        return answer

    async def _show_audit(self, _message: Mapping[str, Any]) -> dict[str, Any]:
        return self.audit.show() | {"unknown_callers": self.net.unknown_callers}

    async def _down(self, _message: Mapping[str, Any]) -> dict[str, Any]:
        _log("down")
        for task in list(self._tasks):
            task.cancel()
        async with self._power:
            for machine in self.machines.values():
                machine.on = False
            self._apply()
            for echo in self._echoes.values():
                echo.stop()
            await asyncio.to_thread(sweep, self.layout.folder, {os.getpid()})
            self.net.close()
        if self._reaper is not None:
            reaper, self._reaper = self._reaper, None
            reaper.kill()
        return {"down": True}

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log("".join(traceback.format_exception(error)))


def _listen(folder: Path) -> socket.socket:
    """The control socket, for its owner only. Bound through the opened folder: a socket's path may hold 107 bytes."""
    sock = socket.socket(socket.AF_UNIX)
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    before = os.umask(0o177)
    try:
        sock.bind(f"/proc/self/fd/{directory}/{protocol.SOCKET}")
    finally:
        os.umask(before)
        os.close(directory)
    sock.listen(64)
    return sock


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    with contextlib.suppress(PackageNotFoundError):
        return version("drdrill")
    return "unknown"


def _log(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)  # noqa: T201 - its log file


def main() -> None:
    """Detach from whoever started it, then be the supervisor."""
    layout = Layout.load(Path(sys.argv[1]))
    if os.fork():
        os._exit(0)  # The caller has its answer; the lab outlives it.
    os.setsid()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    # Every session has two sockets; 20 fresh connections a second wait together while a link is frozen.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if most == resource.RLIM_INFINITY else min(most, _FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))

    async def run() -> None:
        await Supervisor(layout).run()

    try:
        asyncio.run(run())
    except OSError as error:
        _log(f"cannot start: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
