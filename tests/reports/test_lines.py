# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The closing lines on the terminal, the properties of JUnit, and how figures are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import drills
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drdrill.journal.recording import load
from drdrill.reports import figures, junit, terminal

if TYPE_CHECKING:
    from pathlib import Path


def test_the_terminal_says_result_bounds_failures_and_where_the_report_is(tmp_path: Path) -> None:
    folder = drills.missed(tmp_path / "missed")
    text = terminal.lines(load(folder))
    assert text[1] == "MISSED: The east campus is isolated"
    assert any("registration" in line and "4.04 to 4.16" in line and "promised 15" in line for line in text)
    assert any("54 lost" in line for line in text)
    assert sum("acknowledged writes are on no readable replica" in line for line in text) == 1
    assert str(folder / "report.html") in text[-1]


def test_the_terminal_says_how_much_each_check_that_passed_has_seen(tmp_path: Path) -> None:
    text = [line.replace("\u202f", " ").replace("\u00a0", " ") for line in terminal.lines(load(drills.met(tmp_path)))]
    passed = [line for line in text if line.startswith("  passed")]
    assert passed[0].endswith(": saw 3 200 samples, 1 746 operations, 1 268 rows, 2 replicas")
    assert len(passed) == 3


def test_the_terminal_says_what_failed_beside_the_reasons(tmp_path: Path) -> None:
    text = terminal.lines(load(drills.lapsed(tmp_path / "lapsed")))
    assert sum("assumption fail" in line and "lapsed at +8.00 s" in line for line in text) == 1
    assert sum("check unknown" in line for line in text) == 1


def test_the_terminal_names_the_command_of_what_is_not_whole(tmp_path: Path) -> None:
    text = terminal.lines(load(drills.residual(tmp_path / "residual")))
    assert sum("drdrill recover --estate pocket" in line for line in text) == 1


@pytest.mark.parametrize("name", drills.ALL)
def test_every_drill_has_lines_without_markup(name: str, tmp_path: Path) -> None:
    text = terminal.lines(load(drills.ALL[name](tmp_path / name)))
    assert len(text) > 3
    assert all("\n" not in line and "None" not in line for line in text)


def test_junit_carries_bounds_objective_and_losses(tmp_path: Path) -> None:
    found = dict(junit.properties(load(drills.missed(tmp_path / "missed"))))
    assert found["result"] == "missed"
    assert found["restoration"] == "restored"
    assert found["registration.rto_objective_s"] == 15.0
    assert found["registration.rto_lower_s"] == 4.046
    assert found["registration.rto_upper_s"] == 4.152
    assert found["rpo_lost"] == 54
    assert found["rpo_acknowledged"] == 1268
    assert found["rpo_unknown"] == 88


def test_junit_leaves_out_what_was_not_judged(tmp_path: Path) -> None:
    recording = load(drills.killed(tmp_path / "killed"))
    found = dict(junit.properties(recording))
    ended = [s.records["outcome"] for name, s in recording.streams.items() if name in {"write-east", "write-south"}]
    assert found["rpo_unknown"] == sum(int((outcome == 3).sum()) for outcome in ended) + 2 * 3
    assert found["result"] == "aborted"
    assert "rpo_lost" not in found
    assert not any("rto_upper" in name for name in found)


def test_an_outage_that_did_not_end_has_no_upper_bound(tmp_path: Path) -> None:
    found = dict(junit.properties(load(drills.residual(tmp_path / "residual"))))
    assert "registration.rto_lower_s" in found
    assert "registration.rto_upper_s" not in found


@given(st.floats(0, 5000), st.floats(0, 5000))
def test_shown_bounds_contain_the_measured_ones(one: float, two: float) -> None:
    low, high = sorted((one, two))
    shown = [float(part) for part in figures.bounds(low, high).removesuffix("\u202fs").split(" to ")]
    assert shown[0] <= low + 1e-6
    assert shown[1] >= high - 1e-6
    assert shown[1] - high < 0.011


def test_figures_are_grouped_signed_and_with_their_unit() -> None:
    assert figures.count(12345) == "12\u202f345"
    assert figures.relative(-3) == "\u22123.00\u202fs"
    assert figures.relative(0) == "+0.00\u202fs"
    assert figures.tick(0) == "0"
    assert figures.plural(1, "look") == "1 look"
    assert figures.plural(2, "look") == "2 looks"
    assert figures.bounds(3.2, None) == "at least 3.20\u202fs"


def test_writes_that_could_not_be_looked_for_are_neither_lost_nor_safe(tmp_path: Path) -> None:
    folder = drills.Folder(tmp_path / "unread")
    drills.begin(folder)
    drills.writers(folder, drills.Story())
    counts = {"database": "clinical", "acknowledged": 900, "lost": 900, "unknown": 3, "members": 0}
    words = "No member was read back, so 900 acknowledged writes cannot be looked for."
    drills.check(folder, 40.0, "lost_write", "nothing is lost", "unknown", words, counts=counts)
    recording = load(drills.close(folder, 41.0, "inconclusive", [words]))
    assert "rpo_lost" not in dict(junit.properties(recording))
    assert any("lost: not judged" in line for line in terminal.lines(recording))


def test_losses_of_several_databases_are_added_up(tmp_path: Path) -> None:
    folder = drills.Folder(tmp_path / "two")
    drills.begin(folder)
    drills.writers(folder, drills.Story())
    for database, lost, verdict in (("clinical", 0, "pass"), ("billing", 7, "fail")):
        counts = {"database": database, "acknowledged": 500, "lost": lost, "unknown": 2}
        drills.check(folder, 40.0, "lost_write", f"nothing of {database} is lost", verdict, "Said.", counts=counts)
    found = dict(junit.properties(load(drills.close(folder, 41.0, "missed", ["7 lost."]))))
    assert (found["rpo_acknowledged"], found["rpo_lost"], found["rpo_unknown"]) == (1000, 7, 4)


def test_a_description_flows_and_chinese_lines_join_without_a_space() -> None:
    assert figures.paragraphs("  One line\n  goes on.\n\n  Another.\n") == ["One line goes on.", "Another."]
    assert figures.paragraphs("患者在两个院区登记，\n  另一个院区继续服务。") == [
        "患者在两个院区登记，另一个院区继续服务。"
    ]
    assert figures.paragraphs("在 RTO\n内恢复") == ["在 RTO 内恢复"]
    assert figures.paragraphs("") == []
