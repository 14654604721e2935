# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Waits in a process of its own until a lab is whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drdrill.lab.network import readiness, syscalls
from drdrill.lab.network.topology import SERVING

if TYPE_CHECKING:
    from drdrill.lab.network.layout import Layout

_LOOK_S: Final = 0.05
_OUTER: Final = "/proc/1/ns/net"
"""The supervisor is the first process of the lab's pid namespace."""


def until_whole(layout: Layout, client: str, within_s: float) -> dict[str, list[str]]:
    """Wait until nothing is missing: what was missing at the last look, by host or site.

    Args:
        layout: the lab's.
        client: the path of the client's network namespace. The caller stands in the lab's outer one.
        within_s: so long at most.
    """
    deadline = time.monotonic() + within_s
    while True:
        lacks = _lacks(layout, client)
        if not lacks or time.monotonic() > deadline:
            return lacks
        time.sleep(_LOOK_S)  # The steps are other programs'; they can only be asked.


def _lacks(layout: Layout, client: str) -> dict[str, list[str]]:
    syscalls.enter_network(client)
    try:
        lacks = {
            f"site {site}": ["its own application acknowledges no registration"]
            for site in SERVING
            if readiness.application_of(site) != site
        }
    finally:
        syscalls.enter_network(_OUTER)
    return lacks or {host: what for host, what in readiness.missing(layout).items() if what}
