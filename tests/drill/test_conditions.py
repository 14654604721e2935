# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Abort conditions: tripped by what was measured, by not being measured, and by nothing else."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.drill.call import Call
from drdrill.drill.conditions import AwayWatch, away, shown
from drdrill.drill.drill import About, Drill
from drdrill.drill.named import named
from drdrill.drill.preflight import findings
from drdrill.errors import BadInput, Tripped
from drdrill.estate.model import Away
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.journal import events
from drdrill.journal.fake import Scene
from drdrill.journal.journal import read
from drdrill.journal.outage import Outage, Strip
from drdrill.measure.strips import strip

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench
    from scripted import Script

S = 1_000_000_000
LONG = Away("registration", 5.0)


def outage(first: float, until: float | None, *, good: float | None = None) -> Outage:
    end = None if until is None else int(until * S)
    return Outage(
        "registration", "client", "probes", int((first - 0.1) * S), int(first * S), int((first + 0.5) * S), end,
        None if good is None else int(good * S), None if good is None else int((good + 0.1) * S),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outages", "seconds"),
    [
        ((), 0),
        ((outage(10, 20, good=21),), 0),
        ((outage(10, 20),), 10),
        ((outage(10, 20, good=21), outage(30, 34)), 4),
        # Nothing proves until when it was away: all that is known of it counts.
        ((outage(10, None),), 40),
    ],
)
def test_away_is_from_the_first_bad_attempt_to_the_last_of_an_outage_that_has_not_ended(outages, seconds):
    assert away(Strip("registration", "client", outages, 1, 0, 0, 50 * S)) == seconds * S


class Measured:
    """A recording whose last moment is chosen, and the watch that reads it."""

    def __init__(self, folder: Path, *bad: tuple[float, float], end: float = 30.0) -> None:
        scene = Scene(folder, end=end)
        for site in ("east", "south"):
            scene.probes(site, bad=bad)
        self.scene = scene
        self.recording = scene.recording()
        self.now_ns = scene.ns(0.0)
        self.watch = AwayWatch(LONG, 1.0, lambda: self.recording, lambda: self.now_ns)

    def look(self, at: float) -> str | None:
        self.now_ns = self.scene.ns(at)
        return self.watch.look()


def test_a_service_that_answers_trips_nothing(tmp_path: Path):
    assert Measured(tmp_path).look(30.0) is None


def test_a_service_that_is_away_for_too_long_trips(tmp_path: Path):
    words = Measured(tmp_path, (20.0, 30.0)).look(30.0)
    assert words is not None
    assert words.startswith("it is away for 9.")


def test_a_service_that_is_away_for_less_trips_nothing(tmp_path: Path):
    assert Measured(tmp_path, (26.0, 30.0)).look(30.0) is None


def test_one_that_was_away_for_too_long_and_is_back_trips_nothing_any_more(tmp_path: Path):
    assert Measured(tmp_path, (10.0, 18.0)).look(30.0) is None


def test_without_a_measurement_for_its_period_it_trips(tmp_path: Path):
    measured = Measured(tmp_path)
    assert measured.look(35.0) is None
    words = measured.look(36.5)
    assert words is not None
    assert words.startswith("it was not measured for 6.")


def test_a_service_that_is_never_measured_trips_after_its_period(tmp_path: Path):
    scene = Scene(tmp_path, end=30.0)
    recording, now = scene.recording(), [scene.ns(0.0)]
    watch = AwayWatch(LONG, 1.0, lambda: recording, lambda: now[0])
    assert watch.look() is None
    now[0] = scene.ns(7.0)
    assert "was not measured" in str(watch.look())


def test_a_condition_says_what_its_sentence_says():
    assert shown(LONG) == 'service "registration" is away for more than 5 s'
    assert shown(replace(LONG, site="east")) == 'service "registration" is away at site "east" for more than 5 s'


