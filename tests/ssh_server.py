# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Real SSH servers for tests, one for each host of an estate, in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from estates import fake_estate

from drdrill.estate.model import Ssh
from drdrill.lab.pocket.ssh import Door, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Servers:
    """The hosts' servers. `still` are the hosts that stand still."""

    def __init__(self, folder: Path, hosts: list[str]) -> None:
        self.folder = folder
        self.hosts = hosts
        self.ports = {host: free_port() for host in hosts}
        self.still: set[str] = set()
        publish(folder, self.ports)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._doors = {host: self._door(host) for host in hosts}
        for host in hosts:
            self.on(host)

    def _door(self, host: str) -> Door:
        (home := self.folder / host).mkdir()
        return Door(self.folder, host, home, self.ports[host], lambda: host in self.still)

    def on(self, host: str) -> None:
        asyncio.run_coroutine_threadsafe(self._doors[host].start(), self._loop).result(10)

    def off(self, host: str) -> None:
        self.call(self._doors[host].stop)

    def call(self, work: Callable[[], None]) -> None:
        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def close(self) -> None:
        for host in self.hosts:
            self.off(host)

        async def rest() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(rest(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def estate(self, folder: Path, *, sudo: bool = False) -> Estate:
        """The fake estate, its hosts reached here."""
        estate = fake_estate(folder)
        urls = {host: (f"ssh://127.0.0.1:{port}",) for host, port in self.ports.items()}
        hosts = {
            name: replace(host, ways={**host.ways, "shell": urls[name]}) if name in urls else host
            for name, host in estate.hosts.items()
        }
        return replace(estate, hosts=hosts, ssh=Ssh(str(self.folder / "ssh_config"), sudo))


@contextlib.contextmanager
def servers(folder: Path, *hosts: str) -> Iterator[Servers]:
    """Raise them and end them."""
    found = Servers(folder, list(hosts))
    try:
        yield found
    finally:
        found.close()
