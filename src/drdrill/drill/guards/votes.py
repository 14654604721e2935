# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The majority: of the hosts that vote, more than half must be left, outside of all that is struck."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drdrill.connect.capabilities import Look
from drdrill.drill.guards.guard import Guard, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from drdrill.drill.guards.guard import Case
    from drdrill.engines.engine import Member
    from drdrill.estate.model import Estate


class Votes(Guard):
    """Votes are those of the estate file (`votes: true`); whether a voter is there is asked, of its engine where it is a member."""

    name: ClassVar[str] = "votes"
    lifted: ClassVar[bool] = True

    def before(self, case: Case) -> Look:
        """True when the voters that are up and not struck are a majority, or nothing that votes is struck."""
        voters = voters_of(case.estate)
        if not voters:
            return Look(True, "no host of the estate file has `votes: true`, so votes are not counted")
        if not set(voters) & (set(case.new) or case.gone):
            return Look(True, "nothing that votes is struck")
        left = [host for host in voters if host not in case.gone]
        ill = {m.host: Look(False, m.words) for m in _members(case) if m.role == "unknown" or not m.healthy}
        return _counted(voters, case.well(left) | {host: look for host, look in ill.items() if host in left})

    def held(self, case: Case) -> Look | None:
        """The same, while something that votes is struck. A member that answers is there, whatever a failover does to it."""
        voters = voters_of(case.estate)
        if not set(voters) & case.gone:
            return None
        left = [host for host in voters if host not in case.gone]
        members = {m.host: Look(m.role != "unknown", m.words) for m in _members(case) if m.host in left}
        return _counted(voters, case.well(host for host in left if host not in members) | members)


def voters_of(estate: Estate) -> tuple[str, ...]:
    """The hosts that vote."""
    return tuple(host.name for host in estate.hosts.values() if host.votes)


def majority_gone(estate: Estate, gone: Collection[str]) -> str | None:
    """Why the majority would be gone if everything else is well, or None. Pure."""
    voters = voters_of(estate)
    if not set(voters) & set(gone):
        return None
    left = [host for host in voters if host not in gone]
    return None if _enough(left, voters) else _words(left, voters)


def _counted(voters: Collection[str], seen: Mapping[str, Look]) -> Look:
    left = [host for host, look in seen.items() if look.answer is True]
    away = {host: look for host, look in seen.items() if look.answer is not True}
    counts = {"voters": len(voters), "left": len(left)}
    words = _words(left, voters) + (f"; not there: {listed(away)}" if away else "")
    return Look(_enough(left, voters), words, counts)


def _members(case: Case) -> list[Member]:
    return [m for name in case.estate.databases for m in case.members(name)]


def _enough(left: Collection[str], voters: Collection[str]) -> bool:
    return 2 * len(left) > len(voters)


def _words(left: Collection[str], voters: Collection[str]) -> str:
    which = f" ({', '.join(left)})" if left else ""
    return f"{len(left)} of {len(voters)} votes{which} would be left; a majority is {len(voters) // 2 + 1}"
