# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks can be run. What they find is no business of a test: a machine that is busy today is no defect."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

RUN = [sys.executable, str(ROOT / "benchmarks" / "run.py")]


def test_a_benchmark_prints_a_table_and_leaves_its_figures(tmp_path: Path):
    figures = tmp_path / "bench.json"
    ended = subprocess.run([*RUN, "report", "--json", str(figures)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "ratio" in ended.stdout
    told = json.loads(figures.read_text())
    assert told["machine"]["cores"] >= 1
    (figure,) = told["figures"]
    assert len(figure["ours"]) > 1
    assert min(figure["ours"]) > 0


def test_a_benchmark_that_is_not_there_is_named_with_those_that_are():
    ended = subprocess.run([*RUN, "speed"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "no benchmark is called speed; there are plugin_import, report" in ended.stderr
    assert "heal_on_abort" in ended.stderr


def test_every_benchmark_can_be_loaded_without_a_peer_and_without_root():
    """Those that raise labs are too long for a test; what they import is there all the same."""
    look = "import importlib, run; [importlib.import_module(name).measure for name in (*run.ALL, *run.NAMED)]"
    argv = [sys.executable, "-c", look]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "benchmarks")}
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_fault_that_was_left_is_told_as_such(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    table = importlib.import_module("heal_on_abort")
    cells = [
        table.Cell(event, tool, 40, None if tool == table.PEER and event == "SIGKILL" else 0.5)
        for event in table.EVENTS
        for tool in table.COLUMNS
    ]
    lines = table.rows(cells)
    assert lines[-2] == "| SIGKILL | **no**, in 45 s | yes, 0.5 s | yes, 0.5 s |"
    assert lines[-1] == "| healed | **5 of 6** | **6 of 6** | **6 of 6** |"
