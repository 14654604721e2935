# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import os
import shlex
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.drill import owned
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


def written(log: UndoLog, data: dict[str, Any]) -> Path:
    """A record as some version of drdrill wrote it, with its own checksum."""
    log.folder.mkdir(mode=0o700, exist_ok=True)
    body = {"sequence": 1, "undo": data}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path = log.folder / f"000001-{data['hold']}.json"
    path.write_text(json.dumps({**body, "sha256": hashlib.sha256(text.encode()).hexdigest()}))
    path.chmod(0o600)
    return path


VERSION_1 = """{"sequence": 1, "undo": {"fault": "site-isolated", "hold": "d-1", "drill": "d", "estate": "pocket",
"title": "site \\"\u4e1c\u533a\\" is isolated", "hosts": ["a", "b"], "sites": ["east"], "why": "every host of site east",
"way_in": {"links": "lab"}, "command": "drdrill recover", "params": {"pairs": [["a", "b"]]}, "version": 1},
"sha256": "SUM"}"""
SUM_1 = "5592b16b15b149a1601e819a214497a33c8a2c49022a264d78f0605b2777f156"


def test_a_record_of_version_1_as_it_was_written_then_is_read(log: UndoLog) -> None:
    log.folder.mkdir(mode=0o700)
    path = log.folder / "000001-d-1.json"
    path.write_text(VERSION_1.replace("SUM", "8f7f"))
    path.chmod(0o600)
    assert "checksum" in log.read().findings[0]
    path.write_text(VERSION_1.replace("SUM", SUM_1))
    assert [e.undo for e in log.read().entries] == [undo("d-1")]


def test_a_newer_record_that_says_that_we_may_is_read(log: UndoLog) -> None:
    written(log, {**to_json(undo()), "version": 2, "compatible_with": 1, "colour": "red"})
    reading = log.read()
    assert [e.undo.hold for e in reading.entries] == ["d-1"]
    assert reading.entries[0].undo.version == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"version": 2}, "does not say that an older one may read it"),
        ({"version": 3, "compatible_with": 2}, "says that 2 is the oldest"),
        ({"version": "2"}, "its version is no number"),
        ({"version": 0}, "its version is no number"),
        ({"version": True}, "its version is no number"),
        ({"version": 2, "compatible_with": "1"}, "its version is no number"),
    ],
)
def test_a_record_that_we_must_not_read_is_refused_with_the_reason(
    log: UndoLog, more: dict[str, Any], words: str
) -> None:
    path = written(log, {**to_json(undo()), **more})
    reading = log.read()
    assert reading.entries == ()
    assert words in reading.findings[0]
    assert path.exists()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write_is_neither_read_nor_written(log: UndoLog, mode: int) -> None:
    log.write(undo())
    log.folder.chmod(mode)
    reading = log.read()
    assert reading.entries == ()
    words = (
        f"{log.folder}: others than its owner can write this folder (mode {mode:04o}), so nothing is read from it; "
        f"look at it, then chmod go-w {log.folder}"
    )
    assert reading.findings == (words,)
    with pytest.raises(BadInput, match="others than its owner"):
        log.write(undo("d-2"))


def test_a_state_folder_that_others_can_write_is_not_read(log: UndoLog) -> None:
    log.write(undo())
    log.folder.parent.chmod(0o777)
    assert "others than its owner" in log.read().findings[0]


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_record_that_others_can_write_is_not_read(log: UndoLog, mode: int) -> None:
    path = log.write(undo()).path
    path.chmod(mode)
    reading = log.read()
    assert reading.entries == ()
    assert f"mode {mode:04o}" in reading.findings[0]


