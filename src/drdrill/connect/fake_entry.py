# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The entries and shells of the fake estate, as thin as real ones, on top of the world that holds the truth."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from drdrill.connect.capabilities import Look, Ran, Server
from drdrill.connect.fake import _Fake
from drdrill.connect.fake_world import World
from drdrill.errors import Unreachable, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.connect.capabilities import Lease, Pair
    from drdrill.estate.model import Estate


class FakeEntry(_Fake):
    """Entries of the fake estate: each sends to the application hosts of its services, those of other sites as backup."""

    kind = "entry"

    def servers(self, host: str) -> Sequence[Server]:
        """Look at the world."""
        with self.world.looking("entry.servers", host):
            drained = {server for entry, server in self.world.drained_ways() if entry == host}
            silent = self.world.off_hosts() | self.world.still_hosts()
        site = self.estate.host_named(host).site
        behind = dict.fromkeys(
            server
            for service in self.estate.services.values()
            if host in service.hosts.get("entry", ())
            for server in service.hosts.get("application", ())
        )
        return [
            Server(
                name,
                "drained" if name in drained else "down" if name in silent else "up",
                backup=self.estate.hosts[name].site != site,
                sessions=0,
            )
            for name in behind
        ]

    def drain(self, hold: str, drill: str, ways: Sequence[Pair], lease_s: float, hard_end_s: float) -> Lease:
        """Drain."""
        with self.world.changing("entry.drain", hold, drill, tuple(ways)):
            return self.world.strike(
                "entry", hold, drill, targets=[list(w) for w in ways], lease_s=lease_s, hard_s=hard_end_s
            )

    def restore(self, hold: str) -> Lease:
        """Give work again."""
        with self.world.changing("entry.restore", hold):
            return self.world.end(hold)

    def is_drained(self, hold: str, ways: Sequence[Pair]) -> Look:
        """Look at the world."""
        with self.world.looking("entry.is_drained", hold, tuple(ways)):
            drained = self.world.drained_ways(hold) & set(ways)
        answer = True if len(drained) == len(set(ways)) else None if drained else False
        counts = {"drained": len(drained), "ways": len(ways)}
        return Look(answer, f"{len(drained)} of {len(ways)} servers get no new work by {hold}", counts)

    def holders(self, address: str, hosts: Sequence[str]) -> Sequence[str]:
        """Whom the world names for this address, and otherwise the first of these hosts that can answer."""
        with self.world.looking("entry.holders", address, tuple(hosts)):
            awake = [h for h in hosts if h not in self.world.off_hosts() | self.world.still_hosts()]
            named = self.world.answering.get(address)
        return awake[:1] if named is None else [host for host in named if host in awake]


class FakeShell:
    """Shells of the fake estate: nothing runs anywhere. A command ends as the world was told, and otherwise well."""

    name = "fake"

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.world = World.of(estate)

    def supports(self, hosts: Sequence[str]) -> bool:
        """Whether all these hosts are in the estate."""
        return all(host in self.estate.hosts for host in hosts)

    def ready(self, hosts: Sequence[str]) -> Look:
        """Unless a host is off, stands still or is not well."""
        wrong = []
        for host in hosts:
            try:
                self.run(host, "true")
            except (Unreachable, WayInFailed) as error:
                wrong.append(str(error))
        return Look(not wrong, "; ".join(wrong) or f"{len(hosts)} hosts of the fake answer")

    def run(self, host: str, command: str, *, within_s: float = 10.0, root: bool = False, given: str = "") -> Ran:
        """What the world says about this command. Raises Unreachable, WayInFailed like a real one, and without waiting."""
        with self.world.looking("shell.run", host, command, root, given):
            off, still = self.world.off_hosts(), self.world.still_hosts()
        if host in off or host in self.world.broken:
            raise Unreachable(f"{host}: {self.world.broken.get(host, 'it is off')}")
        if host in still:
            raise WayInFailed(f"{host}: `{command}` did not end within {within_s:g} s")
        return self.world.ran.get((host, command), Ran(0, "", "", 0.0))

    def talk(self, host: str, command: str, *, root: bool = False) -> subprocess.Popen[bytes]:
        """A program of ours runs for real, in a folder of this host beside the estate file; else all is said back."""
        self.run(host, command, root=root)
        if command.startswith("python3 -c "):
            own = self.estate.path.parent / f"{self.estate.name}.fake" / host
            argv = [*shlex.split(command), str(own)]
            return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        return subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        """Nothing is open."""
