# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The faults that are known, by the name that stands in the undo log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.connect.parts import Parts
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from drdrill.faults.fault import Fault, Undo

FAULTS: Final = Parts(
    "fault",
    "drdrill.faults",
    {
        "site-isolated": "drdrill.faults.site_isolated:SiteIsolated",
        "site-lost": "drdrill.faults.site_lost:SiteLost",
        "campus-isolated": "drdrill.faults.campus_isolated:CampusIsolated",
        "campus-lost": "drdrill.faults.campus_lost:CampusLost",
        "host-loses-power": "drdrill.faults.host_loses_power:HostLosesPower",
        "entry-drained": "drdrill.faults.entry_drained:EntryDrained",
        "host-frozen": "drdrill.faults.host_frozen:HostFrozen",
    },
)


def known() -> tuple[type[Fault], ...]:
    """Every fault that can be loaded. Raises BadInput for one that cannot."""
    return tuple(FAULTS.load(name) for name in FAULTS.names())


def of_undo(undo: Undo) -> Fault:
    """The fault that heals this record. Raises BadInput when no fault of that name is installed, or the record is not its own."""
    kind: type[Fault] = FAULTS.load(undo.fault)
    try:
        return kind.from_undo(undo)
    except (LookupError, TypeError, ValueError) as error:
        raise BadInput(f'the undo record of {undo.hold} is not one of the fault "{undo.fault}": {error!r}') from error
