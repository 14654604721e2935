# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Nobody saws off the branch that he sits on: the runner's own machine, and every host that the drill was told it depends on."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

from drdrill.connect.capabilities import Look
from drdrill.drill.guards.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.drill.guards.guard import Case
    from drdrill.estate.model import Host

NOBODYS: Final = "192.0.2.1"
"""An address of documentation, which no machine has. One that can be bound here says that binding proves nothing."""
SSH_PORT: Final = 22


class Standpoint(Guard):
    """A machine is ours when its address is one of ours, or its name is. In a lab every host is on our machine, and none is it.

    Args:
        ours: whether an address is one of this machine's.
    """

    name: ClassVar[str] = "standpoint"

    def __init__(self, ours: Callable[[str], bool] | None = None) -> None:
        self._ours = ours or bound

    def before(self, case: Case) -> Look:
        """True when no host of the strike is one that the drill stands on."""
        told = {host: case.standpoints[host] for host in case.new if host in case.standpoints}
        if told:
            return Look(False, "; ".join(f"{host} is {why}" for host, why in told.items()))
        embedded = case.estate.lab is not None
        for host in case.new:
            if why := self._own(case.estate.hosts[host], embedded=embedded):
                return Look(False, f"{host} is the machine on which this drill runs ({why}); run it from another one")
        return Look(True, "the drill stands on none of these hosts")

    def held(self, case: Case) -> None:
        """Nothing: it does not move."""
        del case

    def _own(self, host: Host, *, embedded: bool) -> str | None:
        names = {socket.gethostname().casefold(), socket.gethostname().partition(".")[0].casefold()}
        if host.name.casefold() in names and not embedded:
            return f"its name is {host.name}"
        for address in _addresses(host):
            if ipaddress.ip_address(address).is_loopback and embedded:
                continue
            if self._ours(address):
                return f"it has the address {address}"
        return None


def _addresses(host: Host) -> Iterator[str]:
    """What the estate file says, and where its shell is; a name is looked up, and one that nobody knows is none."""
    yield from host.addresses
    for url in host.ways.get("shell", ()):
        with contextlib.suppress(ValueError):
            parts = urlsplit(url)
            if parts.hostname and (parts.port or SSH_PORT) == SSH_PORT:  # Another port may be a way to another machine.
                yield from _looked_up(parts.hostname)


def _looked_up(name: str) -> Iterator[str]:
    with contextlib.suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(name, SSH_PORT, type=socket.SOCK_STREAM)
        yield from dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found)


def bound(address: str) -> bool:
    """Whether this machine can bind to it, and not to any other address as well."""
    return _binds(address) and not _binds(NOBODYS)


def _binds(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as tried:
            tried.bind((address, 0))
    except OSError:
        return False
    return True
