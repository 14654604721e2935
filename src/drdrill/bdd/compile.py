# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Every sentence is called once with recorders in place of the nouns, before anything is touched.

That gives the plan of a scenario as data: which nouns are asked for what. Names, durations and limits are checked on it
(`drill/preflight.py`), and a Chinese feature is the same drill as its English twin when both give the same plan.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.bdd import compat
from drdrill.bdd.resolve import Meant, meant, place_of
from drdrill.drill.call import Call
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_bdd.parser import Scenario, Step

NOUNS = ("estate", "workload", "drill", "operations", "availability", "consistency")
STRIKING = frozenset({"drill", "operations"})
"""The nouns that break or move something."""


@dataclass
class Plan:
    """What a scenario will ask for.

    Args:
        calls: in order.
        own: by index of the sentence, the team's own steps that could not be called with recorders; they may not strike.
        overrides: by index, where a team's step stands that took the place of a shipped one.
        findings: what is wrong, each with file:line.
    """

    calls: list[Call] = field(default_factory=list)
    own: dict[int, str] = field(default_factory=dict)
    overrides: dict[int, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


PLAN = pytest.StashKey[Plan]()
"""On an item: its plan. An item without one is no drill."""


class Recorder:
    """Stands in for a noun: notes each call, touches nothing, gives nothing."""

    def __init__(self, noun: str, where: str, calls: list[Call]) -> None:
        self._noun = noun
        self._where = where
        self._calls = calls

    def __getattr__(self, verb: str) -> Callable[..., None]:
        if verb.startswith("_"):
            raise AttributeError(verb)

        def record(*args: Any, **kwargs: Any) -> None:
            self._calls.append(Call(self._noun, verb, args, kwargs, self._where))

        return record


def scenario_of(item: pytest.Function) -> Scenario:
    """The scenario of an item, with the values of its examples in place."""
    return compat.template_of(item).render(compat.example_of(item))


def plan_of(item: pytest.Function, shown: str, sentences: Iterable[str]) -> Plan:
    """Compile the scenario of an item.

    Args:
        item: the scenario.
        shown: how findings name its file.
        sentences: the shipped sentences, for hints.
    """
    plan = Plan()
    for index, step in enumerate(scenario_of(item).steps):
        where = f"{shown}:{step.line_number}"
        try:
            _compile(step, index, meant(step, item, sentences), where, plan, item=item)
        except BadInput as error:
            plan.findings.append(f"{where}: {error}")
    return plan


def _compile(step: Step, index: int, found: Meant, where: str, plan: Plan, *, item: pytest.Function) -> None:
    function = found.context.step_func
    if found.overrides:
        plan.overrides[index] = found.overrides
    arguments = _arguments(step, found.context)
    asked = [name for name in compat.get_required_args(function) if name not in arguments]
    strangers = [name for name in asked if name not in NOUNS]
    if strangers or inspect.isgeneratorfunction(inspect.unwrap(function)):
        _own(function, asked, strangers, item)
        plan.own[index] = place_of(function)
        return
    nouns = {name: Recorder(name, where, plan.calls) for name in asked}
    try:
        function(**arguments, **nouns)
    except BadInput:
        raise
    except Exception as error:
        # Whatever a team's step does with nothing in hand; the reader needs its place more than our traceback.
        raise BadInput(
            f"step {function.__name__} ({place_of(function)}) could not be called without an estate: "
            f"{type(error).__name__}: {error}; a step that needs more than the nouns of a drill asks for a fixture"
        ) from error


def _arguments(step: Step, context: compat.StepFunctionContext) -> Mapping[str, object]:
    """The arguments that a step takes from its sentence, as pytest-bdd will pass them. Raises BadInput."""
    wanted = inspect.signature(context.step_func).parameters
    parsed = context.parser.parse_arguments(step.name) or {}
    arguments: dict[str, object] = {}
    for name, value in parsed.items():
        if name not in wanted:
            continue
        try:
            converter = context.converters.get(name)
            arguments[name] = converter(value) if converter else value
        except ValueError as error:
            raise BadInput(f'"{value}" cannot be used as {name}: {error}') from error
    if "datatable" in wanted and step.datatable is not None:
        arguments["datatable"] = step.datatable.raw()
    if "docstring" in wanted and step.docstring is not None:
        arguments["docstring"] = step.docstring
    return arguments


def _own(function: Callable[..., object], asked: list[str], strangers: list[str], item: pytest.Function) -> None:
    """Whether a team's own step may run although it cannot be called before. Raises BadInput."""
    place = f"step {function.__name__} ({place_of(function)})"
    missing = [name for name in strangers if name != "request" and not compat.fixture_is_known(name, item)]
    if missing:
        raise BadInput(f"{place} asks for {', '.join(missing)}, which is neither in its sentence nor a fixture")
    striking = sorted(STRIKING.intersection(asked))
    if striking:
        raise BadInput(
            f"{place} asks for {striking[0]} and for more than the nouns of a drill, so it cannot be checked before the run "
            "and may not strike: split it in two"
        )
