# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One drill around one pytest item: which sentence it is at, and which of its nouns may strike just now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.bdd.compile import STRIKING, Plan, scenario_of
from drdrill.drill.about import About
from drdrill.drill.probing import PassedOver, Probing
from drdrill.errors import BadInput, Refused
from drdrill.journal.events import NOTE, STEP_OVERRIDDEN

if TYPE_CHECKING:
    from pytest_bdd.parser import Scenario, Step

    from drdrill.bdd.lines import Lines
    from drdrill.drill.drill import Drill


class Running:
    """The drill of an item, from its begin to its end.

    Args:
        drill: it has begun.
        scenario: what is run; its steps are those that pytest-bdd hands to the hooks, once it has rendered them.
        plan: what was compiled.
        lines: the terminal.
    """

    def __init__(self, drill: Drill, scenario: Scenario, plan: Plan, lines: Lines) -> None:
        self.drill = drill
        self.plan = plan
        self._lines = lines
        self._scenario = scenario
        self._index: int | None = None
        self._probing = Probing(drill) if drill.probes_only else None
        for index, place in plan.overrides.items():
            drill.journal.write(STEP_OVERRIDDEN, index=index, text=scenario.steps[index].name, by=place)
        for words in plan.unseen:
            drill.journal.write(NOTE, words=f"a check of the team's own, of which only its word is known: {words}")

    def noun(self, name: str) -> Any:
        """The noun that a step asked for; those that strike are watched."""
        noun = self.drill.nouns[name]
        noun = self._probing.noun(name, noun) if self._probing else noun
        return Watched(self, name, noun) if name in STRIKING else noun

    def may_strike(self) -> bool:
        """Whether the sentence that runs was compiled before the run."""
        return self._index is not None and self._index not in self.plan.own

    def before(self, scenario: Scenario, step: Step) -> None:
        """A sentence begins."""
        # By identity: the same sentence may stand twice in a scenario.
        index = scenario.steps.index(step)
        # Behind a strike that was not done it has nothing to look at, and a When may be a strike that nobody can look into.
        if self._probing and index in self.plan.own and (self._probing.parted or step.type == "when"):
            raise PassedOver(f"{step.name}: a step of the team's own; it and what follows is passed over")
        self._index = index
        self._lines.sentence(step)
        self.drill.step_begun(self._index)

    def ended(self, error: BaseException | None = None) -> None:
        """The open sentence ended, well or with an error. Nothing is open afterwards."""
        if self._index is None:
            return
        index, self._index = self._index, None
        status, message = self._status(error), str(error) or type(error).__name__ if error else None
        self._lines.sentence_ended(status, message)
        self.drill.step_ended(index, status, message)

    def _status(self, error: BaseException | None) -> str:
        if error is None:
            return "passed"
        if not self.drill.struck():
            return "refused"
        return "failed" if isinstance(error, AssertionError) else "aborted"


class Watched:
    """A noun that strikes only in sentences that were compiled.

    A team's own step that could not be called before the run is not in the plan, so no limit was checked on it.
    """

    def __init__(self, running: Running, name: str, noun: Any) -> None:
        self._running = running
        self._name = name
        self._noun = noun

    def __getattr__(self, verb: str) -> Any:
        if not self._running.may_strike():
            raise Refused(f"{self._name}.{verb}: this step was not checked before the run, so it may not strike")
        return getattr(self._noun, verb)


RUNNING = pytest.StashKey[Running]()
"""On an item, while its drill runs."""


def running(node: pytest.Item) -> Running:
    """The drill of an item.

    Raises:
        BadInput: none runs: the item is no feature, or a fixture asks before the first sentence.
    """
    found = node.stash.get(RUNNING, None)
    if found is None:
        raise BadInput(
            f"{node.nodeid}: no drill runs here; the nouns of a drill can be used by the steps of a feature while it runs"
        )
    return found


def about(item: pytest.Function, scenario: Scenario, shown: str, plan: Plan) -> About:
    """What the drill writes down of its scenario."""
    feature = scenario.feature
    example = getattr(item, "callspec", None)
    rule = scenario.rule.tags if scenario.rule else set()
    return About(
        title=f"{scenario.name} [{example.id}]" if example else scenario.name,
        feature=feature.name,
        description=feature.description,
        file=shown,
        line=scenario.line_number,
        language=feature.language,
        tags=tuple(sorted(feature.tags | rule | scenario.tags)),
        steps=tuple((step.keyword, step.name, step.line_number) for step in scenario.steps),
        calls=tuple(plan.calls),
    )


__all__ = ["RUNNING", "Running", "about", "running", "scenario_of"]
