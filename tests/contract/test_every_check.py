# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every check gets for free: it passes on nothing, survives half of a recording, and says whole sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.checkers.check import Case, tried
from drdrill.checkers.registry import checks
from drdrill.checkers.verdict import Judgement, Result, Verdict
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


def good(scene: Scene) -> None:
    """East is cut off, south goes on, everything is read back: every check that applies passes."""
    scene.probes("east", bad=[(10, 30.2)], seen=Seen.SILENT)
    scene.probes("south", bad=[(10, 13)], seen=Seen.SILENT)
    streams = [
        scene.writes("east", outcomes=[(10, 31, Done.UNKNOWN)]),
        scene.writes("south", outcomes=[(10, 13, Done.UNKNOWN)]),
    ]
    scene.claims(["east-db1", "south-db1"], [("east-db1", 0, 12), ("south-db1", 12.5, 60)])
    scene.strike("h1", 'site "east" is isolated', at=10, healed=30, sites=["east"])
    said = {"verdict": "pass", "title": "", "message": "", "witnesses": [], "saw": {"samples": 1}}
    scene.event(31, events.CHECK, check="no_ack_while_cut", phase="3", counts={"site": "east"}, **said)
    counts = {"service": "registration", "allowed_s": 15.0}
    scene.event(31, events.CHECK, check="never_longer", phase="4", counts=counts, **said)
    for member in ("east-db1", "south-db1"):
        scene.readback(member, [key for stream in streams for key in scene.acknowledged(stream)], at=61)


KINDS = {"samples", "operations", "rows", "replicas", "looks", "judgements", "events"}


def said_of(scene: Scene, name: str) -> tuple[Judgement, ...]:
    recording = scene.recording()
    return tuple(tried(name, checks()[name], Case(recording, strips(recording))))


@pytest.mark.parametrize("name", checks())
def test_a_pass_says_how_much_it_saw_as_data_and_in_words(tmp_path: Path, name: str):
    scene = Scene(tmp_path)
    good(scene)
    found = said_of(scene, name)
    assert found or name == "refused_write_present", "that check speaks only when it finds something"
    for judged in found:
        assert judged.verdict is Verdict.PASS, judged
        assert set(judged.saw) <= KINDS
        assert any(judged.saw.values())
        assert any(f" {n:,d} " in judged.message for n in judged.saw.values() if n), judged.message


def test_every_assumption_says_how_much_it_saw_as_data_and_in_words(tmp_path: Path):
    scene = Scene(tmp_path)
    good(scene)
    scene.event(29, events.AUDIT, answer=True, words="none", counts={"looks": 3})
    judged = judge(scene.recording())
    assert len(judged.assumptions) == 11
    for assumed in judged.assumptions:
        assert assumed.verdict is Verdict.PASS, assumed
        assert set(assumed.saw) <= KINDS
        assert any(assumed.saw.values())
        assert any(f"{n:,d} " in assumed.message for n in assumed.saw.values() if n), assumed.message


@pytest.mark.parametrize("name", checks())
@pytest.mark.parametrize(
    ("gone", "kinds"),
    [
        (["probe-*.bin", "claims-*.bin"], {"samples"}),
        (["write-*.bin"], {"operations"}),
        (["keys-*"], {"rows"}),
        (["*"], KINDS),
    ],
)
def test_what_is_not_on_disk_nobody_claims_to_have_seen(tmp_path: Path, name: str, gone: list[str], kinds: set[str]):
    """Files are taken away after the drill; a check may still pass on what is left, and says that it saw only that."""
    scene = Scene(tmp_path)
    good(scene)
    scene.save()
    for path in {path for pattern in gone for path in (tmp_path / "data").glob(pattern)}:
        path.unlink()
    found = said_of(scene, name)
    assert not any(j.counts.get("crashed") for j in found), found
    assert not any(j.saw.get(kind) for kind in kinds for j in found), found
    assert gone != ["*"] or all(j.verdict is Verdict.UNKNOWN for j in found), found


@pytest.mark.parametrize("saw", [{}, {"samples": 0}, {"samples": 0, "operations": 0, "rows": 0, "replicas": 0}])
def test_a_pass_that_saw_nothing_is_unknown_whoever_says_it(saw: dict[str, int]):
    judged = Judgement("of_a_team", "is it good?", Verdict.PASS, "It is good.", {"good": 1}, saw=saw)
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.message == "It is good. But it does not say that it saw anything, so nothing is proven."
    assert Judgement("of_a_team", "", Verdict.FAIL, "It is bad.", saw=saw).verdict is Verdict.FAIL


def test_a_drill_is_not_met_by_a_check_that_says_nothing_of_what_it_saw(tmp_path: Path):
    scene = Scene(tmp_path)
    good(scene)
    known: dict[str, Check] = {"of_a_team": lambda _: [Judgement("of_a_team", "t", Verdict.PASS, "All is well.")]}
    assert judge(scene.recording(), None, known).result is Result.INCONCLUSIVE
    known = {"of_a_team": lambda _: [Judgement("of_a_team", "t", Verdict.PASS, "All is well.", saw={"mails": 3})]}
    assert judge(scene.recording(), None, known).result is Result.MET


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
