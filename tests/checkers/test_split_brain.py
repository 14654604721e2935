# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drdrill.checkers import no_ack_while_cut
from drdrill.checkers.check import Case
from drdrill.checkers.no_ack_while_cut import acknowledged
from drdrill.checkers.split_brain import never_on_both_sides
from drdrill.checkers.verdict import Verdict
from drdrill.journal import events
from drdrill.journal.records import CLAIM, Claim, Done

if TYPE_CHECKING:
    from drdrill.journal.fake import Scene

MEMBERS = ["east-db1", "south-db1"]
TITLE = 'site "east" is isolated'


def test_acknowledgements_on_both_sides_after_the_fencing_time_are_a_split_brain(scene: Scene):
    scene.writes("east", outcomes=[(17, 31, Done.UNKNOWN)])  # goes on for 7 s alone
    scene.writes("south", outcomes=[(10, 16, Done.UNKNOWN)])
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.FAIL
    assert "written on both sides" in judged.message
    assert int(judged.counts["acknowledged_inside"]) == pytest.approx(49, abs=2)  # 15.05 to 17 s at 25 a second


def test_the_old_side_may_acknowledge_until_the_fencing_time(scene: Scene):
    scene.writes("east", outcomes=[(14.9, 31, Done.UNKNOWN)])
    scene.writes("south", outcomes=[(10, 18, Done.UNKNOWN)])
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    assert never_on_both_sides(scene.recording(), "clinical").verdict is Verdict.PASS


def test_writes_on_both_sides_of_a_cut_that_did_not_take_hold_say_nothing(scene: Scene):
    scene.writes("east")
    scene.writes("south")
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"], took_hold=False)
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.UNKNOWN
    assert "not proven" in judged.message


@pytest.mark.parametrize(
    ("overlap", "verdict"), [(7.0, Verdict.FAIL), (2.0, Verdict.PASS), (5.1, Verdict.UNKNOWN), (0.0, Verdict.PASS)]
)
def test_two_claims_fail_only_when_they_surely_last_longer_than_the_fencing_time(
    scene: Scene, overlap: float, verdict: Verdict
):
    scene.claims(MEMBERS, [("east-db1", 0, 20 + overlap), ("south-db1", 20, 60)])
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is verdict
    assert len(judged.witnesses) == (1 if overlap else 0)
    assert judged.counts["samples"] == 600


BOTH = [("east-db1", 0, 60), ("south-db1", 0, 60)]


def test_members_of_one_component_may_all_write(scene: Scene):
    scene.claims(MEMBERS, BOTH, components=[("east-db1", 0, 60, 7), ("south-db1", 0, 60, 7)])
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.PASS
    assert "of one component" in judged.message
    assert judged.witnesses == ()


@pytest.mark.parametrize(
    ("apart", "verdict"), [(7.0, Verdict.FAIL), (2.0, Verdict.PASS), (5.1, Verdict.UNKNOWN), (0.0, Verdict.PASS)]
)
def test_members_of_two_components_must_not_write_for_longer_than_the_fencing_time(
    scene: Scene, apart: float, verdict: Verdict
):
    of_east = [("east-db1", 0, 20, 7), ("east-db1", 20, 20 + apart, 8), ("east-db1", 20 + apart, 60, 9)]
    of_south = [("south-db1", 0, 20 + apart, 7), ("south-db1", 20 + apart, 60, 9)]
    scene.claims(MEMBERS, BOTH, components=[*of_east, *of_south])
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is verdict
    assert len(judged.witnesses) == (1 if apart else 0)


def test_who_is_of_a_component_by_himself_writes_alone(scene: Scene):
    scene.claims(MEMBERS, BOTH, components=[])
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.FAIL


FROZEN = "the database host freezes"


