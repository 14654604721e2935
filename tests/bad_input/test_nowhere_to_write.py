# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a drill leaves behind must have a place: where it has none a person hears of it before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import CUT

from drdrill.bdd import places

if TYPE_CHECKING:
    from pathlib import Path

    from bad_input_helpers import Folder

pytest_plugins = ["pytester"]

# A folder below a plain file can be made by nobody, root included.
CASES = {
    "the folder of drills": (("--drill-out", "afile/out"), {}, "afile/out: drills cannot be recorded there (not a directory)"),
    "the JUnit file": (("--junitxml", "afile/j.xml"), {}, "afile/j.xml: the JUnit file cannot be written there (not a directory)"),
    "the state folder": ((), {"DRDRILL_STATE": "afile"}, "afile/clinic: undo log and lock cannot be kept there (not a directory)"),
    "TMPDIR": ((), {"TMPDIR": "/nowhere"}, "TMPDIR is /nowhere, and nothing can be written there (no such file or directory)"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_place_that_cannot_be_written_is_said_before_anything_is_touched(folder: Folder, case: str):
    options, environment, words = CASES[case]
    folder.write("a.feature", CUT)
    folder.write("afile", "")
    ran = folder.run("a.feature", *options, **environment)
    assert ran.returncode == 4, ran.stdout
    assert "not begun, nothing was touched:\n" in ran.stdout
    assert words in ran.stdout
    assert "generated xml file" not in ran.stdout
    assert not folder.touched()


def test_all_of_them_are_said_at_once(folder: Folder):
    folder.write("a.feature", CUT)
    folder.write("afile", "")
    ran = folder.run("a.feature", "--drill-out", "afile/o", "--junitxml", "afile/j", DRDRILL_STATE="afile")
    assert ran.returncode == 4
    assert ran.stdout.count("(not a directory)") == 3


def test_a_junit_file_that_cannot_be_written_any_more_at_the_end_hides_no_result(folder: Folder):
    folder.write(
        "conftest.py", "import shutil\ndef pytest_runtest_teardown():\n    shutil.rmtree('xml')\n    open('xml', 'w')\n"
    )
    folder.write("a.feature", CUT)
    folder.write("xml/readme", "")
    ran = folder.run("a.feature", "--junitxml", "xml/j.xml")
    assert "MET, the estate is restored" in ran.stdout
    assert "NOT WRITTEN: " in ran.stdout
    assert ran.returncode == 3


def test_collecting_only_needs_no_place(folder: Folder):
    folder.write("a.feature", CUT)
    folder.write("afile", "")
    assert folder.run("a.feature", "--collect-only", "--drill-out", "afile/out").returncode == 0


def test_the_trial_leaves_nothing_behind(tmp_path: Path):
    assert places.refused(tmp_path / "a" / "b") is None
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_nearly_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = places.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(places.shutil, "disk_usage", lambda _: usage._replace(free=3 << 20))
    assert places.refused(tmp_path) == "only 3 MB are free, and a drill wants 32"


def test_a_file_that_may_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "j.xml").touch()
    monkeypatch.setattr(places.os, "access", lambda *_: False)  # Root may write everything.
    (words,) = places.problems(tmp_path, "clinic", str(tmp_path / "j.xml"), {})
    assert "it is there and may not be written" in words
