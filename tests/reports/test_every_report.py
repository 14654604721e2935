# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every report keeps, ours and a team's own: a new one gets these tests by being listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import drills
import pytest

from drdrill.journal.journal import FILE_NAME
from drdrill.journal.recording import load
from drdrill.reports import known

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.reports import Report

REPORTS = pytest.mark.parametrize("report", known(), ids=lambda r: str(r.NAME))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@REPORTS
@pytest.mark.parametrize("name", drills.ALL)
def test_it_writes_one_file_and_changes_nothing_else(report: Report, name: str, tmp_path: Path) -> None:
    folder = drills.ALL[name](tmp_path / name)
    before = contents(folder)
    out = folder / report.NAME
    assert report.write(load(folder), out) == out
    after = contents(folder)
    assert after.pop(report.NAME)
    assert after == before


@REPORTS
def test_the_same_record_gives_the_same_report(report: Report, tmp_path: Path) -> None:
    recording = load(drills.met(tmp_path / "met"))
    first = report.write(recording, tmp_path / "one").read_bytes()
    assert report.write(recording, tmp_path / "two").read_bytes() == first


@REPORTS
@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 0.75, 0.95, 0.999])
def test_a_journal_that_ends_anywhere_can_be_reported(report: Report, share: float, tmp_path: Path) -> None:
    """A runner can be killed between any two bytes."""
    folder = drills.residual(tmp_path / "residual")
    raw = (folder / FILE_NAME).read_bytes()
    (folder / FILE_NAME).write_bytes(raw[: int(len(raw) * share)])
    assert report.write(load(folder), folder / report.NAME).stat().st_size


@REPORTS
def test_data_that_is_gone_is_not_invented(report: Report, tmp_path: Path) -> None:
    folder = drills.met(tmp_path / "met")
    for path in (folder / "data").iterdir():
        path.unlink()
    assert report.write(load(folder), folder / report.NAME).stat().st_size


@REPORTS
def test_a_report_that_cannot_be_written_leaves_the_old_one(report: Report, tmp_path: Path) -> None:
    folder = drills.met(tmp_path / "met")
    out = folder / report.NAME
    out.write_text("old")
    recording = load(drills.met(tmp_path / "other"))
    broken = type("Broken", (), {"__getattr__": lambda *_: 1 / 0})()
    with pytest.raises(ZeroDivisionError):
        report.write(broken, out)
    assert out.read_text() == "old"
    assert report.write(recording, out).read_text() != "old"
