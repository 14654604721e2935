# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Printing never fails a heal, and never changes how a drill ends."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import CUT, HELD

from drdrill.drill.undo_log import UndoLog
from drdrill.estate import state
from drdrill.journal import events

if TYPE_CHECKING:
    from bad_input_helpers import Folder

    from drdrill.journal.journal import Reading

pytest_plugins = ["pytester"]


def ended(journal: Reading) -> tuple[str, str]:
    last = journal.last(events.DRILL_ENDED)
    assert last is not None
    assert journal.broken is None
    return last.data["result"], last.data["restoration"]


@pytest.mark.parametrize("how", ["closed pipe", "full disk", "closed before it began"])
def test_a_drill_whose_words_nobody_takes_ends_as_it_would_have(folder: Folder, how: str):
    folder.write("a.feature", CUT)
    if how == "closed pipe":
        reader, writer = os.pipe()
        os.close(reader)
        process = folder.start("a.feature", stdout=writer, stderr=writer)
        os.close(writer)
    elif how == "full disk":
        with Path("/dev/full").open("wb") as full:
            process = folder.start("a.feature", stdout=full, stderr=full)
    else:
        process = folder.start("a.feature", preexec_fn=lambda: os.closerange(0, 3))
    assert process.wait(60) == 0
    assert ended(folder.journal) == ("met", "restored")
    assert (folder.drill / "report.html").is_file()


def test_a_pipe_that_closes_while_a_fault_is_held_stops_nothing(folder: Folder):
    folder.write("a.feature", CUT.replace("    And site", "    And the fault is held for 2 s\n    And site"))
    process = folder.start("a.feature", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    folder.await_held(process)
    process.stdout.close()
    assert process.wait(60) == 0
    assert ended(folder.journal) == ("met", "restored")


def test_a_terminal_that_closes_while_a_fault_is_held_makes_the_drill_heal(folder: Folder):
    folder.write("a.feature", HELD)
    ours, theirs = pty.openpty()
    # A session of its own, whose terminal this is: when it goes the kernel sends SIGHUP, and every write fails.
    process = folder.start(
        "a.feature", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )  # fmt: skip
    os.close(theirs)
    folder.await_held(process)
    os.close(ours)
    assert process.wait(60) == 2
    journal = folder.journal
    assert ended(journal) == ("aborted", "restored")
    assert any(journal.of(events.FAULT_HEALED))
    judged = journal.last(events.DRILL_JUDGED)
    assert judged is not None
    assert judged.data["reasons"][0] == "The drill was told to stop by SIGHUP."
    assert not UndoLog(state.folder("clinic")).read().entries


def test_recover_heals_all_although_nobody_reads_what_it_says(folder: Folder):
    folder.write("a.feature", HELD)
    process = folder.start("a.feature", stdout=subprocess.DEVNULL)
    folder.await_held(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    log = UndoLog(state.folder("clinic"))
    assert log.read().entries
    reader, writer = os.pipe()
    os.close(reader)
    recovering = folder.command("recover", "--estate", "clinic.yaml", stdout=writer, stderr=writer)
    os.close(writer)
    assert recovering.wait(60) == 0
    assert not log.read().entries


@pytest.mark.parametrize(
    ("arguments", "status"), [(("nonsense",), 4), (("report", "nowhere"), 4), (("lab", "status"), 1)]
)
def test_a_command_whose_words_nobody_takes_ends_with_its_own_status(
    folder: Folder, arguments: tuple[str, ...], status: int
):
    reader, writer = os.pipe()
    os.close(reader)
    process = folder.command(*arguments, stdout=writer, stderr=writer)
    os.close(writer)
    assert process.wait(60) == status
