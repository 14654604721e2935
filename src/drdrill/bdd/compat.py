# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Everything private of pytest and pytest-bdd that we touch, in one place, so that a new version breaks one file.

Written against pytest 9.2 and pytest-bdd 9.0.1; the tests of the plugin run all of it.
"""

from __future__ import annotations

import contextlib
import os
import types
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.config import RegisteredMarker
from _pytest.junitxml import xml_key
from pytest_bdd.compat import get_fixture_names, getfixturedefs
from pytest_bdd.scenario import (
    find_fixturedefs_for_step,
    iterparentnodeids,
    scenario_wrapper_template_registry,
)
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry
from pytest_bdd.utils import get_required_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from _pytest.fixtures import FixtureDef
    from pytest_bdd.parser import ScenarioTemplate, Step

__all__ = [
    "Marks",
    "PythonlessModule",
    "StepFunctionContext",
    "every_step",
    "example_of",
    "fixture_is_known",
    "forget_junit",
    "forgive_terminal",
    "get_required_args",
    "raw_steps",
    "steps_for",
    "steps_of",
    "template_of",
]


class PythonlessModule(pytest.Module):
    """A pytest module without a Python file behind it: an empty one, which the collector fills."""

    def _getobj(self) -> types.ModuleType:
        return types.ModuleType(self.path.stem)

    def _register_setup_module_fixture(self) -> None:
        """There is no setup_module in a feature."""

    def _register_setup_function_fixture(self) -> None:
        """There is no setup_function in a feature."""

    def items_for(self, name: str, function: Callable[..., object]) -> Iterator[pytest.Function]:
        """One pytest item, or one for each row of its examples."""
        # pytest finds the function of an item by its name in the module.
        setattr(self.obj, name, function)
        line = scenario_wrapper_template_registry[function].line_number
        for item in self._genfunctions(name, function):
            # By itself an item points at the code of pytest-bdd; JUnit, editors and `-v` are to point at the scenario.
            item.location = (self.nodeid, line - 1, item.name)
            yield item


def template_of(item: pytest.Function) -> ScenarioTemplate:
    """The scenario behind an item, as written."""
    return scenario_wrapper_template_registry[item.function]


def example_of(item: pytest.Function) -> Mapping[str, str]:
    """The row of examples that an item stands for; empty for a scenario without any."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("_pytest_bdd_example", {}) if callspec else {}


def steps_for(step: Step, item: pytest.Function) -> list[tuple[str, StepFunctionContext]]:
    """Every definition that matches a sentence, as (scope, context), in pytest-bdd's order: the last one would be run.

    The scope is a node id prefix: empty for plugins and for the conftest.py of the root directory.
    """
    manager = item.session._fixturemanager  # noqa: SLF001 - pytest has no public way to it
    found: list[FixtureDef[object]] = list(find_fixturedefs_for_step(step=step, fixturemanager=manager, node=item))
    # The same stable sort as in pytest_bdd.scenario.inject_fixturedefs_for_step, or we would announce another step
    # than the one that runs.
    found.sort(key=lambda definition: list(iterparentnodeids(definition.baseid)))
    return [(definition.baseid, step_function_context_registry[definition.func]) for definition in found]


def every_step(item: pytest.Function) -> Iterator[StepFunctionContext]:
    """Every definition of a sentence that an item can see, whatever its sentence."""
    manager = item.session._fixturemanager  # noqa: SLF001 - as above
    for name in get_fixture_names(fixturemanager=manager):
        for definition in getfixturedefs(manager, name, item) or ():
            context = step_function_context_registry.get(definition.func)
            if context is not None:
                yield context


def raw_steps(item: pytest.Function) -> list[Step]:
    """The steps of an item as they stand in the file, with `<x>` where an example fills something in."""
    return list(template_of(item).steps)


def fixture_is_known(name: str, item: pytest.Function) -> bool:
    """Whether a fixture of this name is visible to an item."""
    return bool(item.session._fixturemanager.getfixturedefs(name, item))  # noqa: SLF001 - as above


def steps_of(module: types.ModuleType) -> list[StepFunctionContext]:
    """Every sentence that a module defines, in the order of its text."""
    found: list[StepFunctionContext] = []
    for thing in vars(module).values():
        unwrap = getattr(thing, "_get_wrapped_function", None)
        context = step_function_context_registry.get(unwrap()) if unwrap else None
        if context is not None:
            found.append(context)
    # Decorators run from the bottom up; people read from the top down.
    return sorted(found, key=lambda c: c.step_func.__code__.co_firstlineno)


class Marks:
    """Marks whose names may hold a colon (`nist-800-53:CP-4.5`), which the ini key `markers` would cut off.

    They are known to `pytest.mark` and to `-m`, also under strict markers.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._known: dict[str, RegisteredMarker] = {}
        written = config._iter_registered_markers  # noqa: SLF001 - the public list is read too early

        def all_of_them() -> Iterator[RegisteredMarker]:
            yield from written()
            yield from self._known.values()

        config._iter_registered_markers = all_of_them  # type: ignore[method-assign]  # noqa: SLF001 - as above

    def know(self, name: str) -> None:
        """Register one."""
        self._known[name] = RegisteredMarker(name, name, "a tag of a feature")


class Forgiving:
    """A text file whose failing writes are lost instead of raised.

    After the first that failed its descriptor leads nowhere, so that what it still holds in its buffer cannot fail again when
    the process ends.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write, or drop."""
        try:
            return int(self._file.write(text))
        except UnicodeEncodeError:
            raise  # pytest answers it by writing the text in another way
        except (OSError, ValueError):
            self._drop()
        return len(text)

    def flush(self) -> None:
        """Flush, or drop."""
        try:
            self._file.flush()
        except (OSError, ValueError):
            self._drop()

    def _drop(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._file.fileno())
            os.close(nowhere)
            self._file.flush()


def forgive_terminal(config: pytest.Config) -> None:
    """Let no closed pipe and no lost terminal end a run of drills: pytest writes lines of its own before and after each."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not isinstance(reporter._tw._file, Forgiving):  # noqa: SLF001 - there is no public way
        reporter._tw._file = Forgiving(reporter._tw._file)  # noqa: SLF001 - as above


def forget_junit(config: pytest.Config) -> None:
    """Write no JUnit file: its place was found to be none, and pytest would fail there once more and call it generated."""
    log = config.stash.get(xml_key, None)
    if log is not None:
        del config.stash[xml_key]
        config.pluginmanager.unregister(log)
