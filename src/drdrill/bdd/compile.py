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
from drdrill.bdd.mend import Finding, Mend, finding
from drdrill.bdd.reading import for_example
from drdrill.bdd.resolve import Meant, can_fail, meant, nearly, place_of
from drdrill.drill.call import Call
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
        places: by index, file:line of its step function.
        unseen: the sentences of a team that judge by themselves, with file:line and where their steps stand.
        findings: what is wrong, each with file:line.
        lacks: what the scenario as a whole lacks to prove anything; said when nothing else is wrong with it.
        mends: the findings that a machine can mend; the rest was compiled as if they were mended.
    """

    calls: list[Call] = field(default_factory=list)
    own: dict[int, str] = field(default_factory=dict)
    overrides: dict[int, str] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lacks: list[Finding] = field(default_factory=list)
    mends: list[Mend] = field(default_factory=list)


PLAN = pytest.StashKey[Plan]()
"""On an item: its plan. An item without one is no drill."""


class Recorder:
    """Stands in for a noun: notes each call, touches nothing, gives nothing."""

    def __init__(self, noun: str, where: str, calls: list[Call], text: str = "") -> None:
        self._noun = noun
        self._text = text
        self._where = where
        self._calls = calls

    def __getattr__(self, verb: str) -> Callable[..., None]:
        if verb.startswith("_"):
            raise AttributeError(verb)

        def record(*args: Any, **kwargs: Any) -> None:
            self._calls.append(Call(self._noun, verb, args, kwargs, self._where, self._text))

        return record


def scenario_of(item: pytest.Function) -> Scenario:
    """The scenario of an item, with the values of its examples in place."""
    return compat.template_of(item).render(compat.example_of(item))


def plan_of(item: pytest.Function, shown: str, sentences: Iterable[str], *, whole: bool = True) -> Plan:
    """Compile the scenario of an item.

    Args:
        item: the scenario.
        shown: how findings name its file.
        sentences: the shipped sentences, for hints.
        whole: whether every line of its file could be read; if not, nothing is said of what the scenario as a whole lacks.
    """
    plan = Plan()
    scenario = scenario_of(item)
    after = _After()
    raw = compat.raw_steps(item)
    for index, step in enumerate(scenario.steps):
        where = f"{shown}:{step.line_number}"
        before = len(plan.calls)
        try:
            found = _meant(step, raw[index], item, sentences, plan=plan, shown=shown)
            _compile(step, index, found, where, plan, item=item)
            after.look(step, plan.calls[before:])
            if step.type == "then":
                _judges(step, found, plan.calls[before:], plan, where, own=index in plan.own)
                after.checked |= after.struck and index in plan.own
        except BadInput as error:
            plan.findings.append(finding(where, str(error), getattr(error, "fix", "")))
    if whole and not plan.findings:
        plan.lacks += after.findings(f"{shown}:{scenario.line_number}", scenario)
    return plan


def _meant(step: Step, raw: Step, item: pytest.Function, sentences: Iterable[str], *, plan: Plan, shown: str) -> Meant:
    """The step of a sentence; where it only differs in spaces from one, the finding is kept and that one is taken."""
    try:
        return meant(step, item, sentences)
    except BadInput:
        exact, as_written = nearly(step, item), nearly(raw, item)
        if exact is None or as_written is None:
            raise
        what = f"there is no such sentence, but one that only differs in its spaces, quotes or full-width signs: {raw.name}"
        plan.mends.append(Mend(shown, raw.line_number, what, raw.name, as_written))
        step.name = exact
        return meant(step, item, sentences)


@dataclass
class _After:
    """Whether a scenario breaks something, and judges something afterwards."""

    struck: bool = False
    checked: bool = False

    def look(self, step: Step, calls: Sequence[Call]) -> None:
        """One more sentence."""
        for call in calls:
            self.struck |= call.strikes
            self.checked |= self.struck and call.checks and step.type == "then"

    def findings(self, where: str, scenario: Scenario) -> Iterator[str]:
        """What keeps this scenario from proving anything."""
        when, then = for_example(scenario.feature.language)
        name = f'scenario "{scenario.name}"'
        if not {"when", "then"} <= {step.type for step in scenario.steps}:
            return  # that it lacks one of them is a finding already
        if not self.struck:
            yield finding(
                where,
                f"{name} breaks nothing and moves nothing, so nothing can be proven; add a sentence such as",
                when,
            )
        elif not self.checked:
            yield finding(where, f"{name} checks nothing after it broke something; add a sentence such as", then)


def _judges(step: Step, found: Meant, calls: Sequence[Call], plan: Plan, where: str, *, own: bool) -> None:
    """A Then must be able to fail. Raises BadInput when it cannot."""
    if any(call.checks for call in calls):
        return
    function = inspect.unwrap(found.context.step_func)
    place = place_of(function)
    if not own:
        raise BadInput(
            f"this sentence checks nothing: step {function.__name__} ({place}) asks no check of a drill; what is no check is a "
            "Given or a When, and a check of your own asks for a fixture, so that it is not called before the drill"
        )
    if not can_fail(function):
        raise BadInput(
            f"this sentence checks nothing: step {function.__name__} ({place}) has no assert and calls nothing"
        )
    plan.unseen.append(f"{where}: {step.name} ({place})")


def _compile(step: Step, index: int, found: Meant, where: str, plan: Plan, *, item: pytest.Function) -> None:
    function = found.context.step_func
    plan.places[index] = place_of(function)
    if found.overrides:
        plan.overrides[index] = found.overrides
    arguments = _arguments(step, found.context)
    asked = [name for name in compat.get_required_args(function) if name not in arguments]
    strangers = [name for name in asked if name not in NOUNS]
    if strangers or inspect.isgeneratorfunction(inspect.unwrap(function)):
        _own(function, asked, strangers, item)
        plan.own[index] = place_of(function)
        return
    nouns = {name: Recorder(name, where, plan.calls, step.name) for name in asked}
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
