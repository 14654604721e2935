# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The catalogue of flaws, its rotation and its document agree; no lab is raised here."""

from __future__ import annotations

from flaws.catalogue import CI, FLAWS, of_the_day
from flaws.track_record import DOCUMENT, Caught, named, renewed

from drdrill.lab.network import flaws as network
from drdrill.lab.pocket import flaws as pocket

NAMES = [flaw.name for flaw in FLAWS]


def test_every_flaw_of_the_lab_meets_a_drill():
    met = {lab: {name for flaw in FLAWS if flaw.on == lab for name in flaw.lab} for lab in ("pocket", "network")}
    assert met["pocket"] == set(pocket.FLAWS)
    # What the supervisor of either lab can do wrong in the same way meets its drill on the pocket lab.
    assert met["network"] == set(network.FLAWS) - set(pocket.FLAWS)


def test_no_flaw_may_end_in_met_and_each_says_what_must_be_said():
    assert len(set(NAMES)) == len(NAMES)
    for flaw in FLAWS:
        assert flaw.result in {"missed", "inconclusive", "refused", "not collected"}
        assert flaw.words
        assert flaw.drill.exists()


def test_in_a_few_days_every_flaw_that_has_turns_has_had_its_own():
    turns = {flaw.name for flaw in FLAWS if not flaw.only_all}
    days = -(-len(turns) // CI)
    for first in (1, 738_000):
        seen = {name for day in range(first, first + days) for name in of_the_day(day)}
        assert seen == turns
        assert len(set(of_the_day(first))) == CI


def test_the_track_record_names_every_flaw_and_no_other():
    assert named(DOCUMENT.read_text()) == NAMES, "the catalogue has changed: run ./scripts/track-record"


def test_a_run_renews_the_lines_of_what_it_caught_and_keeps_the_others():
    old = {name: Caught("fail", "missed", "restored", f"{name} | was seen.", 30.0) for name in NAMES}
    text = renewed("", FLAWS, old, "2026-11-25, 1")
    assert named(text) == NAMES
    assert f"{NAMES[0]} / was seen." in text
    new = renewed(
        text, FLAWS, {NAMES[1]: Caught("fail", "missed", "restored", "Now otherwise.", 20.0)}, "2026-11-26, 2"
    )
    assert named(new) == NAMES
    assert new.count("2026-11-25, 1") == len(NAMES) - 1
    assert "Now otherwise. | missed, restored | 20 s, 2026-11-26, 2 |" in new


def test_a_flaw_that_is_no_more_leaves_the_record():
    caught = {name: Caught("fail", "missed", "restored", "Seen.", 30.0) for name in NAMES}
    text = renewed("", FLAWS, caught, "2026-11-25, 1")
    assert named(renewed(text, FLAWS[1:], {}, "")) == NAMES[1:]


def test_a_flaw_that_no_recorded_run_has_met_claims_nothing():
    text = renewed("", FLAWS, {}, "2026-11-25, 1")
    assert named(text) == NAMES
    assert text.count("not recorded yet") == len(NAMES)
