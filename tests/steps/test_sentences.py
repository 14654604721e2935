# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The steps that ship: both languages on one function, one call, a docstring; docs/sentences.md says the same."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.bdd import compat, rooms, vocabulary
from drdrill.bdd.compile import NOUNS, Recorder
from drdrill.bdd.resolve import returns_value
from drdrill.steps.words import Sentence

if TYPE_CHECKING:
    from drdrill.drill.call import Call

ROOT = Path(__file__).parents[2]
CONTEXTS = [c for module in rooms.modules("steps") for c in compat.steps_of(module)]
FUNCTIONS = list(dict.fromkeys(c.step_func for c in CONTEXTS))
WORDS = {"rto": ("its RTO", "其 RTO"), "recovery": ("its recovery time", "其恢复时间"), "duration": ("10 s", "10 秒"),
         "number": ("25", "25"), "expected": ("", "?"), "预期": ("?", ""),
         "role": ("database", "?"), "角色": ("?", "数据库")}  # fmt: skip


def example(sentence: Sentence, quotes: str = '""') -> str:
    """A text that this sentence matches."""
    chinese = not sentence.template.isascii()
    text = sentence.template
    for name in ("service", "site", "database", "campus"):
        text = text.replace(f'"{{{name}}}"', f"{quotes[0]}some {name}{quotes[1]}")
    for kind, words in WORDS.items():
        for place in ("deadline", "seconds", "rate", "role", "quorum_loss"):
            text = text.replace(f"{{{place}:{kind}}}", words[chinese])
    return text


def calls_of(context: compat.StepFunctionContext, text: str) -> list[Call]:
    calls: list[Call] = []
    arguments = context.parser.parse_arguments(text) or {}
    asked = [a for a in compat.get_required_args(context.step_func) if a not in arguments]
    assert set(asked) <= set(NOUNS)
    context.step_func(**arguments, **{noun: Recorder(noun, "", calls) for noun in asked})
    return calls


def test_every_sentence_of_this_version_is_there():
    assert len(FUNCTIONS) == 31


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_both_languages_stand_on_one_function_and_make_the_same_call(function):
    english, chinese = sorted(
        (c for c in CONTEXTS if c.step_func is function), key=lambda c: not c.parser.name.isascii()
    )
    assert english.parser.name.isascii()
    assert not chinese.parser.name.isascii()
    assert english.type == chinese.type
    assert isinstance(english.parser, Sentence)
    assert isinstance(chinese.parser, Sentence)
    made = calls_of(english, example(english.parser))
    assert len(made) == 1
    assert made == calls_of(chinese, example(chinese.parser, "“”"))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_step_is_a_docstring_and_one_call(function):
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    said, call = tree.body
    assert ast.get_docstring(tree)
    assert isinstance(said, ast.Expr)
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert not returns_value(function)


def test_no_text_is_two_sentences():
    for one, other in combinations(CONTEXTS, 2):
        assert not other.parser.is_matching(example(one.parser)), (one.parser.name, other.parser.name)
        assert not one.parser.is_matching(example(other.parser)), (one.parser.name, other.parser.name)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda c: c.parser.name)
def test_a_sentence_typed_without_spaces_is_still_this_sentence_and_no_other(context: compat.StepFunctionContext):
    exact = example(context.parser)
    typed = exact.replace("some ", "some_").replace(" ", "").replace("some_", "some ")
    found = {c.parser.nearly(typed) for c in CONTEXTS} - {None}
    assert found == {exact}


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda c: c.parser.name)
def test_a_then_asks_a_check_and_nothing_else_does(context: compat.StepFunctionContext):
    """What a scenario proves is decided on this: one whose sentences ask no check is refused."""
    (call,) = calls_of(context, example(context.parser))
    assert call.checks is (context.type == "then")
    assert not (call.checks and call.strikes)
    assert context.type == "when" or not call.strikes


def test_no_two_steps_make_the_same_call():
    made = Counter(repr(calls_of(c, example(c.parser))) for c in CONTEXTS if c.parser.name.isascii())
    assert set(made.values()) == {1}


def test_docs_sentences_is_what_the_code_says():
    page = ROOT / "docs" / "sentences.md"
    assert page.read_text() == vocabulary.markdown(), "python -m drdrill.bdd.vocabulary > docs/sentences.md"
