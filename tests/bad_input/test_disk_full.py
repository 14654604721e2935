# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up in the middle of a drill: what is not recorded did not happen, so it stops, and it heals."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import HELD
from harness import workers_of

from drdrill.drill.undo_log import UndoLog
from drdrill.estate import state
from drdrill.journal import events
from drdrill.journal.journal import FILE_NAME, Journal, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bad_input_helpers import Folder
    from harness import Labs, Ran, Running

pytest_plugins = ["pytester"]


def no_more(pid: int, *files: Path) -> None:
    """From now on a process can make none of these files longer: for a write it is as if the disk were full."""
    size = max(path.stat().st_size for path in files)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))


def test_a_drill_whose_journal_takes_no_event_any_more_aborts_and_heals(folder: Folder):
    folder.write("a.feature", HELD)
    process = folder.start("a.feature", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    folder.await_held(process)
    no_more(process.pid, folder.drill / FILE_NAME)
    words = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 6, words
    assert "Traceback" not in words
    assert "ABORTED, the estate is restored" in words
    flat = " ".join(words.split())
    assert f"The journal {folder.drill.resolve()}/journal.jsonl takes no event any more" in flat
    assert "make room there, or name another folder with --drill-out" in flat
    reading = folder.journal
    assert (reading.broken, reading.torn) == (None, None), "what was written before is whole"
    assert not UndoLog(state.folder("clinic")).read().entries
    assert folder.drdrill("recover", "--estate", "clinic.yaml").returncode == 0


def test_what_was_lost_is_counted_once_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with Journal(tmp_path / "drill") as written:
        written.write(events.NOTE, words="before")
        written.best_effort()
        monkeypatch.setattr("drdrill.journal.journal.os.write", lambda _fd, raw: len(raw) - 1)
        for _ in range(2):
            written.write(events.FAULT_HEALING, hold="h", reason="end")
        monkeypatch.undo()
        written.write(events.NOTE, words="after")
        assert written.lost == [events.FAULT_HEALING] * 2
    reading = read(tmp_path / "drill")
    assert reading.broken is None
    told = [e.data["words"] for e in reading.events]
    assert told == ["before", "2 events before this one could not be written: fault.healing", "after"]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[str]:
    """A disk of its own of 48 MB; gives why there is none, if it cannot be had. Needs root, and a container that may mount."""
    folder.mkdir()
    asked = ["/bin/mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    mounted = subprocess.run(asked, capture_output=True, text=True, check=False)
    if mounted.returncode:
        yield mounted.stderr.strip()
        return
    try:
        yield ""
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Until not one byte is left."""
    file = os.open(folder / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while os.write(file, bytes(size)):
                    pass
    finally:
        os.close(file)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk: run as root")
def test_the_end_of_a_drill_has_room_on_a_full_disk(tmp_path: Path):
    disk = tmp_path / "disk"
    with small_disk(disk) as refused:
        if refused:
            pytest.skip(f"no small disk can be mounted here ({refused}): run as root, where mounting is allowed")
        the_end_has_room(disk)


def the_end_has_room(disk: Path) -> None:
    with Journal(disk / "drill") as written:
        written.write(events.NOTE, words="before")
        fill(disk)
        with pytest.raises(OSError, match="is the disk full.*make room there"):
            written.write(events.NOTE, words="x" * 5000)
        written.best_effort()
        written.write(events.DRILL_ENDED, result="aborted", restoration="restored", seconds=1.0)
        assert written.lost == []
        reading = read(disk / "drill")
        assert reading.events[-1].kind == events.DRILL_ENDED
        assert reading.broken is None


FEATURE = """\
Feature: A disk that fills up
  Scenario: The disk fills up while a campus is cut off
    Given the estate is healthy
    And 25 writes per second go through service "registration" at every site
    When site "south" is isolated
    And the fault is held for 60 s
    Then no acknowledged write is lost
"""


@pytest.mark.lab
@pytest.mark.long
def test_in_the_lab_a_full_disk_stops_the_measuring_and_the_drill_and_leaves_the_lab_whole(labs: Labs, tmp_path: Path):
    lab = labs.get()
    feature = tmp_path / "a.feature"
    feature.write_text(FEATURE)
    whole = lab.out
    with small_disk(tmp_path / "disk") as refused:
        if not refused:
            lab.out = tmp_path / "disk"
        try:
            running = lab.start("full", feature)
            running.wait_for(events.STEP_BEGUN, index=3)
            limit_all(running) if refused else fill(lab.out)
            ran = running.end()
            stopped_and_healed(ran)
            if not refused:
                # The room that was kept aside took the end, and the report can be made from it.
                assert (ran.result, ran.restoration) == ("aborted", "restored")
        finally:
            lab.out = whole
    assert not UndoLog(lab.state / "pocket").read().entries
    status = lab.drdrill("lab", "status")
    assert status.returncode == 0
    assert "nothing is struck" in status.stdout


def stopped_and_healed(ran: Ran) -> None:
    assert ran.status == 6, ran.output
    flat = " ".join(ran.output.split())
    assert "ABORTED, the estate is restored" in flat
    assert "NOT MEASURED any more: the measuring process" in flat
    assert "only a part of a record; is the disk full?" in flat or "cannot be written (" in flat, ran.output
    assert "Traceback" not in ran.output
    assert ran.recording.journal.broken is None


def limit_all(running: Running) -> None:
    """Without root: each process of the drill is held at the length that its longest file has."""
    folder = running.folder()
    assert folder is not None
    data = list((folder.parent / "data").glob("*.bin"))
    for pid in workers_of(running, ""):
        no_more(pid, *data)
    no_more(running.process.pid, folder)
