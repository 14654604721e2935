# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks can be run. What they find is no business of a test: a machine that is busy today is no defect."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

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