def thawed(scene: Scene, *, claims_until: float, silent_until: float | None = None, **how: object) -> None:
    """East writes, freezes at 10 s; south is promoted at 17 s; east thaws at 30 s and claims to be the writer for a while."""
    name = scene.claims(MEMBERS, [("east-db1", 0, 10), ("east-db1", 30, claims_until), ("south-db1", 17, 60)])
    scene.strike(
        "h1", FROZEN, at=10, healed=30, hosts=["east-db1"], fault="host-frozen", **{"needs": ["freeze"], **how}
    )
    path = scene.folder / "data" / f"{name}.bin"
    records = np.frombuffer(path.read_bytes(), CLAIM).copy()
    at = (records["due"] - scene.ns(0)) / 1e9
    silent = (at > 10) & (at < 30) | (at >= claims_until) & (at < (silent_until or 0))
    records["claims"][silent & (records["member"] == 0)] = Claim.SILENT
    path.write_bytes(records.tobytes())


def test_a_thawed_writer_that_claims_for_two_seconds_passes_and_is_listed_with_its_cause(scene: Scene):
    thawed(scene, claims_until=32)
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.PASS
    assert "never for longer than 5.000 s" in judged.message
    (listed,) = judged.witnesses
    assert listed.startswith("east-db1 and south-db1 both claimed to be the writer for 1.")
    assert listed.endswith(f", after the end of: {FROZEN}")
    assert 1.8 < float(judged.counts["longest_overlap_s"]) < 2.6


def test_a_thawed_writer_that_claims_for_longer_than_the_fencing_time_fails(scene: Scene):
    thawed(scene, claims_until=37)
    assert never_on_both_sides(scene.recording(), "clinical").verdict is Verdict.FAIL


def test_silence_after_a_claim_may_hide_more_of_it(scene: Scene):
    thawed(scene, claims_until=32, silent_until=36)
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.UNKNOWN
    assert float(judged.counts["longest_overlap_s"]) > 5


@pytest.mark.parametrize(
    "how", [{"needs": ["links"]}, {"took_hold": None}, {"held": (True, None)}, {"held": ()}, {"held": (True, False)}]
)
def test_silence_is_no_proof_where_the_member_was_not_proven_to_stand_still(scene: Scene, how: dict):
    """It may have claimed to be the writer from the promotion of the other on."""
    thawed(scene, claims_until=32, **how)
    assert never_on_both_sides(scene.recording(), "clinical").verdict is Verdict.UNKNOWN


def test_an_overlap_ends_at_the_latest_when_one_of_the_two_is_struck(scene: Scene):
    name = scene.claims(MEMBERS, [("east-db1", 0, 22), ("south-db1", 20, 60)])
    scene.strike("h1", FROZEN, at=22, healed=40, hosts=["east-db1"], needs=["power"])
    path = scene.folder / "data" / f"{name}.bin"
    records = np.frombuffer(path.read_bytes(), CLAIM).copy()
    at = (records["due"] - scene.ns(0)) / 1e9
    records["claims"][(at > 22) & (records["member"] == 0)] = Claim.SILENT
    path.write_bytes(records.tobytes())
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.PASS
    assert float(judged.counts["longest_overlap_s"]) < 2.6


def test_members_that_nobody_asked_for_a_while_are_unknown(scene: Scene):
    scene.claims(MEMBERS, [("east-db1", 0, 60)])
    name = "claims-clinical"
    path = scene.folder / "data" / f"{name}.bin"
    path.write_bytes(path.read_bytes()[: 22 * 300])  # the sampler was hung from half-time on
    judged = never_on_both_sides(scene.recording(), "clinical")
    assert judged.verdict is Verdict.UNKNOWN
    assert "nobody asked the members" in judged.message


