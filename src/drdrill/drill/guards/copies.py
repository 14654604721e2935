# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The last good copy of the data is never taken: outside of all that is struck, one member has everything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from drdrill.connect.capabilities import Look
from drdrill.drill.guards.guard import Guard
from drdrill.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from drdrill.drill.guards.guard import Case
    from drdrill.engines.engine import Member
    from drdrill.estate.model import Estate

SETTLE_S: Final = 3.0
"""How long a replica may take to have what the writer had when it was asked: clients write all the while."""
AGAIN_S: Final = 0.2


class Copies(Guard):
    """A copy is good when it is a writer's, or when it soon has all that the writer had at the question."""

    name: ClassVar[str] = "copies"
    lifted: ClassVar[bool] = True

    def before(self, case: Case) -> Look:
        """True when each database of which a member is struck keeps a good copy."""
        struck = set(case.new) or case.gone
        looks = [_kept(case, name) for name, d in case.estate.databases.items() if set(d.nodes) & struck]
        return _worst(looks) or Look(True, "no member of a database is struck")

    def held(self, case: Case) -> Look | None:
        """Whether a member that is not struck still answers. A failover may be going on, so it need not be a writer yet."""
        return _worst([_heard(case, name) for name, d in case.estate.databases.items() if set(d.nodes) & case.gone])


def last_copy_gone(estate: Estate, gone: Collection[str]) -> str | None:
    """Which database would have no member left at all, or None. Pure."""
    struck = [d for d in estate.databases.values() if set(d.nodes) & set(gone)]
    bare = [d.name for d in struck if set(d.nodes) <= set(gone)]
    return f"no member of database {', '.join(bare)} would be left, and so no copy of its data" if bare else None


def _left(case: Case, database: str) -> Sequence[Member]:
    return [m for m in case.members(database) if m.host not in case.gone]


def _kept(case: Case, database: str) -> Look:
    left = _left(case, database)
    writer = next((m.host for m in left if m.role == "writer" and m.healthy), None)
    if writer:
        return Look(True, f"{writer} writes database {database} and is left")
    replicas = [m for m in left if m.role == "replica" and m.healthy]
    if not replicas:
        away = "; ".join(f"{m.host}: {m.words}" for m in left)
        return Look(False, f"no copy of database {database} would be left{f' ({away})' if away else ''}")
    return _caught_up(case, database, [m.host for m in replicas])


def _caught_up(case: Case, database: str, replicas: Sequence[str]) -> Look:
    engine = case.asks.engine(database)
    try:
        since = engine.position()
    except DrdrillError as error:
        # Nobody says what everything is, so nobody can say that a replica has it.
        return Look(None, f"it cannot be told whether {', '.join(replicas)} has all of database {database}: {error}")
    end = time.monotonic() + SETTLE_S
    while True:
        looks = {host: engine.settled(host, since) for host in replicas}
        good = [host for host, look in looks.items() if look.answer is True]
        if good:
            return Look(True, f"{', '.join(good)} has all of database {database} and is left", {"copies": len(good)})
        if time.monotonic() >= end:
            words = "; ".join(f"{host}: {look.words}" for host, look in looks.items())
            lost = any(look.answer is False for look in looks.values())
            return Look(
                False if lost else None, f"no copy of database {database} that has everything would be left ({words})"
            )
        time.sleep(AGAIN_S)  # Nothing announces that a replica has caught up.


def _heard(case: Case, database: str) -> Look:
    left = _left(case, database)
    heard = [m.host for m in left if m.role != "unknown"]
    if heard:
        return Look(True, f"{', '.join(heard)} of database {database} answers")
    away = "; ".join(f"{m.host}: {m.words}" for m in left) or "all are struck"
    return Look(False, f"no member of database {database} that is not struck answers ({away})")


def _worst(looks: Sequence[Look]) -> Look | None:
    """The first no, else the first that cannot be told, else all that was said."""
    for answer in (False, None):
        if found := next((look for look in looks if look.answer is answer), None):
            return found
    return Look(True, "; ".join(look.words for look in looks)) if looks else None
