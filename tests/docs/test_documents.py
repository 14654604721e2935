# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Every command and code block of the documents is run, so that none of them lies."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT

from drdrill.errors import BadInput
from drdrill.estate.load import load

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")

# These would run this test again, change this environment, or are run whole by another test; that they exist is checked here.
ELSEWHERE = {
    "./scripts/test": "this is it",
    "./scripts/lint": "scripts/test runs it",
    "./scripts/bench": "tests/benchmarks runs a part of it",
    "./scripts/drill": "tests/drills runs each of its drills",
    "pip install": "tests/package installs the wheel",
    "drdrill lab": "the lab of this test is raised and taken down by it",
}

WHOLE = ("drdrill run --estate pocket", "pytest features/ --estate pocket")


def blocks(language: str):
    for path in DOCUMENTS:
        for match in BLOCK.finditer(path.read_text()):
            if match[1] == language:
                yield path, match[2]


def commands():
    for path, text in blocks("console"):
        for line in text.splitlines():
            if line.startswith("$ "):
                yield pytest.param(line[2:].split(" #")[0].strip(), id=f"{path.name}: {line[2:50].strip()}")


@pytest.fixture(scope="module")
def desk(labs, tmp_path_factory):
    """Where a reader stands: a folder with features, and with the report of a drill that was run there."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "features").symlink_to(ROOT / "features")
    drill = ["run", "--estate", "pocket", "features/failover/switchover.feature"]
    ended = labs.get().drdrill(*drill, cwd=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.mark.lab
@pytest.mark.parametrize("command", list(commands()))
def test_a_command_of_a_document_works(command, labs, desk):
    words = shlex.split(command)
    if any(command.startswith(known) for known in ELSEWHERE):
        assert not words[0].startswith("./") or os.access(ROOT / words[0], os.X_OK)
        return
    if command.startswith(WHOLE):
        # Everything but the drills themselves: found, compiled, checked against the estate. tests/drills runs each of them.
        words.append("--collect-only")
    lab = labs.get()
    env = {**lab.env, "PATH": f"{Path(sys.executable).parent}:{lab.env['PATH']}"}
    ended = subprocess.run(words, cwd=desk, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_documents_have_commands_to_run():
    assert len(list(commands())) > 5


def test_every_block_of_a_document_is_of_a_kind_that_is_tested():
    """Commands, estates and features here; Python in test_contributing.py. A block without a kind is a picture, not code."""
    tested = {"console", "yaml", "gherkin", "python", ""}
    kinds = {(path.name, match[1]) for path in DOCUMENTS for match in BLOCK.finditer(path.read_text())}
    assert {kind for _, kind in kinds} <= tested
    assert {name for name, kind in kinds if kind == "python"} == {"CONTRIBUTING.md"}
    assert {name for name, kind in kinds if kind == "gherkin"} == {"README.md"}


@pytest.mark.parametrize(("path", "text"), list(blocks("yaml")), ids=lambda v: getattr(v, "name", ""))
def test_an_estate_of_a_document_loads(path, text, tmp_path):
    written = tmp_path / f"{path.stem}.yaml"
    written.write_text(text)
    assert load(str(written), lab=False).name == "hospital"
    written.write_text(text.replace("rto:", "rtoo:"))
    with pytest.raises(BadInput):
        load(str(written), lab=False)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_a_link_of_a_document_points_at_something(path):
    gone = [target for target in LINK.findall(path.read_text()) if not (path.parent / target).exists()]
    assert not gone


def test_a_feature_in_the_readme_is_one_that_ships():
    """What the README shows is what a drill runs: every sentence of it stands in the shipped feature."""
    shipped = (ROOT / "features" / "site_isolation" / "site_cut_off.feature").read_text()
    lines = [line.strip() for _, text in blocks("gherkin") for line in text.splitlines() if '"' in line]
    assert lines
    for line in lines:
        assert line.split(" ", 1)[1] in shipped, line
