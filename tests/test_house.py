# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The shape of the house holds: who may import whom, who may touch vendors, what is packed, what is too large."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "drdrill"
ROOMS = ("features", "fixtures", "reports", "steps")

# A room may import rooms of a lower rank, and its own. The same picture stands in ARCHITECTURE.md.
RANK = {
    "errors": 0,
    "estate": 1,
    "journal": 2,
    "connect": 3,
    "engines": 4,
    "checkers": 5,
    "faults": 5,
    "measure": 5,
    "drill": 6,
    "bdd": 7,
    "plugin": 8,
    "cli": 9,
}
VENDORS = {"psycopg", "pyodbc", "openstack", "testinfra", "aiohttp", "psutil", "patroni", "asyncssh", "pysyncobj"}
MAY_TOUCH_VENDORS = {"connect", "engines", "measure", "lab"}


def sources():
    yield from sorted(SRC.rglob("*.py"))
    for room in ROOMS:
        yield from sorted(p for p in (ROOT / room).rglob("*.py") if "out" not in p.parts)


def room_of(path: Path) -> str:
    if path.is_relative_to(SRC):
        first = path.relative_to(SRC).parts[0]
        return first.removesuffix(".py")
    return path.relative_to(ROOT).parts[0]


def imports_of(path: Path):
    """Every module that a file imports, where, and whether only for types."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [node.module or ""]
            if node.module == "drdrill":
                names = [f"drdrill.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, node.lineno, id(node) in typing_only, id(node) in top


def test_imports_run_one_way():
    wrong = []
    for path in sources():
        room = room_of(path)
        for name, line, _, _ in imports_of(path):
            parts = name.split(".")
            if parts[0] != "drdrill" or len(parts) == 1:
                continue
            other = parts[1]
            if not allowed(room, other):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {room} imports {other}")
    assert not wrong, "\n".join(wrong)


def allowed(room: str, other: str) -> bool:
    if room == other:
        return True
    special = {"lab": other in {"estate", "errors"}, "reports": other in {"journal", "errors", "estate"}}
    if room in special:
        return special[room]
    if other == "lab":
        return room == "cli"
    if other in ROOMS:
        return False
    return room in ROOMS or RANK[other] < RANK[room]


def test_only_the_rooms_that_touch_an_estate_import_vendors():
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {room_of(path)} imports {name}"
        for path in sources()
        for name, line, typing_only, _ in imports_of(path)
        if name.split(".")[0] in VENDORS and not typing_only and room_of(path) not in MAY_TOUCH_VENDORS
    ]
    assert not wrong, "\n".join(wrong)


def test_vendors_are_imported_late_outside_of_the_lab():
    """A guest that only loads our plugin, or a drill without that way in, must not pay for a driver."""
    late = VENDORS - {"aiohttp"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sources()
        for name, line, typing_only, top in imports_of(path)
        if name.split(".")[0] in late and top and not typing_only and room_of(path) != "lab"
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_is_packed():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {".".join(("drdrill", *p.parent.relative_to(SRC).parts)) for p in SRC.rglob("__init__.py")}
    there |= {f"drdrill.{room}" for room in ROOMS}
    assert there == listed


def test_every_folder_of_code_is_a_package():
    bare = {p.parent.relative_to(ROOT) for p in SRC.rglob("*.py") if not (p.parent / "__init__.py").exists()}
    assert not bare


@pytest.mark.parametrize("path", list(sources()), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_is_small(path):
    """Above 300 lines a file does two things."""
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", sorted(ROOT.glob("scripts/*")), ids=lambda p: p.name)
def test_a_script_says_what_it_does(path):
    lines = path.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[1].startswith("# ")
    assert path.stat().st_mode & 0o111
