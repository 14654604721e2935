# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drdrill.journal import events
from drdrill.journal.fake import Scene
from drdrill.journal.records import INTENT, Done, Seen, intents_of
from drdrill.measure.strips import strip, strips

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.journal.outage import Outage


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "drill")


def seen(scene: Scene, name: str = "client") -> tuple[Outage, ...]:
    return strip(scene.recording(), "registration", name).outages


def bounds(outage: Outage) -> tuple[float, float]:
    assert outage.upper_ns is not None
    return outage.lower_ns / 1e9, outage.upper_ns / 1e9


def test_a_client_is_served_while_one_endpoint_is_good(scene: Scene):
    scene.probes("east", bad=[(10, 30)])
    scene.probes("south", bad=[(20, 40)])
    (outage,) = seen(scene)
    lower, upper = bounds(outage)
    assert lower <= 10 <= upper
    assert [len(s.outages) for s in strips(scene.recording())] == [1, 1, 1]


def test_an_acknowledgement_at_a_struck_site_is_none_for_clients_outside(scene: Scene):
    """An old writer that goes on alone must not hide that nobody else could write."""
    scene.probes("south")
    scene.writes("east")
    scene.writes("south", outcomes=[(10, 18, Done.UNKNOWN)])
    scene.strike("h1", "x", at=10, healed=30, sites=["east"])
    (outage,) = seen(scene)
    lower, upper = bounds(outage)
    assert outage.way == "acknowledgements"
    assert lower <= 8 <= upper
    assert not seen(scene, "east")


def test_after_its_heal_a_site_counts_again(scene: Scene):
    scene.probes("south")
    scene.writes("east")
    scene.writes("south", outcomes=[(10, 18, Done.UNKNOWN), (31, 50, Done.UNKNOWN)])
    scene.strike("h1", "x", at=10, healed=30, sites=["east"])
    assert len(seen(scene)) == 1


def test_a_struck_host_strikes_no_site(scene: Scene):
    scene.probes("south")
    scene.writes("east")
    scene.writes("south", outcomes=[(10, 18, Done.UNKNOWN)])
    scene.strike("h1", "x", at=10, healed=30, hosts=["east-db1"])
    assert not seen(scene)


@pytest.mark.parametrize("to", [40.0, None])
def test_a_pause_is_no_outage_even_when_nobody_resumes(scene: Scene, to: float | None):
    stream = scene.writes("east", silent=[(30, 40 if to else 60)])
    scene.probes("east")
    end = None if to is None else scene.ns(to)
    scene.event(30, events.WRITES_PAUSED, streams=[stream], from_ns=scene.ns(30), to_ns=end, mark={})
    assert not seen(scene)


def test_writes_that_stop_without_a_pause_leave_the_end_unknown_but_are_no_outage(scene: Scene):
    scene.writes("east", silent=[(30, 60)])
    scene.probes("east")
    assert not seen(scene)


def test_writes_that_are_planned_for_later_than_anything_is_known_are_no_outage(scene: Scene):
    """A drill that runs, or was killed: intents lie on disk 2 s ahead, and nobody knows what becomes of them."""
    scene.probes("east", stopped=False)
    stream = scene.writes("east", stopped=False)
    path = scene.folder / "data" / f"{intents_of(stream)}.bin"
    found = np.fromfile(path, INTENT)
    ahead = np.zeros(50, INTENT)
    ahead["seq"] = found["seq"][-1] + 1 + np.arange(50)
    ahead["due"] = found["due"][-1] + np.arange(1, 51) * 40_000_000
    np.concatenate((found, ahead)).tofile(path)
    client = strip(scene.recording(), "registration", "client")
    assert client.outages == ()
    assert client.horizon_ns <= scene.ns(60)


def test_the_strip_of_a_site_is_seen_from_outside_and_from_itself_only_where_nobody_is_outside(scene: Scene):
    scene.probes("east", vantage="east", bad=[(10, 15)])
    (alone,) = seen(scene, "east")
    assert bounds(alone)[0] <= 5 <= bounds(alone)[1]
    scene.probes("east", vantage="client")
    assert not seen(scene, "east")


def test_what_was_seen_before_the_calibration_does_not_count(scene: Scene):
    name = scene.probes("east", bad=[(0, 2)], start=0.0)
    scene._events = [e for e in scene._events if e[1] != events.PROBES_CALIBRATED]
    told = {"from_ns": scene.ns(4), "to_ns": scene.ns(7), "samples": 60, "p50_ns": 10_000_000, "p99_ns": 10_000_000}
    scene.event(7, events.PROBES_CALIBRATED, stream=name, **told)
    assert not seen(scene)


def test_probes_and_acknowledgements_that_fail_one_after_the_other_are_one_outage(scene: Scene):
    scene.probes("east", bad=[(10, 14)], seen=Seen.SILENT)
    scene.writes("east", outcomes=[(12, 18, Done.UNKNOWN)])
    (outage,) = seen(scene)
    lower, upper = bounds(outage)
    assert lower <= 8 <= upper
    assert upper - lower < 0.3


def test_a_good_moment_shorter_than_the_stable_window_ends_nothing(scene: Scene):
    scene.probes("east", bad=[(10, 12)])
    scene.writes("east", outcomes=[(14, 17, Done.UNKNOWN)])
    (outage,) = seen(scene)
    assert bounds(outage)[0] <= 7 <= bounds(outage)[1]
