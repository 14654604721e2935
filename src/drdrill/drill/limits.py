# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the estate file allows: how much may be broken at once, what may be touched, and when. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.estate import windows
from drdrill.faults.registry import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Targets


def against(
    estate: Estate, fault: Fault, targets: Targets, broken: Iterable[Targets] = (), *, quorum_loss: bool = False
) -> str | None:
    """Why the limits of the estate do not allow this strike, or None.

    Args:
        estate: with its limits.
        fault: what would be struck.
        targets: where.
        broken: what is down already.
        quorum_loss: whether the sentence expects the loss of quorum.
    """
    limits = estate.limits
    unknown = [name for name in limits.forbidden_faults if name not in FAULTS.names()]
    if unknown:
        # A misspelt limit must never be a missing one.
        known = ", ".join(FAULTS.names())
        return f"{estate.path}: limits.forbidden_faults names {', '.join(unknown)}, and no fault is called so; there are {known}"
    if fault.name in limits.forbidden_faults:
        return f"{estate.path}: limits.forbidden_faults names {fault.name}, so it is never struck here"
    never = [host for host in targets.hosts if host in limits.never_struck]
    if never:
        return f"{estate.path}: limits.never_struck names {', '.join(never)}, and this would strike {_them(never)}"
    if quorum_loss and not limits.quorum_loss:
        return f"{estate.path}: limits.quorum_loss is not true, so no sentence may expect the loss of quorum"
    for service in touched(estate, targets, str(getattr(fault, "service", ""))):
        if words := untouchable(estate, service):
            return words
    return beyond(estate, broken, targets) if fault.takes_down else None


def _them(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"


def touched(estate: Estate, targets: Targets, service: str = "") -> tuple[str, ...]:
    """The services of which something is struck: a host, a member of its database, or an endpoint; and the one that is named."""
    struck, named = set(targets.hosts), estate.service_named(service).name if service else None
    found = []
    for one in estate.services.values():
        hosts = {host for hosts in one.hosts.values() for host in hosts}
        hosts |= set(estate.databases[one.database].nodes) if one.database else set()
        if one.name == named or hosts & struck or set(one.endpoints) & set(targets.sites):
            found.append(one.name)
    return tuple(found)


def untouchable(estate: Estate, service: str) -> str | None:
    """Why this service may not be touched, or None."""
    allowed = estate.limits.services
    if allowed is None or service in allowed:
        return None
    return f'{estate.path}: service "{service}" would be touched, and limits.services allows {", ".join(allowed) or "none"}'


def beyond(estate: Estate, broken: Iterable[Targets], more: Targets) -> str | None:
    """Why one more fault is too much beside those that are open, or None.

    A fault of a whole campus counts once for its campus, one of a whole site once for its site, whatever they have of hosts; a
    fault of single hosts counts for each. Sites that are struck one by one until nothing of their campus is left are a campus.
    """
    everything = [*broken, more]
    limits = estate.limits
    sites = {site for targets in everything if not targets.campuses for site in targets.sites}
    hosts = {host for targets in everything if not targets.sites for host in targets.hosts}
    campuses = {campus for targets in everything for campus in targets.campuses}
    campuses |= _whole(estate, {site for targets in everything for site in targets.sites})
    counted = (
        ("campuses", campuses, limits.campuses_down),
        ("sites", sites, limits.sites_down),
        ("hosts", hosts, limits.hosts_down),
    )
    for what, struck, allowed in counted:
        if len(struck) > allowed:
            return (
                f"{len(struck)} {what} would be struck at once ({', '.join(sorted(struck))}), and limits.{what}_down of "
                f"{estate.path} is {allowed}; heal one before the next"
            )
    return None


def _whole(estate: Estate, sites: set[str]) -> set[str]:
    """The campuses of more than one site of which every site is struck."""
    of = {site.campus: estate.sites_of(site.campus) for site in estate.sites.values()}
    return {campus for campus, these in of.items() if len(these) > 1 and set(these) <= sites}


def left_s(estate: Estate, now: datetime, needed_s: float = 0.0) -> float | None:
    """How long something may be broken before it has to be healed, so that the drill ends inside the window.

    Args:
        estate: with its windows.
        now: with a time zone.
        needed_s: what healing and recovery may take.

    Returns:
        None where no window limits it; 0 or less where nothing may be struck any more.
    """
    if estate.limits.windows is None:
        return None
    end = windows.closes(estate.limits.windows, now)
    return 0.0 if end is None else (end - now).total_seconds() - needed_s


def outside(estate: Estate, now: datetime, needed_s: float = 0.0) -> str | None:
    """Why nothing may be struck at this time, or None."""
    allowed, left = estate.limits.windows, left_s(estate, now, needed_s)
    if allowed is None or left is None or left > 0:
        return None
    end, following = windows.closes(allowed, now), windows.opens(allowed, now)
    again = (
        f"it opens next on {windows.shown(allowed, following[0])}" if following else "it does not open within a year"
    )
    if end is None:
        why = windows.why_closed(allowed, now)
        closed = f"the window for drills is closed now ({windows.shown(allowed, now)}{f', {why}' if why else ''})"
        return f"{estate.path}: {closed}; {again}"
    return (
        f"{estate.path}: the window for drills closes at {windows.shown(allowed, end)}, and healing and recovery may take "
        f"{needed_s:.0f} s, so nothing is struck any more; {again}"
    )