def test_members_that_are_all_silent_are_unknown(scene: Scene):
    name = scene.claims(MEMBERS, [])
    path = scene.folder / "data" / f"{name}.bin"
    raw = bytearray(path.read_bytes())
    raw[21::22] = b"\x02" * (len(raw) // 22)
    path.write_bytes(raw)
    assert never_on_both_sides(scene.recording(), "clinical").verdict is Verdict.UNKNOWN


def test_without_claims_and_cuts_it_is_unknown(scene: Scene):
    scene.writes("east")
    assert never_on_both_sides(scene.recording(), "clinical").verdict is Verdict.UNKNOWN


def test_a_cut_site_that_acknowledges_nothing_passes_with_the_number_of_writes(scene: Scene):
    scene.writes("east", outcomes=[(10, 31, Done.UNKNOWN)])
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    judged = acknowledged(scene.recording(), "east")
    assert judged.verdict is Verdict.PASS
    assert judged.counts["sent"] == 499
    assert "none of 499 writes" in judged.message


def test_a_cut_site_that_goes_on_alone_fails_with_its_keys(scene: Scene):
    stream = scene.writes("east", outcomes=[(12, 31, Done.UNKNOWN)])
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    judged = acknowledged(scene.recording(), "east")
    assert judged.verdict is Verdict.FAIL
    assert judged.counts["acknowledged"] == 48
    assert judged.witnesses[0] == f"{scene.prefix(stream)}252"


@pytest.mark.parametrize(
    "how",
    [
        {"took_hold": False},
        {"took_hold": None},
        {"held": (True, False)},
    ],
)
def test_acknowledgements_inside_a_cut_that_is_not_proven_are_unknown(scene: Scene, how: dict):
    scene.writes("east")
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"], **how)
    assert acknowledged(scene.recording(), "east").verdict is Verdict.UNKNOWN


def test_acknowledgements_after_a_lapse_are_none_inside_the_cut(scene: Scene):
    scene.writes("east", outcomes=[(10, 15, Done.UNKNOWN)])
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"], lapsed=14)
    judged = acknowledged(scene.recording(), "east")
    assert judged.verdict is Verdict.PASS
    assert int(judged.counts["sent"]) < 100


def test_fewer_than_ten_writes_sent_inside_prove_nothing(scene: Scene):
    scene.writes("east", outcomes=[(10, 31, Done.UNKNOWN)], silent=[(10.3, 31)])
    scene.strike("h1", TITLE, at=10, healed=30, sites=["east"])
    judged = acknowledged(scene.recording(), "east")
    assert judged.verdict is Verdict.UNKNOWN
    assert "fewer than 10 prove nothing" in judged.message


def test_a_site_that_was_not_cut_is_unknown(scene: Scene):
    scene.writes("east")
    scene.event(1, events.NOTE, words="no strike")
    assert acknowledged(scene.recording(), "east").verdict is Verdict.UNKNOWN


def campus(scene: Scene, *acknowledged_at: float) -> None:
    """East goes on writing beside a campus that is cut off, and is acknowledged at these seconds only."""
    points = sorted(acknowledged_at)
    spans = [(10.0, 30.5)] if not points else [(10.0, points[0]), (points[-1] + 0.2, 30.5)]
    scene.writes("east", outcomes=[(a, b, Done.UNKNOWN) for a, b in spans])
    scene.writes("south")
    scene.strike("h1", 'campus "South" is isolated', at=10, healed=30, sites=["south", "witness"], quorum_loss=True)


CAMPUS = (["south", "witness"], "South")


def test_a_site_that_confirms_nothing_beside_a_campus_that_is_cut_off(scene: Scene):
    campus(scene)
    judged = acknowledged(scene.recording(), "east", *CAMPUS)
    assert judged.verdict is Verdict.PASS
    assert judged.title == 'site "east" acknowledges no write while campus "South" is isolated'


def test_a_site_that_confirms_something_beside_a_campus_that_is_cut_off_fails(scene: Scene):
    campus(scene, 20.0)
    judged = acknowledged(scene.recording(), "east", *CAMPUS)
    assert judged.verdict is Verdict.FAIL
    assert 'sent while campus "South" was cut off' in judged.message


def test_beside_a_campus_that_was_not_cut_off_nothing_is_told(scene: Scene):
    scene.writes("east")
    scene.strike("h1", TITLE, at=10, healed=30, sites=["south"])
    judged = acknowledged(scene.recording(), "east", *CAMPUS)
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.message.startswith('Campus "South" was not cut off')


def test_what_a_sentence_said_beside_a_campus_is_judged_again_at_the_end(scene: Scene):
    campus(scene, 20.0)
    first = acknowledged(scene.recording(), "east", *CAMPUS)
    scene.event(
        40, events.CHECK, check="no_ack_while_cut", phase="5", verdict="pass", title=first.title, message="",
        counts=dict(first.counts), saw={}, witnesses=[], witnesses_total=0,
    )  # fmt: skip
    (again,) = no_ack_while_cut.judge(Case(scene.recording(), ()))
    assert (again.verdict, again.title) == (Verdict.FAIL, first.title)
