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
import unicodedata
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from drdrill.bdd import compat
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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


def nearly(step: Step, item: pytest.Function) -> str | None:
    """The one sentence that a text is, but for its spaces, the form of its quotes and full-width signs. None: none, or several."""
    found = set()
    for context in compat.every_step(item):
        if context.type not in (step.type, None):
            continue
        ask: Callable[[str], str | None] = getattr(context.parser, "nearly", partial(_squeezed, context.parser.name))
        found.add(ask(step.name))
    found -= {None, step.name}
    return found.pop() if len(found) == 1 else None


def _squeezed(sentence: str, text: str) -> str | None:
    """A team's plain sentence, when a text is the same without spaces."""
    same = "".join(unicodedata.normalize("NFKC", sentence).split())
    return sentence if "".join(unicodedata.normalize("NFKC", text).split()) == same else None


def _trustworthy(context: compat.StepFunctionContext) -> None:
    function = inspect.unwrap(context.step_func)
    place = place_of(function)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        what = f"step {function.__name__} ({place}) is async: pytest-bdd would pass it without running it"
        raise WithFix(what, f"def {function.__name__}{_signature(function)}:")
    returned = returned_value(function) if context.target_fixture is None else None
    if returned:
        what = f"step {function.__name__} ({place}) returns a value, which nobody would look at: let it assert instead"
        # What a noun is asked asserts by itself, and gives nothing.
        asks = returned.partition(".")[0] in inspect.signature(function).parameters and returned.endswith(")")
        raise WithFix(what, returned if asks else f"assert {returned}")


class WithFix(BadInput):
    """Bad input of which it is known what to type instead."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


def _signature(function: Callable[..., object]) -> str:
    return str(inspect.signature(function))


def _body(function: Callable[..., object]) -> list[ast.stmt]:
    """The syntax tree of a function's body; empty where its source is not known."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError):
        return []
    first = tree.body[0]
    return first.body if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef) else []


def returns_value(function: Callable[..., object]) -> bool:
    """Whether a function itself (not one inside it) has a `return` with a value. False where its source is not known."""
    return returned_value(function) is not None


def returned_value(function: Callable[..., object]) -> str | None:
    """What a function itself returns first, as its source says it; None when it returns nothing."""
    found = next((r for node in _body(function) for r in _own_nodes(node) if _returns(r)), None)
    return ast.unparse(found.value) if isinstance(found, ast.Return) and found.value else None


def can_fail(function: Callable[..., object]) -> bool:
    """Whether a step has an assert, a raise, or a call that may raise. True where its source is not known.

    A step without any of them passes whatever the estate is like.
    """
    body = _body(function)
    return not body or any(_may_raise(node) for statement in body for node in _own_nodes(statement))


def _may_raise(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return not (isinstance(node.func, ast.Name) and node.func.id == "print")
    return isinstance(node, ast.Assert | ast.Raise)


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without what only defines something."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _own_nodes(child)


def _returns(node: ast.AST) -> bool:
    if not isinstance(node, ast.Return) or node.value is None:
        return False
    return not (isinstance(node.value, ast.Constant) and node.value.value is None)
