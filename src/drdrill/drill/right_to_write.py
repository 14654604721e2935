# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Who may write: what moves that right by force must not happen behind a cut that heals by itself. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.faults.fault import Fault

SELF_HEALING: Final = frozenset({"links", "freeze"})
"""What such a fault takes away comes back with its memory: a database that was cut off or stood still goes on as the writer it was.
One that lost its power has to ask first."""


def kept_from(
    act: str, in_force: Iterable[tuple[Fault, str]], fenced: Iterable[str], old_side: Iterable[str]
) -> str | None:
    """Why the right to write may not be moved by force now, or None.

    The lease that heals the cut would make the split brain: the old side comes back as the writer that it was, beside the new one.

    Args:
        act: what is wanted, for the message: `a forced failover of database "clinical"`.
        in_force: the faults that are struck now, with their titles.
        fenced: the hosts that were kept from writing by something that does not expire, before.
        old_side: the hosts that may still take themselves for the writer.
    """
    healing = [title for fault, title in in_force if fault.needs & SELF_HEALING]
    loose = sorted(set(old_side) - set(fenced))
    if not healing or not loose:
        return None
    return (
        f"{act} while {'; '.join(healing)} is in force, which heals by itself: then {', '.join(loose)} would write beside the new "
        "writer. Fence the old side first by something that does not expire, or heal before"
    )
