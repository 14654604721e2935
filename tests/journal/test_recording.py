# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drdrill.errors import BadInput
from drdrill.journal import events, records
from drdrill.journal.fake import Scene
from drdrill.journal.journal import Journal
from drdrill.journal.recording import load, load_stream

if TYPE_CHECKING:
    import struct
    from pathlib import Path


@pytest.mark.parametrize(
    ("kind", "pack"),
    [
        ("samples", records.SAMPLE_PACK),
        ("operations", records.OPERATION_PACK),
        ("intents", records.INTENT_PACK),
        ("claims", records.CLAIM_PACK),
        ("member-claims", records.MEMBER_CLAIM_PACK),
    ],
)
def test_what_a_worker_packs_is_what_numpy_reads(kind: str, pack: struct.Struct):
    dtype = np.dtype(records.KINDS[kind])
    assert dtype.itemsize == pack.size
    values = (7, 11, 12, 13, 3, 503, b"HTTP 503") if pack.size > 40 else (7, 11, 12, 1, 2, 9)[: len(dtype.names or ())]
    row = np.frombuffer(pack.pack(*values), dtype)[0]
    assert tuple(row.item()) == values


def test_a_folder_is_read_with_all_that_happened(tmp_path: Path):
    scene = Scene(tmp_path)
    probe = scene.probes("east", bad=[(10, 11)])
    write = scene.writes("east")
    scene.strike("h1", "x", at=10, healed=20, sites=["east"], hosts=["east-db1"])
    scene.operation("switch-over", "y", at=30, until=31)
    scene.readback("east-db1", ["a", "b"], at=50)
    scene.event(40, events.WRITES_PAUSED, streams=[write], from_ns=1, to_ns=None, mark={write: 5})
    scene.event(41, events.WRITES_PAUSED, streams=[write], from_ns=1, to_ns=2, mark={write: 5})
    recording = scene.recording()
    assert set(recording.streams) == {probe, write, records.intents_of(write)}
    assert len(recording.streams[probe].records) == 1200
    (strike,) = recording.timeline.strikes
    assert (strike.first_ns, strike.last_ns) == (scene.ns(10), scene.ns(10.05))
    assert (strike.healing_ns, strike.healed_ns) == (scene.ns(20), scene.ns(20.05))
    assert (strike.took_hold, strike.held, strike.looks) == (True, True, 2)
    assert recording.timeline.operations[0].last_ns == scene.ns(31)
    assert [(p.from_ns, p.to_ns) for p in recording.timeline.pauses] == [(1, 2)]
    assert recording.keys["end", "east-db1"] == {"a", "b"}
    assert recording.about["drill"] == "20261124-scene"


def test_a_write_that_was_planned_and_never_due_is_no_write(tmp_path: Path):
    scene = Scene(tmp_path)
    write = scene.writes("east")
    path = scene.folder / "data" / f"{write}.bin"
    found = np.fromfile(path, records.OPERATION)
    for at, note in ((40, records.NOT_DUE), (41, records.TOO_LATE)):
        found[at]["outcome"], found[at]["note"] = records.Done.UNSENT, note
    found.tofile(path)
    streams = scene.recording().streams
    for name in (write, records.intents_of(write)):
        assert len(streams[name].records) == len(found) - 1
        assert 40 not in streams[name].records["seq"]
        assert 41 in streams[name].records["seq"]


@pytest.mark.parametrize(
    ("looks", "worst"),
    [((True, None), None), ((None, True), None), ((None, False, True), False), ((True, True), True), ((), None)],
)
def test_held_is_the_worst_answer_of_all_looks(tmp_path: Path, looks: tuple[bool | None, ...], worst: bool | None):
    scene = Scene(tmp_path)
    scene.strike("h1", "x", at=10, healed=20, held=looks)
    assert scene.recording().timeline.strikes[0].held is worst


def test_a_torn_record_is_cut_and_said(tmp_path: Path):
    scene = Scene(tmp_path)
    name = scene.probes("east")
    with (tmp_path / "data" / f"{name}.bin").open("ab") as file:
        file.write(b"half a record")
    stream = scene.recording().streams[name]
    assert len(stream.records) == 1200
    assert stream.torn is not None
    assert "13 bytes" in stream.torn


def test_a_head_without_records_is_an_empty_stream_and_a_file_without_a_head_is_none(tmp_path: Path):
    (tmp_path / "a.json").write_text('{"kind": "samples"}')
    (tmp_path / "b.bin").write_bytes(b"x" * 63)
    (tmp_path / "c.json").write_text('{"kind": ')
    stream = load_stream(tmp_path, "a")
    assert stream is not None
    assert len(stream.records) == 0
    assert load_stream(tmp_path, "b") is None
    assert load_stream(tmp_path, "c") is None


def test_a_lapsed_fault_says_when(tmp_path: Path):
    scene = Scene(tmp_path)
    scene.strike("h1", "x", at=10, healed=20, lapsed=15)
    assert scene.recording().timeline.strikes[0].lapsed_ns == scene.ns(15)


def test_a_running_drill_can_be_read(tmp_path: Path):
    with Journal(tmp_path) as journal:
        journal.write(events.NOTE, words="hello")
        assert [e.kind for e in load(tmp_path).journal.events] == [events.NOTE]


def test_a_folder_without_a_journal_is_bad_input(tmp_path: Path):
    with pytest.raises(BadInput, match="no journal"):
        load(tmp_path)
