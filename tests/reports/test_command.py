# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill report`: by folder, by name, or the latest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import drills
import pytest
from click.testing import CliRunner

from drdrill.cli.report import command
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "reports" / "out"
    for age, name in enumerate(("killed", "met")):
        made = drills.ALL[name](folder / f"20261124T22300{age}Z-{name}")
        os.utime(made / "journal.jsonl", (1e9 - age, 1e9 - age))
    return folder


@pytest.mark.parametrize("how", ["path", "name", "latest"])
def test_the_report_of_a_killed_drill_is_written_and_its_path_printed(out: Path, how: str) -> None:
    folder = out / "20261124T223000Z-killed"
    drill = {"path": str(folder), "name": folder.name, "latest": "latest"}[how]
    done = CliRunner().invoke(command, [drill, "--out", str(out)])
    assert done.exit_code == 0
    # The path alone, for whoever opens it from a script; what is torn is said beside it.
    assert done.stdout.strip() == str(folder / "report.html")
    assert "19 bytes of an unfinished event were cut from the end" in done.stderr
    assert "killed, or it is still running" in (folder / "report.html").read_text()


@pytest.mark.parametrize("drill", ["20200101T000000Z-none", "/nowhere"])
def test_a_drill_that_is_not_there_is_bad_input_that_names_what_is(out: Path, drill: str) -> None:
    done = CliRunner().invoke(command, [drill, "--out", str(out)])
    assert isinstance(done.exception, BadInput)
    assert done.exception.exit_status == 4
    assert "20261124T223001Z-met" in str(done.exception)


def test_latest_of_nothing_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["latest", "--out", str(tmp_path)])
    assert isinstance(done.exception, BadInput)
    assert "drdrill run" in str(done.exception)
