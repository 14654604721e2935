# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which step function a sentence means, decided before anything runs.

pytest-bdd looks a sentence up when its turn comes, after the faults of earlier sentences, and takes one of two definitions
silently. Here the same lookup is made for all of them at once, and doubt is a finding.
"""

from __future__ import annotations

import ast
import copy
import difflib
import inspect
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.bdd import compat
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest
    from pytest_bdd.parser import Step

SHIPPED = "drdrill.steps."
_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')


@dataclass(frozen=True)
class Meant:
    """The step of a sentence. `overrides` is where a team's own step stands that took the place of a shipped one."""

    context: compat.StepFunctionContext
    overrides: str | None = None


def meant(step: Step, item: pytest.Function, sentences: Iterable[str]) -> Meant:
    """The one step function that this sentence means here.

    Args:
        step: the sentence, with its kind (given, when, then).
        item: whose scope decides which steps are visible.
        sentences: the shipped sentences, to say which one was probably meant.

    Raises:
        BadInput: there is none, there are two, or it cannot be trusted to assert (async, or it returns a value).
    """
    found = compat.steps_for(step, item)
    if not found:
        raise BadInput(_unknown(step, item, sentences))
    chosen = found[-1][1]
    nearest = {id(c.step_func): c for scope, c in found if scope == found[-1][0]}
    shipped = [c for _, c in found if _ships(c)]
    if len(nearest) > 1 and (_ships(chosen) or sum(not _ships(c) for c in nearest.values()) > 1):
        places = " and ".join(place_of(c.step_func) for c in nearest.values())
        raise BadInput(f"two steps stand for this sentence, {places}: {step.name}")
    _trustworthy(chosen)
    return Meant(chosen, place_of(chosen.step_func) if shipped and not _ships(chosen) else None)


def place_of(function: Callable[..., object]) -> str:
    """file:line of a step function."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def _ships(context: compat.StepFunctionContext) -> bool:
    return context.step_func.__module__.startswith(SHIPPED)


def _unknown(step: Step, item: pytest.Function, sentences: Iterable[str]) -> str:
    for kind in ("given", "when", "then"):
        other = copy.copy(step)
        other.type = kind
        if kind != step.type and compat.steps_for(other, item):
            return f"this sentence is a {kind.title()}, not a {step.type.title()}: {step.name}"
    # Names in quotes would count as differences, so they are left out of the comparison.
    bare = {_QUOTED.sub('""', s): s for s in sentences}
    near = difflib.get_close_matches(_QUOTED.sub('""', step.name), bare, n=1, cutoff=0.6)
    hint = f"; did you mean: {bare[near[0]]}" if near else "; docs/sentences.md has all that there are"
    return f"there is no such sentence: {step.name}{hint}"


def _trustworthy(context: compat.StepFunctionContext) -> None:
    function = inspect.unwrap(context.step_func)
    place = place_of(function)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise BadInput(f"step {function.__name__} ({place}) is async: pytest-bdd would pass it without running it")
    if context.target_fixture is None and returns_value(function):
        raise BadInput(
            f"step {function.__name__} ({place}) returns a value, which nobody would look at: let it assert instead"
        )


def returns_value(function: Callable[..., object]) -> bool:
    """Whether a function itself (not one inside it) has a `return` with a value. False where its source is not known."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    first = tree.body[0]
    return isinstance(first, ast.FunctionDef) and any(_returns(node) for node in first.body)


def _returns(node: ast.AST) -> bool:
    if isinstance(node, ast.Return):
        return node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return False
    return any(_returns(child) for child in ast.iter_child_nodes(node))
