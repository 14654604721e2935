# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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


# As they lie on the disks of those who drilled with the first version of undo records.
VERSION_1 = """\
{
 "sequence": 1,
 "undo": {
  "fault": "site-isolated",
  "hold": "d-1",
  "drill": "d",
  "estate": "pocket",
  "title": "site \\"东区\\" is isolated",
  "hosts": ["a", "b"],
  "sites": ["east"],
  "why": "every host of site east",
  "way_in": {"links": "lab"},
  "command": "drdrill recover",
  "params": {"pairs": [["a", "b"]]},
  "version": 1
 },
 "sha256": "5592b16b15b149a1601e819a214497a33c8a2c49022a264d78f0605b2777f156"
}"""


def written(log: UndoLog, **changes: object) -> None:
    """A record of somebody else, with its right checksum."""
    body = {"sequence": 1, "undo": {**json.loads(VERSION_1)["undo"], **changes}}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    log.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = log.folder / "000001-d-1.json"
    path.write_text(json.dumps({**body, "sha256": hashlib.sha256(text.encode()).hexdigest()}))
    path.chmod(0o600)


def test_a_record_of_version_1_is_read(log: UndoLog) -> None:
    log.folder.mkdir(mode=0o700)
    path = log.folder / "000001-d-1.json"
    path.write_text(VERSION_1)
    path.chmod(0o600)
    (entry,) = log.read().entries
    assert entry.undo == undo()


def test_a_newer_record_that_only_adds_something_is_read(log: UndoLog) -> None:
    written(log, version=2, since=1, colour="red")
    (entry,) = log.read().entries
    assert entry.undo == replace(undo(), version=2)


def test_a_newer_record_that_means_something_else_is_refused_with_the_reason(log: UndoLog) -> None:
    written(log, version=2, hosts={"a": "its board"})
    reading = log.read()
    assert reading.entries == ()
    assert (
        "written by a newer drdrill, as version 2 of undo records, and this one knows version 1" in reading.findings[0]
    )


@pytest.mark.parametrize("version", [0, -1, "1", None, True, [1]])
def test_a_version_that_is_none_is_refused(log: UndoLog, version: object) -> None:
    written(log, version=version, since=version if version is not True else 2)
    assert log.read().entries == ()
    assert "not an undo record" in log.read().findings[0]


def test_a_record_that_others_may_write_is_not_read(log: UndoLog) -> None:
    path = log.write(undo()).path
    for mode in (0o620, 0o602, 0o666):
        path.chmod(mode)
        reading = log.read()
        assert reading.entries == ()
        assert f"it may be written by others (mode {mode:04o})" in reading.findings[0]
    path.chmod(0o600)
    assert log.read().findings == ()


def test_a_folder_that_others_may_write_is_not_read_and_not_written(log: UndoLog) -> None:
    log.write(undo())
    for folder in (log.folder, log.folder.parent):
        folder.chmod(0o770)
        assert log.read().entries == ()
        assert f"{folder}: may be written by others (mode 0770)" in log.read().findings[0]
        with pytest.raises(PermissionError, match="may be written by others"):
            log.write(undo("d-2"))
        folder.chmod(0o700)
    assert len(log.read().entries) == 1


def test_a_log_of_another_user_is_not_read_and_not_written(log: UndoLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write(undo())
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert log.read().entries == ()
    assert f"belongs to user {mine}, and this is user {mine + 1}" in log.read().findings[0]
    with pytest.raises(PermissionError, match=f"belongs to user {mine}"):
        log.write(undo("d-2"))


def test_a_link_is_followed_nowhere(log: UndoLog, tmp_path: Path) -> None:
    path = log.write(undo()).path
    elsewhere = tmp_path / "elsewhere.json"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert log.read().entries == ()
    assert str(path) in log.read().findings[0]
    other = UndoLog(tmp_path / "other")
    other.folder.parent.mkdir(mode=0o700)
    other.folder.symlink_to(log.folder)
    assert "is no folder of its own but a link" in other.read().findings[0]


def test_a_pipe_in_place_of_a_record_keeps_nobody_waiting(log: UndoLog) -> None:
    path = log.write(undo()).path
    path.unlink()
    os.mkfifo(path, 0o600)
    assert "no plain file" in log.read().findings[0]


@pytest.mark.parametrize("hold", ["../../etc/d-1", "/d-1", "d-1\n", "", ".d-1", "d;1", "d 1", "d" * 200])
def test_a_hold_whose_name_leads_elsewhere_is_not_written(log: UndoLog, hold: str) -> None:
    with pytest.raises(OSError, match="cannot be the name of a hold"):
        log.write(undo(hold))
    assert not log.folder.exists()


def test_two_drills_never_share_a_record(log: UndoLog) -> None:
    log.write(undo())
    with pytest.raises(FileExistsError, match="a record of d-1 already"):
        log.write(replace(undo(), title="another"))
    assert [e.undo for e in log.read().entries] == [undo()]


def test_two_processes_never_share_a_sequence_number(log: UndoLog, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: UndoLog(tmp_path).write(undo(f"d-{n}")), range(24)))
    assert [e.sequence for e in log.read().entries] == list(range(1, 25))
