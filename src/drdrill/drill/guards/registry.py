# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Every guard that is installed. All of them are asked: what is not known to be safe is not struck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.connect.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.drill.guards.guard import Guard

GUARDS: Final = Parts(
    "guard",
    "drdrill.guards",
    {
        "standpoint": "drdrill.drill.guards.standpoint:Standpoint",
        "votes": "drdrill.drill.guards.votes:Votes",
        "copies": "drdrill.drill.guards.copies:Copies",
        "entries": "drdrill.drill.guards.entries:Entries",
        "other-sites": "drdrill.drill.guards.other_sites:OtherSites",
        "capacity": "drdrill.drill.guards.capacity:Capacity",
    },
)
"""Name -> a class without arguments."""


def guards() -> Mapping[str, Guard]:
    """Each guard, by its name. Raises BadInput for one that cannot be loaded: a drill without a guard is not the same drill."""
    return {name: GUARDS.load(name)() for name in GUARDS.names()}
