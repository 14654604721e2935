# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os

import pytest

from drdrill.errors import BadInput
from drdrill.journal.journal import FILE_NAME, Journal, read


@pytest.fixture
def written(tmp_path):
    with Journal(tmp_path / "drill") as journal:
        for n in range(3):
            journal.write("note", words=f"第 {n}")
    return tmp_path / "drill"


def test_what_was_written_is_read_in_order(written):
    reading = read(written)
    assert [e.data["words"] for e in reading.events] == ["第 0", "第 1", "第 2"]
    assert reading.torn is None
    assert reading.broken is None
    assert reading.events[0].t < reading.events[2].t


@pytest.mark.parametrize("cut", [1, 5, 60])
def test_a_torn_tail_is_cut_and_said_and_nothing_before_it_is_lost(written, cut):
    path = written / FILE_NAME
    raw = path.read_bytes()
    path.write_bytes(raw[:-cut])
    reading = read(written)
    assert [e.data["words"] for e in reading.events] == ["第 0", "第 1"]
    assert reading.torn is not None
    assert reading.broken is None


def test_a_changed_line_breaks_the_chain_there(written):
    path = written / FILE_NAME
    lines = path.read_text().splitlines()
    changed = json.loads(lines[1])
    changed["data"]["words"] = "another"
    lines[1] = json.dumps(changed)
    path.write_text("\n".join(lines) + "\n")
    reading = read(written)
    assert len(reading.events) == 1
    assert reading.broken is not None
    assert ":2: this line is not what was written" in reading.broken


def test_a_removed_line_breaks_the_chain(written):
    path = written / FILE_NAME
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    assert read(written).broken is not None


def test_a_signal_between_writing_and_taking_note_breaks_no_chain(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "drill")
    journal.write("note", words="before")

    def interrupted(_fd):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.write("note", words="written, but nobody took note")
    monkeypatch.undo()
    journal.write("note", words="after")
    reading = read(tmp_path / "drill")
    assert reading.broken is None
    assert [e.n for e in reading.events] == [0, 1, 2]
    assert reading.events[-1].data["words"] == "after"


def test_the_routine_of_a_held_fault_is_synced_with_what_comes_next(tmp_path, monkeypatch):
    journal, synced = Journal(tmp_path / "drill"), []
    monkeypatch.setattr("os.fsync", lambda _fd: synced.append(len(read(tmp_path / "drill").events)))
    journal.write("fault.struck", hold="d-1")
    journal.write("fault.renewed", hold="d-1")
    journal.write("fault.looked", hold="d-1")
    assert len(read(tmp_path / "drill").events) == 3
    journal.write("fault.healing", hold="d-1")
    assert synced == [1, 4]


def torn_while_open(folder, raw: bytes, cut: int) -> list:
    journal = Journal(folder)
    for n in range(3):
        journal.write("note", words=f"{n}")
    path = folder / FILE_NAME
    path.write_bytes(path.read_bytes()[: -cut or None] + raw)
    journal.write("note", words="after")
    reading = read(folder)
    assert (reading.broken, reading.torn) == (None, None)
    return [(e.n, e.kind, e.data.get("words") if e.kind == "note" else e.data["gone"]) for e in reading.events]


def test_a_journal_torn_while_it_is_written_goes_on_after_its_last_whole_event_and_says_so(tmp_path):
    """Cut in the middle of the last event: that one is gone, and nobody may believe that nothing is."""
    assert torn_while_open(tmp_path / "a", b"", 20) == [
        (0, "note", "0"), (1, "note", "1"), (2, "journal.torn", 1), (3, "note", "after"),
    ]  # fmt: skip


def test_half_an_event_of_somebody_else_is_cut_and_said(tmp_path):
    assert torn_while_open(tmp_path / "b", b'{"n": 99, "t":', 0) == [
        (0, "note", "0"), (1, "note", "1"), (2, "note", "2"), (3, "journal.torn", 0), (4, "note", "after"),
    ]  # fmt: skip


def test_an_event_that_did_not_fit_leaves_nothing_of_itself(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "drill")
    journal.write("note", words="before")
    whole = os.write
    monkeypatch.setattr("os.write", lambda fd, raw: whole(fd, raw[:10]))
    with pytest.raises(OSError, match="only a part of an event"):
        journal.write("note", words="does not fit")
    monkeypatch.undo()
    journal.write("note", words="after")
    reading = read(tmp_path / "drill")
    assert (reading.broken, reading.torn) == (None, None)
    assert [e.data["words"] for e in reading.events] == ["before", "after"]


def test_two_drills_never_share_a_journal(written):
    with pytest.raises(FileExistsError):
        Journal(written)


def test_a_folder_without_a_journal_is_told(tmp_path):
    with pytest.raises(BadInput, match="no journal can be read"):
        read(tmp_path)


def test_a_full_disk_is_not_silent(written, monkeypatch):
    """A write that the disk took only a part of is an error: what is not recorded did not happen."""
    monkeypatch.setattr("drdrill.journal.journal.os.write", lambda _fd, raw: len(raw) - 1)
    with (
        Journal(written / "other") as journal,
        pytest.raises(OSError, match=r"only a part of an event; is the disk full"),
    ):
        journal.write("note", words="x")
