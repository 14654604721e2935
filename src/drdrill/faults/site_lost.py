# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A site loses its power: every host of it is gone at the same moment, without a goodbye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drdrill.errors import BadInput
from drdrill.estate.select import powered_at
from drdrill.faults.fault import Fault, Reach, Targets, Undo
from drdrill.faults.limits import site_may_go, way_back
from drdrill.faults.power_cut import PowerCut, power

if TYPE_CHECKING:
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import WhoWrites


@dataclass(frozen=True)
class SiteLost(PowerCut, Fault):
    """`site "X" loses power`. Counts against limits.sites_down; limits.hosts_down is for hosts that are struck alone."""

    site: str

    name: ClassVar[str] = "site-lost"

    @property
    def title(self) -> str:
        """The sentence."""
        return f'site "{self.site}" loses power'

    @classmethod
    def from_undo(cls, undo: Undo) -> SiteLost:
        """From `sites` alone."""
        return cls(undo.sites[0])

    def refuses(self, estate: Estate) -> str | None:
        """Limits."""
        return site_may_go(estate, estate.site_named(self.site).name)

    def candidates(self, estate: Estate) -> Targets:
        """All hosts of the site, but for probe hosts."""
        site = estate.site_named(self.site).name
        hosts = powered_at(estate, site)
        if not hosts:
            raise BadInput(f'site "{site}" has no host, so it has no power to lose')
        return Targets(hosts, (site,), f"every host of site {site}")

    def choose(self, estate: Estate, who: WhoWrites) -> Targets:
        """The same at every moment."""
        del who
        return self.candidates(estate)

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """Which hosts to power on again."""
        return way_back(reach, self, targets, {"power": power(reach).name}, {})
