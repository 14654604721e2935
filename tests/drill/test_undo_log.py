# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from drdrill.drill.undo_log import UndoLog, from_json, to_json
from drdrill.errors import BadInput
from drdrill.faults.fault import Undo

if TYPE_CHECKING:
    from pathlib import Path


def undo(hold: str = "d-1") -> Undo:
    return Undo(
        "site-isolated", hold, "d", "pocket", 'site "东区" is isolated', ("a", "b"), ("east",), "every host of site east",
        {"links": "lab"}, "drdrill recover", {"pairs": [["a", "b"]]},
    )  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> UndoLog:
    return UndoLog(tmp_path)


def test_what_was_written_is_read(log: UndoLog) -> None:
    log.write(undo("d-1"))
    log.write(undo("d-2"))
    reading = log.read()
    assert [e.undo for e in reading.entries] == [undo("d-1"), undo("d-2")]
    assert [e.sequence for e in reading.entries] == [1, 2]
    assert reading.findings == ()


def test_only_its_owner_can_read_it(log: UndoLog) -> None:
    entry = log.write(undo())
    assert stat.S_IMODE(entry.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700


def test_an_empty_log_has_nothing_open(log: UndoLog) -> None:
    assert log.read().entries == ()
    log.done("d-1")


def test_a_healed_hold_goes_away_and_the_others_stay(log: UndoLog) -> None:
    for hold in ("d-1", "d-11", "d-2"):
        log.write(undo(hold))
    log.done("d-1")
    assert [e.undo.hold for e in log.read().entries] == ["d-11", "d-2"]


def test_the_sequence_goes_on_in_another_process(log: UndoLog, tmp_path: Path) -> None:
    log.write(undo("d-1"))
    assert UndoLog(tmp_path).write(undo("d-2")).sequence == 2


def test_a_torn_record_is_shown_and_hides_no_other(log: UndoLog) -> None:
    torn = log.write(undo("d-1")).path
    log.write(undo("d-2"))
    torn.write_bytes(torn.read_bytes()[:-40])
    reading = log.read()
    assert [e.undo.hold for e in reading.entries] == ["d-2"]
    assert len(reading.findings) == 1
    assert str(torn) in reading.findings[0]
    assert torn.exists()


@pytest.mark.parametrize("length", range(0, 400, 7))
def test_a_record_torn_anywhere_is_never_run(log: UndoLog, length: int) -> None:
    path = log.write(undo()).path
    path.write_bytes(path.read_bytes()[:length])
    reading = log.read()
    assert reading.entries == ()
    assert len(reading.findings) == 1


def test_a_forged_record_is_never_run(log: UndoLog) -> None:
    path = log.write(undo()).path
    data = json.loads(path.read_text())
    data["undo"]["hosts"] = ["somebody-elses-host"]
    path.write_text(json.dumps(data))
    reading = log.read()
    assert reading.entries == ()
    assert "checksum" in reading.findings[0]


def test_a_record_under_another_name_is_never_run(log: UndoLog) -> None:
    path = log.write(undo()).path
    path.rename(path.with_name("000001-d-7.json"))
    assert "its name" in log.read().findings[0]


def test_a_draft_is_no_undo(log: UndoLog) -> None:
    entry = log.write(undo())
    entry.path.rename(entry.path.with_suffix(".draft"))
    assert log.read().entries == ()
    assert log.read().findings == ()


def test_a_newer_versions_record_is_still_read() -> None:
    assert from_json({**to_json(undo()), "version": 2, "colour": "red"}).version == 2


def test_a_record_without_hosts_is_bad_input() -> None:
    with pytest.raises(BadInput, match="not an undo record"):
        from_json({"fault": "site-isolated"})