def test_a_service_of_a_condition_is_probed_though_nobody_else_names_it(bench: Bench):
    call = Call("drill", "abort_if_away", ("admission", 20.0), {}, "a.feature:4")
    assert named(bench.estate, [call]).services == ("registration",)
    assert named(replace(bench.estate, abort=(LONG,)), []).services == ("registration",)


def test_a_condition_of_what_is_not_there_is_found_before_anything_is_touched(bench: Bench):
    wrong = Call("drill", "abort_if_away", ("billing", 20.0), {}, "a.feature:4")
    nowhere = Call("drill", "abort_if_away", ("registration", 20.0, "west"), {}, "a.feature:5")
    first, second = findings(bench.estate, [wrong, nowhere])
    assert first.startswith('a.feature:4: no service is called "billing"')
    assert second.startswith('a.feature:5: no site is called "west"')
    assert findings(bench.estate, [Call("drill", "abort_if_away", ("registration", 20.0), {}, "a.feature:4")]) == []


# --- a whole drill, measured ------------------------------------------------------------------------------------------


@pytest.fixture
def drill(bench: Bench, services: tuple[Script, Script], tmp_path: Path) -> Any:
    del services
    made = Drill.begin(bench.estate, About("A drill", "A feature"), tmp_path / "out", lambda _: None)
    ended: list[object] = []
    finish = made.finish

    def once(error: BaseException | None = None) -> Any:
        if not ended:
            ended.append(finish(error))
        return ended[0]

    made.finish = once  # type: ignore[method-assign]
    yield made
    made.finish()


STRIKE = HostLosesPower("database", "registration", "east")


def silenced(services: tuple[Script, Script]) -> None:
    for script in services:
        script.begin("failing", 60.0)


def test_a_service_that_stays_away_ends_the_drill_and_its_heal_begins_within_a_second(
    drill: Drill, services: tuple[Script, Script]
):
    noun = drill.nouns["drill"]
    drill.nouns["workload"].watch("registration")
    noun.abort_if_away("admission", 2.0)
    noun.strike(STRIKE)
    noun.hold_for(1.0)
    silenced(services)
    begun = time.monotonic()
    with pytest.raises(Tripped, match='service "registration" is away for more than 2 s: it is away for') as caught:
        noun.hold_for(30.0)
    assert time.monotonic() - begun < 10
    drill.finish(caught.value)
    journal = read(drill.folder)
    tripped, healing = (next(iter(journal.of(kind))).t for kind in (events.TRIPPED, events.FAULT_HEALING))
    assert 0 < healing - tripped < 1.0 * S


def test_a_service_that_is_there_ends_nothing(drill: Drill):
    noun = drill.nouns["drill"]
    drill.nouns["workload"].watch("registration")
    noun.abort_if_away("registration", 2.0)
    noun.strike(STRIKE)
    noun.hold_for(4.0)
    assert list(read(drill.folder).of(events.TRIPPED)) == []


def test_a_probe_that_dies_ends_the_drill(drill: Drill, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("drdrill.drill.conditions.PERIOD_S", 1.5)
    noun = drill.nouns["drill"]
    drill.nouns["workload"].watch("registration")
    noun.abort_if_away("registration", 20.0)
    noun.strike(STRIKE)
    for worker in drill.nouns["workload"]._clients.of("probes"):
        assert worker._process is not None
        worker._process.kill()
    with pytest.raises(Tripped, match="it was not measured for"):
        noun.hold_for(30.0)


def test_an_unknown_service_of_a_condition_is_bad_input(drill: Drill):
    with pytest.raises(BadInput, match='no service is called "billing"'):
        drill.nouns["drill"].abort_if_away("billing", 20.0)


def test_a_strip_of_a_scene_is_what_a_watch_reads(tmp_path: Path):
    measured = Measured(tmp_path, (20.0, 30.0))
    assert strip(measured.recording, "registration", "client").outages[-1].good_ns is None
