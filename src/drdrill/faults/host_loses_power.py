# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One host loses its power. Which one is said by its role, and decided at the moment of the strike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drdrill.faults.fault import Fault, Reach, Targets, Undo
from drdrill.faults.limits import way_back
from drdrill.faults.one_host import OneHost
from drdrill.faults.power_cut import PowerCut, power


@dataclass(frozen=True)
class HostLosesPower(OneHost, PowerCut, Fault):
    """`the R host of service "S" at site "X" loses power`; R is database, application or entry."""

    name: ClassVar[str] = "host-loses-power"

    @property
    def title(self) -> str:
        """The sentence."""
        return f'the {self.role} host of service "{self.service}" at site "{self.site}" loses power'

    @classmethod
    def from_undo(cls, undo: Undo) -> HostLosesPower:
        """From the words of the sentence, kept in `params`."""
        return cls(str(undo.params["role"]), str(undo.params["service"]), str(undo.params["site"]))

    def plan(self, reach: Reach, targets: Targets) -> Undo:
        """Which host to power on again."""
        return way_back(reach, self, targets, {"power": power(reach).name}, self.words)
