# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The time axis: what was measured is what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import drills
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drdrill.journal import records
from drdrill.journal.recording import load
from drdrill.journal.records import Seen
from drdrill.reports import drawing as model
from drdrill.reports import strips, svg, tables, timeline

if TYPE_CHECKING:
    from pathlib import Path


def drawing(folder: Path) -> model.Drawing:
    found = timeline.draw(load(folder))
    assert found is not None
    return found


def strip(picture: model.Drawing, label: str) -> model.Strip:
    rows = [row for group in picture.groups for row in group.rows if row.label == label]
    assert len(rows) == 1
    assert isinstance(rows[0], model.Strip)
    return rows[0]


def test_writers_of_different_rates_have_bars_of_one_length(tmp_path: Path) -> None:
    """25 and 10 writes a second: rows are read against each other, and the table has one line for each bar of all of them."""
    picture = drawing(drills.both(tmp_path / "both"))
    bars = [row for group in picture.groups for row in group.rows if isinstance(row, model.Bars)]
    assert [(b.label, b.note) for b in bars] == [
        ("at east", "25 a second"), ("at south", "25 a second"), ("at east", "10 a second"), ("at south", "10 a second"),
    ]  # fmt: skip
    assert len({(b.from_s, b.bin_s, len(b.acknowledged)) for b in bars}) == 1
    for bar in bars:
        assert bar.due == pytest.approx(round(bar.due)), "whole writes are due in each"
    head, rows = tables.written(picture)
    assert head[0] == "Writes through service registration, at east: acknowledged"
    assert head[4] == "Writes to database clinical, at east: acknowledged"
    assert {len(row) for row in rows} == {1 + len(head)}


@pytest.mark.parametrize("name", drills.ALL)
def test_the_picture_is_wellformed_and_tells_itself_to_those_who_do_not_see_it(name: str, tmp_path: Path) -> None:
    root = ET.fromstring(svg.paint(drawing(drills.ALL[name](tmp_path / name))))  # noqa: S314 - our own output
    assert root.tag == "svg"
    assert root.get("role") == "img"
    assert root[0].tag == "title"
    assert root[1].tag == "desc"
    assert "One time axis from" in (root[1].text or "")
    right = float((root.get("viewBox") or "").split()[2])
    for element in root.iter("rect"):
        assert float(element.get("x") or 0) + float(element.get("width") or 0) <= right


def test_one_bad_attempt_in_ten_minutes_is_seen(tmp_path: Path) -> None:
    picture = drawing(drills.long(tmp_path / "long"))
    bad = [s for s in strip(picture, "Clients").segments if s.state == strips.BAD]
    assert len(bad) == 2
    assert "attempts: 2 late" in bad[1].hover
    root = ET.fromstring(svg.paint(picture))  # noqa: S314
    drawn = [e for e in root.iter("rect") if e.get("class") == "bad" and "2 late" in (e.findtext("title") or "")]
    assert drawn
    assert all(float(e.get("width") or 0) >= 2 for e in drawn)


def test_zero_is_the_first_command_of_the_first_strike(tmp_path: Path) -> None:
    picture = drawing(drills.met(tmp_path / "met"))
    assert picture.axis.zero_wall.isoformat() == "2026-11-24T22:30:10+00:00"
    assert picture.faults[0].from_s == 0.0
    assert picture.faults[0].to_s == pytest.approx(16.01)


def test_without_a_strike_zero_is_the_first_operation(tmp_path: Path) -> None:
    picture = drawing(drills.switchover(tmp_path / "switchover"))
    assert picture.moves[0].from_s == 0.0
    assert "operation" in picture.axis.zero_is


def test_clients_are_well_while_one_endpoint_is(tmp_path: Path) -> None:
    picture = drawing(drills.met(tmp_path / "met"))
    bad = [s for s in strip(picture, "Clients").segments if s.state == strips.BAD]
    east = [s for s in strip(picture, "client \u2192 east").segments if s.state == strips.BAD]
    assert len(bad) == len(east) == 1
    assert bad[0].after < east[0].after
    assert strip(picture, "Clients").brackets[0].label.startswith("away 4.04 to 4.16")


