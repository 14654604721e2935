# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hosts' processes: what each host runs, how it is started and how it loses its power."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from drdrill.lab.ask import get
from drdrill.lab.folder import write_private
from drdrill.lab.pocket import owner, postgresql
from drdrill.lab.pocket.layout import DATABASE, HOSTS, Host, Layout
from drdrill.lab.pocket.sweep import kill_once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LOOK_S: Final = 0.02
_SURE: Final = 2
_DYING_S: Final = 20.0
_ASK_S: Final = 1.0
_BOOT_S: Final = 5.0
"""So long after its start a host's services may still be on their way: callers wait instead of being refused."""

_OTHERS = ("PG", "PATRONI_", "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Variables of the person who starts the lab that would change what its programs do."""


class Machine:
    """One host. `on` is False from just before its power goes until its processes were started again."""

    def __init__(self, host: Host, layout: Layout) -> None:
        self.host = host
        self.layout = layout
        self.on = False
        self.running: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        self.ended: dict[str, int] = {}
        self._started_ns = 0
        self._starts = 0

    def start(self) -> None:
        """Start what this host runs, with the data that it has."""
        home = self.layout.home(self.host.name)
        home.mkdir(mode=0o700, exist_ok=True)
        self.ended.clear()
        self._started_ns = time.monotonic_ns()
        self._starts += 1
        for name, argv in self._commands():
            process = self._spawn(argv, self.layout.folder / f"{self.host.name}.{name}.log")
            self.running[process.pid] = (name, process)

    def booting(self) -> bool:
        """Whether callers should wait for its services: only after a power on, when the others run already.

        At the first start they all wait for one another, and a quick refusal brings them on.
        """
        return self._starts > 1 and time.monotonic_ns() - self._started_ns < _BOOT_S * 1e9

    def process_ended(self, pid: int, status: int) -> None:
        """One of its processes ended by itself or was killed."""
        if pid not in self.running:
            return
        name, process = self.running.pop(pid)
        process.returncode = os.waitstatus_to_exitcode(status)  # Waited for already: it must not wait again.
        if self.on:
            self.ended[name] = process.returncode

    async def missing(self) -> list[str]:
        """What keeps this host from being ready, in words; empty when nothing does."""
        return await self.missing_processes() or await self._unready()

    async def missing_processes(self) -> list[str]:
        """The same without asking any service."""
        if not self.on:
            return ["it is off"]
        return [f"{name} has ended (status {status})" for name, status in self.ended.items()]

    async def _unready(self) -> list[str]:
        name = self.host.name
        if self.host.role == "database":
            status, body = await get(self.layout.private(name, "rest"), "/patroni", _ASK_S)
            if status is None:
                return ["Patroni does not answer"]
            role, state = body.get("role"), body.get("replication_state") or body.get("state")
            good = (role == "primary" and state == "running") or (role == "replica" and state == "streaming")
            return [] if good else [f"PostgreSQL is {role}, {state}"]
        if self.host.role == "arbitrator":
            port = self.layout.private(name, "raft")
            return [] if port in owner.listening() else ["its vote does not listen"]
        if "http" in self.host.services:
            status, body = await get(self.layout.private(name, "http"), "/healthz", 2 * _ASK_S)
            if status is None:
                return ["it does not answer"]
            return [] if status == 200 else [str(body.get("why", f"status {status}"))]  # noqa: PLR2004 - OK
        return []

    def _commands(self) -> Sequence[tuple[str, list[str]]]:
        python = [sys.executable, "-P", "-m"]
        ttl = str(self.layout.ttl)
        match self.host.role:
            case "database":
                self._config("patroni.json", postgresql.patroni_config(self.layout, self.host.name))
                write_private(self.layout.home(self.host.name) / "seed.sql", postgresql.seed(self.layout))
                return [
                    ("patroni", [*python, "drdrill.lab.pocket.node", "member", ttl, "patroni.json", *self._after()])
                ]
            case "arbitrator":
                self._config("patroni.json", postgresql.patroni_config(self.layout, self.host.name))
                return [("voter", [*python, "drdrill.lab.pocket.node", "voter", ttl, "patroni.json"])]
            case "application":
                self._config("app.json", _app_config(self.layout, self.host))
                return [("registration", [*python, "drdrill.lab.registration", "app.json"])]
            case "entry":
                self._config("entry.json", _entry_config(self.layout, self.host))
                return [("entry", [*python, "drdrill.lab.entry", "entry.json"])]
        return []

    def _after(self) -> list[str]:
        """At the first start: the port of the vote that comes before this one in the order in which they call each other."""
        votes = [host.name for host in HOSTS.values() if "raft" in host.services]
        before = votes[: votes.index(self.host.name)][-1:] if self._starts == 1 else []
        return [str(self.layout.private(name, "raft")) for name in before]

    def _config(self, name: str, content: dict[str, Any]) -> None:
        write_private(self.layout.home(self.host.name) / name, json.dumps(content, indent=1))

    def _spawn(self, argv: list[str], log: Path) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_OTHERS)}
        environment |= {"PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            return subprocess.Popen(
                argv,
                cwd=self.layout.home(self.host.name),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            os.close(output)


async def cut_power(layout: Layout, hosts: set[str]) -> None:
    """SIGKILL to everything on these hosts, until nothing is left. Raises TimeoutError when something does not go."""
    clean, deadline = 0, time.monotonic() + _DYING_S
    while clean < _SURE:
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes of {', '.join(sorted(hosts))} do not end within {_DYING_S:g} s of SIGKILL")
        clean = 0 if kill_once(layout.folder, hosts) else clean + 1
        await asyncio.sleep(_LOOK_S)


def machines(layout: Layout) -> dict[str, Machine]:
    """All hosts of a lab, off."""
    return {name: Machine(host, layout) for name, host in HOSTS.items()}


def _app_config(layout: Layout, host: Host) -> dict[str, Any]:
    databases = [h.name for h in HOSTS.values() if h.role == "database"]
    return {
        "site": host.site,
        "port": layout.private(host.name, "http"),
        "databases": {name: _ports(layout, host, HOSTS[name]) for name in databases},
        "login": {"user": "registration", "password": layout.passwords["registration"], "dbname": DATABASE},
        "flaws": list(layout.flaws),
    }


def _ports(layout: Layout, app: Host, database: Host) -> dict[str, int]:
    """How an application reaches a database: over the link, unless the lab is flawed."""
    ports = {kind: layout.link(app.name, database.name, kind) for kind in ("pg", "rest")}
    if "around-the-links" in layout.flaws and app.site != database.site:
        ports["pg"] = layout.private(database.name, "pg")
    return ports


def _entry_config(layout: Layout, host: Host) -> dict[str, Any]:
    apps = sorted((h for h in HOSTS.values() if h.role == "application"), key=lambda h: h.site != host.site)
    own, backup = (layout.link(host.name, app.name, "http") for app in apps)
    return {"port": layout.private(host.name, "http"), "own": own, "backup": backup, "flaws": list(layout.flaws)}