def test_a_record_of_another_user_is_not_read(log: UndoLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write(undo())
    mine = os.geteuid()
    monkeypatch.setattr("drdrill.drill.owned.os.geteuid", lambda: mine + 1)
    found = os.stat_result((0o40700, 0, 0, 1, mine + 2, 0, 0, 0, 0, 0))
    assert f"belongs to user {mine + 2}" in str(owned.refused(log.folder, found, folder=True))
    if mine != 0:
        assert f"belongs to user {mine}" in log.read().findings[0]


@pytest.mark.root
def test_a_log_that_another_user_made_is_not_read_by_root(log: UndoLog) -> None:
    path = log.write(undo()).path
    os.chown(path, 65534, 65534)
    assert "belongs to user 65534" in log.read().findings[0]
    os.chown(log.folder, 65534, 65534)
    assert log.read().findings[0].startswith(f"{log.folder}: this folder belongs to user 65534")


def test_neither_a_link_nor_a_pipe_is_read(log: UndoLog, tmp_path: Path) -> None:
    path = log.write(undo()).path
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    os.mkfifo(path.with_name("000002-d-2.json"), 0o600)
    reading = log.read()
    assert reading.entries == ()
    assert "link" in reading.findings[0]
    assert "no file" in reading.findings[1]


@pytest.mark.parametrize(
    "hold", ["../../etc/cron.d/x", "a/b", "..", ".hidden", "", "a b", "a\nb", "a;reboot", "x" * 200]
)
def test_a_hold_whose_name_is_no_name_is_neither_written_nor_read(log: UndoLog, hold: str) -> None:
    with pytest.raises(BadInput, match="not an undo record"):
        log.write(replace(undo(), hold=hold))
    assert not log.folder.exists()
    with pytest.raises(BadInput, match="not an undo record"):
        from_json({**to_json(undo()), "hold": hold})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("drill", "../d"), ("title", "site\n\x1b[2Jall is well"), ("why", "a\rb"), ("hosts", ["a\nb"]), ("hosts", [7]),
        ("sites", ["east\n"]), ("way_in", ["lab"]), ("way_in", {"links": 7}), ("params", [1]),
        ("params", {"pairs": [["a"]]}), ("params", {"pairs": [["a", "b", "c"]]}), ("params", {"pairs": [{"a": "b"}]}),
        ("params", {"site": "east\nreboot"}), ("command", "drdrill recover; reboot"), ("command", "drdrill recover $(reboot)"),
        ("command", "drdrill recover `reboot`"), ("command", "drdrill recover\nreboot"), ("command", "drdrill recover | sh"),
        ("command", 'echo "$HOME"'), ("command", 7), ("fault", 7),
    ],
)  # fmt: skip
def test_a_record_that_is_not_well_formed_is_never_run(log: UndoLog, key: str, value: object) -> None:
    with pytest.raises(BadInput, match="not an undo record"):
        from_json({**to_json(undo()), key: value})
    written(log, {**to_json(undo()), key: value})
    assert log.read().entries == ()
    assert len(log.read().findings) == 1


def test_a_command_with_a_quoted_path_is_one_command() -> None:
    command = f"DRDRILL_STATE={shlex.quote('/a b/$c')} drdrill recover --estate {shlex.quote(chr(39) + 'x;y')}"
    assert from_json({**to_json(undo()), "command": command}).command == command


def test_a_log_takes_records_of_its_own_drill_only(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="undo log of drill e"):
        UndoLog(tmp_path, "e").write(undo())
    assert UndoLog(tmp_path, "d").write(undo()).sequence == 1


def test_no_hold_has_two_records(log: UndoLog) -> None:
    log.write(undo())
    with pytest.raises(BadInput, match="no hold is used twice"):
        log.write(undo())


def test_several_that_write_at_once_never_share_a_number(tmp_path: Path) -> None:
    def many(drill: str) -> None:
        for n in range(20):
            UndoLog(tmp_path, drill).write(replace(undo(f"{drill}-{n}"), drill=drill))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(many, ("a", "b", "c", "e")))
    assert [e.sequence for e in UndoLog(tmp_path).read().entries] == list(range(1, 81))


def test_a_record_is_claimed_by_one_at_a_time(log: UndoLog) -> None:
    entry = log.write(undo())
    with log.claimed(entry, 1.0) as first:
        assert first
        with log.claimed(entry, 0.1) as second:
            assert second  # It goes on without: to heal twice is harmless.
        log.done("d-1")
    with log.claimed(entry, 1.0) as third:
        assert not third


def test_a_record_without_hosts_is_bad_input() -> None:
    with pytest.raises(BadInput, match="not an undo record"):
        from_json({"fault": "site-isolated"})
