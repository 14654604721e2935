# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A campus loses its power: every host of all its sites is gone at the same moment, without a goodbye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drdrill.errors import BadInput
from drdrill.estate.select import powered_at
from drdrill.faults.fault import Fault, Reach, Targets, Undo
from drdrill.faults.limits import campus_may_go, way_back
from drdrill.faults.power_cut import PowerCut, power

if TYPE_CHECKING:
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import WhoWrites


@dataclass(frozen=True)
class CampusLost(PowerCut, Fault):
    """`campus "C" loses power`. Counts against limits.campuses_down, and not against limits.sites_down."""

    campus: str

    name: ClassVar[str] = "campus-lost"

    @property
    def title(self) -> str:
        """The sentence."""
        return f'campus "{self.campus}" loses power'

    @classmethod
    def from_undo(cls, undo: Undo) -> CampusLost:
        """From the word of the sentence, kept in `params`."""
        return cls(str(undo.params["campus"]))

    def refuses(self, estate: Estate) -> str | None:
        """Limits."""
        return campus_may_go(estate, self.campus)

    def candidates(self, estate: Estate) -> Targets:
        """All hosts of its sites, but for probe hosts."""
        sites = estate.sites_of(self.campus)
        hosts = tuple(host for site in sites for host in powered_at(estate, site))
        if not hosts:
            raise BadInput(f'campus "{self.campus}" has no host, so it has no power to lose')
        return Targets(hosts, sites, f"every host of campus {self.campus}", (self.campus,))

    def choose(self, estate: Estate, who: WhoWrites) -> Targets:
        """The same at every moment."""
        del who
        return self.candidates(estate)

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """Which hosts to power on again."""
        return way_back(reach, self, targets, {"power": power(reach).name}, {"campus": self.campus})
