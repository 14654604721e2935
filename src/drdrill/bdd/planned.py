# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From the compiled items of a run to the plan of what it will do."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.bdd import collector
from drdrill.bdd.compile import PLAN, scenario_of
from drdrill.bdd.running import about
from drdrill.drill import plan as plans
from drdrill.drill.approvals import read, refusals
from drdrill.drill.permit import Permit, wall_clock
from drdrill.drill.signing import verifies
from drdrill.errors import BadInput, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drdrill.estate.model import Estate

PERMIT = pytest.StashKey[Permit]()
"""On an item: what its drill may strike."""


def plan_of_run(items: Sequence[pytest.Item], estate: Estate, config: pytest.Config) -> plans.Plan:
    """The plan of all drills among these items. Raises BadInput."""
    drills = _drills(items)
    paths = {str(item.path) for item in drills}
    paths |= {place.rpartition(":")[0] for item in drills for place in item.stash[PLAN].places.values()}
    return plans.plan(estate, [_scenario(item, config) for item in drills], _hashes(paths))


def permit(
    items: Sequence[pytest.Item], estate: Estate, config: pytest.Config, approvals: Sequence[Path], *, probe_only: bool
) -> None:
    """Let the drills among these items strike what their plan says, and nothing else.

    Raises:
        Refused: an approval is missing or not good; every reason.
        BadInput: an approval cannot be read.
    """
    planned = plan_of_run(items, estate, config)
    given = tuple(read(path) for path in approvals)
    found = refusals(planned, given, wall_clock(), verifies, probe_only=probe_only)
    if found:
        raise Refused("\n".join(found))
    for item, drill in zip(_drills(items), planned.drills, strict=True):
        item.stash[PERMIT] = Permit(planned, drill, given, probe_only=probe_only)


def _drills(items: Sequence[pytest.Item]) -> list[pytest.Function]:
    return [item for item in items if isinstance(item, pytest.Function) and PLAN in item.stash]


def _scenario(item: pytest.Function, config: pytest.Config) -> plans.Scenario:
    shown, plan = collector.shown_path(item.path, config), item.stash[PLAN]
    scenario = scenario_of(item)
    sentences = []
    for index, step in enumerate(scenario.steps):
        where = f"{shown}:{step.line_number}"
        calls = tuple(call for call in plan.calls if call.where == where)
        file, _, line = plan.places[index].rpartition(":")
        place = f"{collector.shown_path(Path(file), config)}:{line}"
        sentences.append(plans.Written(f"{step.keyword} {step.name}", where, place, calls))
    title = about(item, scenario, shown, plan).title
    return plans.Scenario(title, f"{shown}:{scenario.line_number}", tuple(sentences))


def _hashes(paths: Iterable[str]) -> dict[str, str]:
    try:
        return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths}
    except OSError as error:
        raise BadInput(f"{error.filename}: cannot be read for the plan ({error.strerror})") from error
