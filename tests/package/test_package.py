# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The package as others get it: a wheel in a fresh environment, and this editable checkout; no Python beside the drill."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from harness import FEATURES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = {"drdrill/features/failover/switchover.feature", "drdrill/fixtures/estates/pocket.yaml", "drdrill/py.typed"}


def call(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    ended = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{command} ended with {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that nothing an earlier build left in this checkout gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    leave = shutil.ignore_patterns(
        ".git", ".venv", ".state", "build", "dist", "out", "*.egg-info", ".*_cache", "__pycache__"
    )
    shutil.copytree(ROOT, folder / "source", ignore=leave)
    call(sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "-w", folder, folder / "source", cwd=folder)
    return next(folder.glob("drdrill-*.whl"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A fresh environment with the wheel and the lab's own parts."""
    folder = tmp_path_factory.mktemp("environment")
    call(sys.executable, "-m", "venv", folder, cwd=folder)
    call(folder / "bin" / "python", "-m", "pip", "install", "-qq", "--no-compile", f"{wheel}[lab]", cwd=folder)
    return folder / "bin"


@pytest.fixture
def a_team(tmp_path):
    """One .feature file and one estate file, nothing else."""
    shutil.copy(FEATURES / "failover" / "switchover.feature", tmp_path / "quarterly.feature")
    shutil.copy(ROOT / "fixtures" / "estates" / "pocket.yaml", tmp_path / "hospital.yaml")
    return tmp_path


def test_the_wheel_carries_the_four_rooms(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= SHIPPED
    assert not [n for n in names if n.startswith(("tests/", "drdrill/reports/out", "steps/", "features/"))]
    in_tree = {f"drdrill/{p.relative_to(ROOT)}" for p in FEATURES.rglob("*.feature")}
    assert in_tree <= names


@pytest.mark.lab
def test_the_wheel_alone_runs_a_drill(environment, a_team, labs):
    lab = labs.get()
    told = call(environment / "pytest", "--estate", "hospital.yaml", "quarterly.feature", cwd=a_team, env=lab.env)
    assert "1 passed" in told
    assert next((a_team / "reports" / "out").glob("*/report.html")).stat().st_size > 0


@pytest.mark.lab
@pytest.mark.long
def test_an_editable_checkout_runs_the_same_drill(a_team, labs):
    lab = labs.get()
    told = call(
        sys.executable, "-m", "pytest", "--estate", "hospital.yaml", "quarterly.feature", cwd=a_team, env=lab.env
    )
    assert "1 passed" in told


def test_a_guest_without_an_estate_collects_nothing_of_ours(environment, a_team):
    (a_team / "test_theirs.py").write_text("def test_theirs():\n    pass\n")
    told = call(environment / "pytest", "-q", cwd=a_team)
    assert "1 passed" in told
