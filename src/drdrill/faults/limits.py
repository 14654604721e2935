# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every fault asks before it may strike, and how it writes down its way back."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from drdrill.faults.fault import Undo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Reach, Targets


def site_may_go(estate: Estate, site: str) -> str | None:
    """Why this site may not be lost or cut, or None."""
    if estate.limits.sites_down < 1:
        return f"{estate.path}: limits.sites_down is {estate.limits.sites_down}, so no site may be lost or cut"
    others = [s.name for s in estate.sites.values() if s.name != site and not s.votes_only]
    return None if others else f'site "{site}" is the only one that serves; without it nothing is left to fail over to'


def campus_may_go(estate: Estate, campus: str) -> str | None:
    """Why this campus may not be lost or cut, or None."""
    allowed, sites = estate.limits.campuses_down, estate.sites_of(campus)
    if allowed < 1:
        return f"{estate.path}: limits.campuses_down is {allowed}, so no campus may be lost or cut"
    others = [s.name for s in estate.sites.values() if s.name not in sites and not s.votes_only]
    return (
        None if others else f'no site outside of campus "{campus}" serves; without it nothing is left to fail over to'
    )


def recover_command(estate: Estate) -> str:
    """What a person types to heal this estate from the undo log, from any directory."""
    command = f"drdrill recover --estate {shlex.quote(str(estate.path.absolute()))}"
    state = os.environ.get("DRDRILL_STATE")
    return f"DRDRILL_STATE={shlex.quote(os.path.abspath(state))} {command}" if state else command  # noqa: PTH100 - no link is followed


def way_back(
    reach: Reach, fault: Fault, targets: Targets, way_in: Mapping[str, str], params: Mapping[str, Any]
) -> Undo:
    """The undo record of one strike, as data."""
    return Undo(
        fault=fault.name,
        hold=reach.hold,
        drill=reach.drill,
        estate=reach.estate.name,
        title=fault.title,
        hosts=targets.hosts,
        sites=targets.sites,
        why=targets.why,
        way_in=dict(way_in),
        command=recover_command(reach.estate),
        params=dict(params),
    )