def test_an_endpoint_at_a_struck_site_is_marked_as_not_judged(tmp_path: Path) -> None:
    picture = drawing(drills.met(tmp_path / "met"))
    assert strip(picture, "client \u2192 east").unjudged == ((0.0, pytest.approx(16.01)),)
    assert strip(picture, "client \u2192 south").unjudged == ()


def test_a_lapsed_fault_ends_where_it_lapsed(tmp_path: Path) -> None:
    band = drawing(drills.lapsed(tmp_path / "lapsed")).faults[0]
    assert band.lapsed
    assert band.to_s == pytest.approx(8.0)


def test_a_fault_whose_heal_was_never_recorded_stays_open(tmp_path: Path) -> None:
    picture = drawing(drills.killed(tmp_path / "killed"))
    assert picture.faults[0].open
    assert picture.faults[0].to_s == picture.axis.to_s


def test_every_acknowledged_write_is_in_one_bar(tmp_path: Path) -> None:
    folder = drills.met(tmp_path / "met")
    recording = load(folder)
    for group in drawing(folder).groups:
        for row in group.rows:
            if isinstance(row, model.Bars):
                done = recording.streams[f"write-{row.label.removeprefix('at ')}"].records["outcome"]
                assert sum(row.acknowledged) == int((done == 1).sum())
                assert sum(row.unanswered) == int((done != 1).sum())
                assert row.pauses


def test_both_members_are_seen_to_claim_when_both_do(tmp_path: Path) -> None:
    picture = drawing(drills.met(tmp_path / "met"))
    claims = [[s.state for s in strip(picture, m).segments if s.state] for m in ("east-db1", "south-db1")]
    assert claims == [[strips.YES, strips.NO], [strips.NO, strips.YES]]


def samples(dues: list[int], outcomes: list[int]) -> np.ndarray:
    rows = [(i, d, d, d, o, 200, b"") for i, (d, o) in enumerate(zip(dues, outcomes, strict=True))]
    return np.array(rows, records.SAMPLE)


@given(st.lists(st.sampled_from([Seen.GOOD, Seen.WRONG, Seen.LATE]), min_size=1, max_size=400), st.integers(1, 90))
def test_a_column_is_bad_if_and_only_if_a_bad_attempt_reaches_into_it(outcomes: list[Seen], width: int) -> None:
    cells = strips.attempts(samples([i * 50 for i in range(len(outcomes))], outcomes), 2e7)
    end = len(outcomes) * 50
    picture = strips.columns(cells, 0, end, width)
    for column in range(width):
        low, high = column * end / width, (column + 1) * end / width
        touched = [o for i, o in enumerate(outcomes) if i * 50 < high - 1e-6 and (i + 1) * 50 > low + 1e-6]
        if picture[column] == strips.BAD:
            near = [o for i, o in enumerate(outcomes) if i * 50 <= high and (i + 1) * 50 >= low]
            assert any(o != Seen.GOOD for o in near)
        else:
            assert all(o == Seen.GOOD for o in touched)


def test_where_no_attempt_was_due_nothing_was_measured() -> None:
    cells = strips.attempts(samples([0, 50, 500, 550], [Seen.GOOD] * 4), 2e7)
    assert [(r.from_ns, r.to_ns, r.state) for r in strips.runs(cells)] == [
        (0, 100, strips.GOOD),
        (100, 500, strips.ABSENT),
        (500, 600, strips.GOOD),
    ]


def test_either_is_absent_only_where_all_are() -> None:
    one = strips.attempts(samples([0, 50], [Seen.WRONG, Seen.GOOD]), 2e7)
    two = strips.attempts(samples([50, 100], [Seen.LATE, Seen.LATE]), 2e7)
    assert [(r.from_ns, r.to_ns, r.state) for r in strips.runs(strips.either([one, two]))] == [
        (0, 50, strips.BAD),
        (50, 100, strips.GOOD),
        (100, 150, strips.BAD),
    ]
    assert strips.runs(strips.either([])) == []
