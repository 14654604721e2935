# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What stands in a `.feature` file, and what is wrong with it, before pytest or pytest-bdd see it.

pytest-bdd keeps scenarios in a dictionary by name, so that of two with one name the first would never run, and answers an
empty file with a KeyError. So the file is read here first, by the same parser.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.bdd import signs
from drdrill.bdd.mend import Finding, Mend, finding, mended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWIN = ".zh.feature"

Scenarios = list[tuple[dict[str, Any], list[dict[str, Any]]]]
"""Each with the steps of the backgrounds before it."""
_LANGUAGE = re.compile(r"\s*#\s*language\s*:\s*((?!en\b|zh)[\w-]+)")
_KINDS = {"Context": "given", "Action": "when", "Outcome": "then"}
_FOR_EXAMPLE = {"zh-CN": ('当数据中心"east"被隔离', "那么没有丢失任何已确认的写入")}
_FOR_EXAMPLE_ENGLISH = ('When site "east" is isolated', "Then no acknowledged write is lost")


@dataclass(frozen=True)
class Reading:
    """One file.

    Args:
        scenarios: their names in order; two of one name are told apart by their line.
        findings: what is wrong, as findings with file:line.
        tags: of everything in it.
        text: what can be compiled, line by line where it stands in the file: with what is mended mended, and without the lines
            that cannot be read, so that one mistake hides no other; None when nothing can.
    """

    scenarios: tuple[str, ...]
    findings: tuple[Finding, ...]
    tags: frozenset[str] = frozenset()
    text: str | None = None
    whole: bool = True
    """Whether `text` has every line that means something."""
    prose: tuple[tuple[int, str], ...] = ()
    """Lines of the descriptions of feature and rules that begin like a step, with what follows its keyword: Gherkin runs none."""

    @property
    def clean(self) -> bool:
        """Whether the file itself can be run."""
        return not self.findings


def twin_of(path: Path) -> Path | None:
    """The English feature beside a Chinese one, or None: it has none, or it is not Chinese."""
    if not path.name.endswith(TWIN):
        return None
    twin = path.with_name(path.name.removesuffix(TWIN) + ".feature")
    return twin if twin.is_file() else None


def chinese_twin_of(path: Path) -> Path | None:
    """The Chinese feature beside an English one, or None."""
    if path.name.endswith(TWIN):
        return None
    twin = path.with_name(path.name.removesuffix(".feature") + TWIN)
    return twin if twin.is_file() else None


