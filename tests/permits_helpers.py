# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A real drill over the fake estate, for tests of what it may do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from estates import fake_estate

from drdrill.connect.fake_world import World
from drdrill.drill.drill import About, Drill
from drdrill.estate.model import Limits
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.drill.about import Ended
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault

STRIKING = {"links.cut", "power.off", "freeze.freeze", "entry.drain"}
ABOUT = About("A drill", "A feature", file="a.feature", line=1)
ALLOWED = Limits(campuses_down=1, sites_down=1, hosts_down=3, quorum_loss=True)


class Stage:
    """One drill. `struck` are the striking calls that reached the estate."""

    def __init__(
        self, folder: Path, change: Callable[[Estate], Estate] = lambda e: e, limits: Limits = ALLOWED
    ) -> None:
        self.estate = change(fake_estate(folder, limits=limits))
        self.world = World.of(self.estate)
        self.said: list[str] = []
        self.drill = Drill.begin(self.estate, ABOUT, folder / "out", self.said.append)
        self.ended: Ended | None = None

    @property
    def noun(self) -> Any:
        return self.drill.nouns["drill"]

    def strike(self, fault: Fault, *, quorum_loss: bool = False) -> None:
        self.noun.strike(fault, quorum_loss=quorum_loss)

    @property
    def struck(self) -> list[str]:
        return [call for call, _ in self.world.calls if call in STRIKING]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [e.data for e in read(self.drill.folder).of(kind)]

    def finish(self, error: BaseException | None = None) -> Ended:
        self.ended = self.ended or self.drill.finish(error)
        return self.ended


def limited(estate: Estate, **limits: Any) -> Estate:
    """The same estate with other limits."""
    return replace(estate, limits=replace(estate.limits, **limits))
