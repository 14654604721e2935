# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""How much of an estate may be broken at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Targets


def beyond(estate: Estate, broken: Iterable[Targets], more: Targets) -> str | None:
    """Why one more fault is too much beside those that are open, or None.

    A fault of a whole site counts once for its site, whatever it has of hosts; a fault of single hosts counts for each.
    """
    everything = [*broken, more]
    sites = {site for targets in everything for site in targets.sites}
    hosts = {host for targets in everything if not targets.sites for host in targets.hosts}
    limits = estate.limits
    if len(sites) > limits.sites_down:
        return (
            f"{len(sites)} sites would be struck at once ({', '.join(sorted(sites))}), and limits.sites_down of "
            f"{estate.path} is {limits.sites_down}; heal one before the next"
        )
    if len(hosts) > limits.hosts_down:
        return (
            f"{len(hosts)} hosts would be struck at once ({', '.join(sorted(hosts))}), and limits.hosts_down of "
            f"{estate.path} is {limits.hosts_down}; heal one before the next"
        )
    return None
