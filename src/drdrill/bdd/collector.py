# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`.feature` files become pytest items, without any Python beside them."""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_bdd import scenario as bind
from pytest_bdd.exceptions import GherkinParseError

from drdrill.bdd import compat, reading, rooms
from drdrill.bdd.compile import PLAN, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.bdd.mend import Finding

FINDINGS: pytest.StashKey[list[Finding]] = pytest.StashKey()
"""On the config: everything that is wrong with what was written, kept until collection is over."""


MARKS: pytest.StashKey[compat.Marks] = pytest.StashKey()
"""On the config: the tags that were met."""


class FeatureFile(compat.PythonlessModule):
    """One feature. Its items have the names of their scenarios: `features/x.feature::The east campus is isolated`."""

    whole = True
    """Whether every line of it could be read."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Bind each scenario; a file with findings gives no items.

        An error raised here would end pytest with its status for an interruption, so findings are only kept.
        """
        findings = self.config.stash[FINDINGS]
        shown = shown_path(self.path, self.config)
        text = reading.read(self.path, shown)
        findings += text.findings
        self.whole = text.whole
        know_tags(text, self.config)
        findings += vanished(text, shown)
        with text_to_bind(self.path, text) as path:
            for name in text.scenarios:
                try:
                    bound = bind(str(path), name, features_base_dir=str(path.parent))(_nothing)
                except GherkinParseError as error:
                    findings.append(f"{shown}:{error.line}: {error.message}")
                    return
                yield from self.items_for(name, bound)


def vanished(text: reading.Reading, shown: str) -> list[str]:
    """Sentences that stand in a description. Gherkin takes them for prose, so without this they would be gone without a word."""
    return [
        f"{shown}:{line}: this sentence stands in a description, so it would not be run: {words}; "
        "look at the keyword above it, whether it is one and ends in a half-width colon"
        for line, words in text.prose
        if any(p.is_matching(words) or p.nearly(words) for p in rooms.parsers())
    ]


@contextlib.contextmanager
def text_to_bind(path: Path, text: reading.Reading) -> Iterator[Path]:
    """What pytest-bdd is to read: the file, or, where it has findings, a text beside it that can be compiled for more of them.

    With a finding nothing runs, so that what is bound to such a text is only looked at.
    """
    if text.clean or text.text is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="drdrill-") as folder:
        copy = Path(folder) / path.name
        copy.write_text(text.text, encoding="utf-8", newline="")
        yield copy


def _nothing() -> None:
    """The body of a scenario: its sentences are all there is."""


def shown_path(path: Path, config: pytest.Config) -> str:
    """A path as people typed it: relative to where they stand, if it is below."""
    here = config.invocation_params.dir
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def feature_at(path: Path, parent: pytest.Collector) -> FeatureFile | None:
    """The collector for a file, or None when it is no feature or its twin is drilled instead.

    Of twins the English one runs, with `--language zh` the Chinese one; a file that was named always does.
    """
    if path.suffix != ".feature":
        return None
    chinese = parent.config.getoption("drill_language") == "zh"
    twin = reading.chinese_twin_of(path) if chinese else reading.twin_of(path)
    if twin is not None and not parent.session.isinitpath(path):
        return None
    collector: FeatureFile = FeatureFile.from_parent(parent, path=path)
    return collector


def plain_directory(path: Path, parent: pytest.Collector) -> pytest.Dir | None:
    """A plain directory for the room of features that ships, which has an `__init__.py` so that it can be found by name.

    pytest would import it as a package of its own name and put its parent on `sys.path`, and then `import steps` works
    beside `import drdrill.steps`: two modules for one file.
    """
    spec = importlib.util.find_spec("drdrill.features")
    rooms = [Path(r).resolve() for r in spec.submodule_search_locations or ()] if spec else []
    if path.resolve() not in rooms:
        return None
    directory: pytest.Dir = pytest.Dir.from_parent(parent, path=path)
    return directory


def know_tags(text: reading.Reading, config: pytest.Config) -> None:
    """Let every tag be a mark, also under strict markers: a tag is written on purpose, where everyone reads it."""
    for tag in text.tags:
        config.stash[MARKS].know(tag)


def unlike_twins(items: list[pytest.Item]) -> list[str]:
    """Chinese features that are not the same drill as the English ones beside them, where both were compiled."""
    plans: dict[Path, list[Plan]] = defaultdict(list)
    for item in items:
        plans[item.path].append(item.stash[PLAN])
    findings = []
    for path, chinese in plans.items():
        english = plans.get(reading.twin_of(path) or path)
        if english is None or any(plan.findings for plan in (*english, *chinese)):
            continue
        shown = shown_path(path, items[0].config)
        if len(english) != len(chinese):
            findings.append(f"{shown}:1: has {len(chinese)} scenarios, its English twin has {len(english)}")
        for ours, theirs in zip(chinese, english, strict=False):
            other = next((p for p in zip_longest(ours.calls, theirs.calls) if p[0] != p[1]), None)
            if other:
                here, there = (c.where if c else "the end" for c in other)
                findings.append(
                    f"{shown}:1: is not the same drill as its English twin: {here} and {there} ask for different things"
                )
    return findings
