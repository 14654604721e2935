# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every check gets for free: it passes on nothing, survives half of a recording, and says whole sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.checkers.check import Case, tried
from drdrill.checkers.registry import checks
from drdrill.checkers.verdict import Verdict
from drdrill.drill.judge import judge
from drdrill.journal import events
from drdrill.journal.fake import Scene
from drdrill.journal.recording import load
from drdrill.journal.records import Done, Seen
from drdrill.measure.strips import strips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.checkers.check import Check


def nothing(scene: Scene) -> None:
    """A drill that was killed after its first line."""
    del scene


def announced(scene: Scene) -> None:
    """Everything was announced and struck, and no record was ever written."""
    scene.end = 0.0
    scene.probes("east")
    scene.probes("south")
    scene.writes("east")
    scene.writes("south")
    scene.claims(["east-db1", "south-db1"], [])
    scene.strike("h1", 'site "east" is isolated', at=10, healed=30, sites=["east"])
    scene.event(
        31,
        events.CHECK,
        check="no_ack_while_cut",
        phase="3",
        verdict="unknown",
        title="",
        message="",
        counts={"site": "east"},
        witnesses=[],
    )
    scene.event(
        31,
        events.CHECK,
        check="never_longer",
        phase="4",
        verdict="unknown",
        title="",
        message="",
        counts={"service": "registration", "allowed_s": 3.0},
        witnesses=[],
    )


def silent(scene: Scene) -> None:
    """Everything ran, and nobody ever answered."""
    scene.probes("east", bad=[(0, 60)], seen=Seen.SILENT)
    scene.probes("south", bad=[(0, 60)], seen=Seen.SILENT)
    scene.writes("east", outcomes=[(0, 60, Done.UNKNOWN)])
    scene.writes("south", outcomes=[(0, 60, Done.UNKNOWN)])
    scene.strike("h1", 'site "east" is isolated', at=10, healed=30, sites=["east"], took_hold=None, held=())
    scene.readback("east-db1", None, at=59)


@pytest.mark.parametrize("name", checks())
@pytest.mark.parametrize("story", [nothing, announced])
def test_a_check_never_passes_on_nothing(tmp_path: Path, name: str, story: Callable[[Scene], None]):
    scene = Scene(tmp_path)
    story(scene)
    recording = scene.recording()
    for judged in tried(name, checks()[name], Case(recording, strips(recording))):
        assert judged.verdict is Verdict.UNKNOWN, judged
        assert not judged.counts.get("crashed"), judged.message


@pytest.mark.parametrize("name", checks())
@pytest.mark.parametrize("story", [announced, silent])
def test_a_message_is_a_whole_sentence_and_counts_what_it_saw(
    tmp_path: Path, name: str, story: Callable[[Scene], None]
):
    scene = Scene(tmp_path)
    story(scene)
    recording = scene.recording()
    for judged in tried(name, checks()[name], Case(recording, strips(recording))):
        assert judged.message[0].isupper(), judged.message
        assert judged.message.endswith("."), judged.message
        assert judged.title
        assert judged.counts


@pytest.mark.parametrize("name", checks())
def test_a_check_survives_a_journal_that_ends_anywhere(tmp_path: Path, name: str):
    scene = Scene(tmp_path)
    silent(scene)
    whole = scene.save().joinpath("journal.jsonl").read_text().splitlines(keepends=True)
    for n in range(1, len(whole)):
        (tmp_path / "journal.jsonl").write_text("".join(whole[:n]))
        judged = judge(load(tmp_path), "killed", known={name: checks()[name]})
        assert not any(j.counts.get("crashed") for j in judged.checks), judged.checks


def test_a_check_that_crashes_is_unknown_and_named(tmp_path: Path):
    def broken(case: Case) -> list:
        raise ZeroDivisionError(f"of {case.phase}")

    known: dict[str, Check] = {"of_a_team": broken}
    judged = judge(Scene(tmp_path).recording(), None, known)
    (check,) = judged.checks
    assert check.verdict is Verdict.UNKNOWN
    assert check.message == "The check of_a_team crashed and judged nothing: ZeroDivisionError: of end."
    assert [a.verdict for a in judged.assumptions if a.name == "no_check_crashed"] == [Verdict.FAIL]