def read(path: Path, shown: str) -> Reading:
    """Read one file.

    Args:
        path: the file.
        shown: how findings name it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        return _only(f"{shown}: cannot be read ({error.strerror})")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _only(f"{shown}:{line}: is not UTF-8 text; save it as UTF-8")
    found = signs.mends(text, shown)
    return _parsed(mended(text, found), shown, found)


def _only(finding: str) -> Reading:
    return Reading((), (finding,))


def _parsed(text: str, shown: str, found: list[Mend]) -> Reading:
    feature, errors = _tree(text)
    findings: list[Finding] = [*found, *(_syntax(error, text, shown) for error in errors)]
    unread: set[int] = set()
    if errors:
        # The rest is still worth a look, without the lines that cannot be read. What is missing then may stand in one of them.
        unread = {error.location["line"] for error in errors if getattr(error, "location", None)}
        text = "\n".join("" if n in unread else line for n, line in enumerate(text.split("\n"), 1))
        feature, more = _tree(text)
        if more or not feature:
            return Reading((), tuple(findings))
    if not feature:
        return Reading((), (*findings, f"{shown}:1: is empty; a feature begins with `Feature:` and a name"))
    scenarios = list(_scenarios(feature))
    findings += _whole(feature, scenarios, shown, unread)
    tags = {tag["name"].removeprefix("@"): tag["location"]["line"] for tag in _tags(feature)}
    findings += [
        f"{shown}:{at}: a tag must not begin with an underscore: @{t}" for t, at in tags.items() if t[:1] == "_"
    ]
    text, names = _told_apart(text, scenarios)
    prose = tuple(_prose(feature, text, feature["language"]))
    return Reading(names, tuple(findings), frozenset(tags), text, not errors, prose)


def _tree(text: str) -> tuple[Any, list[Any]]:
    """The feature in a text, and what keeps it from being read."""
    from gherkin.errors import CompositeParserException, ParserError, UnexpectedEOFException  # noqa: PLC0415 - only a run that drills pays for it
    from gherkin.parser import Parser  # noqa: PLC0415 - only a run that drills pays

    try:
        return Parser().parse(text).get("feature"), []
    except CompositeParserException as error:
        # That the file ends too early is only the echo of what was wrong before.
        return None, [e for e in error.errors if not isinstance(e, UnexpectedEOFException)] or error.errors
    except ParserError as error:
        return None, [error]


def _whole(feature: dict[str, Any], scenarios: Scenarios, shown: str, unread: set[int]) -> Iterator[str]:
    """What a feature and its scenarios lack; nothing is said of a scenario with a line that could not be read."""
    if not scenarios and not unread:
        line, name = feature["location"]["line"], feature["name"]
        yield f'{shown}:{line}: feature "{name}" has no scenario, so it promises nothing'
    yield from _duplicates(scenarios, shown)
    when, then = for_example(feature["language"])
    begins = [scenario["location"]["line"] for scenario, _ in scenarios]
    for (scenario, before), begin, end in zip(scenarios, begins, [*begins[1:], sys.maxsize], strict=False):
        if not any(begin <= line < end or line < begins[0] for line in unread):
            yield from _incomplete(scenario, before, shown, when, then)


def for_example(language: str) -> tuple[str, str]:
    """A When and a Then that ship, in the language of a feature: what to type where there is none."""
    return _FOR_EXAMPLE.get(language, _FOR_EXAMPLE_ENGLISH)


def _prose(node: dict[str, Any], text: str, language: str) -> Iterator[tuple[int, str]]:
    """The description of a feature, and of its rules."""
    words = signs.words_of(language)
    children = [next(iter(child.values())) for child in node["children"]]
    lines = text.split("\n")
    first = min((child["location"]["line"] for child in children), default=len(lines) + 1)
    for at in range(node["location"]["line"] + 1, first):
        match = words.steps.match(lines[at - 1]) if words else None
        if match:
            yield at, match[4].strip()
    for child in node["children"]:
        if "rule" in child:
            yield from _prose(child["rule"], text, language)


def _told_apart(text: str, scenarios: Scenarios) -> tuple[str, tuple[str, ...]]:
    """A text in which no two scenarios have one name, and the names: pytest-bdd would drop all but the first."""
    lines, names = text.split("\n"), []
    for scenario, _ in scenarios:
        name, at = scenario["name"], scenario["location"]["line"] - 1
        if name in names:
            name = f"{name} (line {at + 1})".strip()
            lines[at] = f"{lines[at].rstrip()} (line {at + 1})"
        names.append(name)
    return "\n".join(lines), tuple(names)


def _syntax(error: Any, text: str, shown: str) -> str:
    line = error.location["line"] if getattr(error, "location", None) else 1
    lines = text.split("\n")
    written = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    if not written:
        return f"{shown}:{line}: the file ends, or a line is empty, where more was expected ({str(error).strip()})"
    # What is in no alphabet would be shown as nothing at all, or move the cursor of a terminal.
    written = written if written.isprintable() else ascii(written)[1:-1]
    other = _LANGUAGE.match(text)
    hint = f'; line 1 says that it is in "{other[1]}", and sentences are in en or zh-CN' if other else ""
    return f"{shown}:{line}: cannot be read as Gherkin: {written}{hint}"


def _scenarios(feature: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each scenario with the background steps that go before it."""
    background: list[dict[str, Any]] = []
    for child in feature["children"]:
        if "background" in child:
            background = child["background"]["steps"]
        elif "scenario" in child:
            yield child["scenario"], background
        elif "rule" in child:
            own: list[dict[str, Any]] = []
            for inner in child["rule"]["children"]:
                if "background" in inner:
                    own = inner["background"]["steps"]
                elif "scenario" in inner:
                    yield inner["scenario"], background + own


def _tags(node: Any) -> Iterator[dict[str, Any]]:
    """Every tag below a node of the tree: of the feature, its rules, scenarios and examples."""
    if isinstance(node, dict):
        yield from node.get("tags", ())
        node = [node[key] for key in ("children", "rule", "scenario", "examples") if key in node]
    if isinstance(node, list):
        for child in node:
            yield from _tags(child)


def _duplicates(scenarios: Scenarios, shown: str) -> list[str]:
    lines: dict[str, list[int]] = defaultdict(list)
    for scenario, _ in scenarios:
        lines[scenario["name"]].append(scenario["location"]["line"])
    return [
        f'{shown}:{found[1]}: a scenario "{name}" stands in line {found[0]} already; give each its own name'
        for name, found in lines.items()
        if len(found) > 1
    ]


def _incomplete(
    scenario: dict[str, Any], before: list[dict[str, Any]], shown: str, when: str, then: str
) -> Iterator[str]:
    where = f"{shown}:{scenario['location']['line']}"
    name = f'scenario "{scenario["name"]}"'
    if not scenario["name"]:
        yield f"{where}: {name} has no name"
    kinds = {_KINDS.get(step["keywordType"]) for step in before + scenario["steps"]}
    if "when" not in kinds:
        yield finding(where, f"{name} has no When: nothing happens in it; add one", when)
    if "then" not in kinds:
        yield finding(where, f"{name} has no Then: it proves nothing; add one", then)
    for table in scenario["examples"]:
        if not table.get("tableBody"):
            yield f"{shown}:{table['location']['line']}: these examples have no row, so the scenario would never run"
