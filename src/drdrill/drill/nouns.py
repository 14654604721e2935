# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The six nouns of one drill, made when the first of them is asked for: numpy and the workers are behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.drill.availability import Availability
from drdrill.drill.consistency import Consistency
from drdrill.drill.drill_noun import DrillNoun
from drdrill.drill.estate_noun import EstateNoun
from drdrill.drill.named import named
from drdrill.drill.operations import Operations
from drdrill.drill.workload import Workload

if TYPE_CHECKING:
    from drdrill.drill.drill import Drill


def nouns(drill: Drill) -> dict[str, Any]:
    """By name: estate, workload, drill, operations, availability, consistency."""
    workload = Workload(drill, named(drill.estate, drill.about.calls))
    return {
        "estate": EstateNoun(drill, drill.ways, drill.tools.log),
        "workload": workload,
        "drill": DrillNoun(drill),
        "operations": Operations(drill, drill.before_change, drill.moved, DrillNoun(drill)),
        "availability": Availability(drill, workload),
        "consistency": Consistency(drill, workload),
    }
