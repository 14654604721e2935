# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What stands in a `.feature` file, and what is wrong with it, before pytest or pytest-bdd see it.

pytest-bdd keeps scenarios in a dictionary by name, so that of two with one name the first would never run, and answers an
empty file with a KeyError. So the file is read here first, by the same parser.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWIN = ".zh.feature"

_KINDS = {"Context": "given", "Action": "when", "Outcome": "then"}
_FULL_WIDTH = {"：": ":", "｜": "|", "＃": "#", "＠": "@"}


@dataclass(frozen=True)
class Reading:
    """One file: the names of its scenarios in order, what is wrong with it (complete sentences with file:line), its tags."""

    scenarios: tuple[str, ...]
    findings: tuple[str, ...]
    tags: frozenset[str] = frozenset()


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
    if raw.startswith(b"\xef\xbb\xbf"):
        return _only(f"{shown}:1: begins with a byte order mark; save it as UTF-8 without one")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _only(f"{shown}:{line}: is not UTF-8 text; save it as UTF-8")
    return _parsed(text, shown)


def _only(finding: str) -> Reading:
    return Reading((), (finding,))


def _parsed(text: str, shown: str) -> Reading:
    from gherkin.errors import CompositeParserException, ParserError, UnexpectedEOFException  # noqa: PLC0415 - only a run that drills pays for it
    from gherkin.parser import Parser  # noqa: PLC0415

    try:
        feature: Any = Parser().parse(text).get("feature")
    except CompositeParserException as error:
        # That the file ends too early is only the echo of what was wrong before.
        own = [e for e in error.errors if not isinstance(e, UnexpectedEOFException)] or error.errors
        return Reading((), tuple(_syntax(e, text, shown) for e in own))
    except ParserError as error:
        return _only(_syntax(error, text, shown))
    if not feature:
        return _only(f"{shown}:1: is empty; a feature begins with `Feature:` and a name")
    scenarios = list(_scenarios(feature))
    line = feature["location"]["line"]
    findings = (
        [] if scenarios else [f'{shown}:{line}: feature "{feature["name"]}" has no scenario, so it promises nothing']
    )
    findings += _duplicates(scenarios, shown)
    for scenario, before in scenarios:
        findings += _incomplete(scenario, before, shown)
    tags = {tag["name"].removeprefix("@"): tag["location"]["line"] for tag in _tags(feature)}
    findings += [
        f"{shown}:{at}: a tag must not begin with an underscore: @{t}" for t, at in tags.items() if t[:1] == "_"
    ]
    return Reading(tuple(s["name"] for s, _ in scenarios), tuple(findings), frozenset(tags))


def _syntax(error: Any, text: str, shown: str) -> str:
    line = error.location["line"] if getattr(error, "location", None) else 1
    lines = text.splitlines()
    written = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    if not written:
        return f"{shown}:{line}: the file ends, or a line is empty, where more was expected ({str(error).strip()})"
    # What a Chinese input method types instead of the signs of Gherkin.
    wide = next((w for w in _FULL_WIDTH if w in written), None)
    hint = f'; it has a full-width "{wide}", Gherkin wants "{_FULL_WIDTH[wide]}"' if wide else ""
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


def _duplicates(scenarios: list[tuple[dict[str, Any], list[dict[str, Any]]]], shown: str) -> list[str]:
    lines: dict[str, list[int]] = defaultdict(list)
    for scenario, _ in scenarios:
        lines[scenario["name"]].append(scenario["location"]["line"])
    return [
        f'{shown}:{found[1]}: a scenario "{name}" stands in line {found[0]} already; give each its own name'
        for name, found in lines.items()
        if len(found) > 1
    ]


def _incomplete(scenario: dict[str, Any], before: list[dict[str, Any]], shown: str) -> Iterator[str]:
    where = f'{shown}:{scenario["location"]["line"]}: scenario "{scenario["name"]}"'
    if not scenario["name"]:
        yield f"{where} has no name"
    kinds = {_KINDS.get(step["keywordType"]) for step in before + scenario["steps"]}
    if "when" not in kinds:
        yield f"{where} has no When: nothing happens in it"
    if "then" not in kinds:
        yield f"{where} has no Then: it proves nothing"
    for table in scenario["examples"]:
        if not table.get("tableBody"):
            yield f"{shown}:{table['location']['line']}: these examples have no row, so the scenario would never run"
