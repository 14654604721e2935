# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Each guard: one strike that it refuses, with nothing touched, and one that it lets pass."""

from __future__ import annotations

import socket
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate
from permits_helpers import Stage

from drdrill.connect import parts
from drdrill.connect.capabilities import Look
from drdrill.drill.guards import copies
from drdrill.drill.guards.copies import last_copy_gone
from drdrill.drill.guards.guard import Case, Guard
from drdrill.drill.guards.registry import GUARDS
from drdrill.drill.guards.standpoint import Standpoint, bound
from drdrill.drill.guards.votes import majority_gone
from drdrill.errors import BadInput, Refused, WayInFailed
from drdrill.faults.campus_isolated import CampusIsolated
from drdrill.faults.campus_lost import CampusLost
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

    Make = Callable[..., Stage]

DATABASE, ENTRY = (HostLosesPower(role, "registration", "east") for role in ("database", "entry"))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Make]:
    made: list[Stage] = []

    def make(**how: Any) -> Stage:
        made.append(Stage(tmp_path, **how))
        return made[-1]

    yield make
    for one in made:
        one.finish()


def refused(stage: Stage, fault: Any, guard: str, words: str) -> None:
    before = stage.struck
    with pytest.raises(Refused) as caught:
        stage.strike(fault)
    assert f"guard {guard}: " in str(caught.value)
    assert words in str(caught.value)
    assert stage.struck == before
    said = {one["guard"]: one["answer"] for one in stage.told(events.GUARDED)[-1]["said"]}
    assert said[guard] is not True


# --- votes ------------------------------------------------------------------------------------------------------------


def test_a_site_of_three_leaves_a_majority(stage: Make):
    made = stage()
    made.strike(SiteIsolated("east"))
    assert made.struck == ["links.cut"]
    told = made.told(events.GUARDED)[0]
    assert set(GUARDS.names()) == {one["guard"] for one in told["said"]}
    assert all(one["answer"] is True for one in told["said"])
    assert told["quorum_loss"] is False


@pytest.mark.parametrize("fault", [CampusIsolated("South"), CampusLost("South")], ids=lambda f: f.title)
def test_a_campus_that_holds_two_of_three_votes_needs_a_sentence_that_says_so(stage: Make, fault):
    made = stage()
    refused(made, fault, "votes", "1 of 3 votes (east-db1) would be left; a majority is 2")
    with pytest.raises(Refused, match="its sentence ends in `with expected loss of quorum`"):
        made.strike(fault)
    made.strike(fault, quorum_loss=True)
    assert len(made.struck) == 1
    assert "  as the sentence expects: 1 of 3 votes (east-db1) would be left; a majority is 2" in made.said
    assert made.told(events.GUARDED)[-1]["quorum_loss"] is True


def test_a_voter_that_is_down_already_is_no_vote_that_is_left(stage: Make):
    made = stage()
    made.world.broken["witness-arb1"] = "its daemon is gone"
    refused(made, SiteIsolated("east"), "votes", "not there: witness-arb1 (its daemon is gone)")


def test_a_voter_that_its_engine_does_not_hear_is_none(stage: Make, monkeypatch):
    made = stage()
    engine = made.drill.engine("clinical")
    members = [replace(m, role="unknown", healthy=False, words="no answer") for m in engine.members()]
    monkeypatch.setattr(engine, "members", lambda: members)
    refused(made, SiteIsolated("witness"), "votes", "south-db1 (no answer)")


def test_without_votes_in_the_file_nothing_is_counted(tmp_path: Path):
    estate = fake_estate(tmp_path)
    assert majority_gone(estate, {"east-db1", "south-db1"}) is not None
    silent = replace(estate, hosts={n: replace(h, votes=False) for n, h in estate.hosts.items()})
    assert majority_gone(silent, {"east-db1", "south-db1"}) is None


# --- copies -----------------------------------------------------------------------------------------------------------


def test_a_replica_that_lags_is_no_copy_and_one_that_caught_up_is(stage: Make, monkeypatch):
    monkeypatch.setattr(copies, "SETTLE_S", 0.3)
    made = stage()
    engine = made.drill.engine("clinical")
    looks = [Look(False, "lacks 12 bytes")] * 50
    monkeypatch.setattr(engine, "settled", lambda _host, _since: looks.pop() if looks else Look(True, "has everything"))
    refused(made, DATABASE, "copies", "south-db1: lacks 12 bytes")
    looks[:] = looks[:1]
    made.strike(DATABASE)
    assert made.struck == ["power.off"]


def test_a_copy_of_which_nobody_can_tell_is_none(stage: Make, monkeypatch):
    made = stage()
    engine = made.drill.engine("clinical")

    def headless() -> str:
        raise WayInFailed("nobody claims to be the writer")

    monkeypatch.setattr(engine, "position", headless)
    refused(made, DATABASE, "copies", "nobody claims to be the writer")


def test_the_last_member_is_not_taken(stage: Make):
    made = stage()
    made.strike(DATABASE)
    other = HostLosesPower("database", "registration", "south")
    refused(made, other, "copies", "no copy of database clinical would be left")
    made.strike(other, quorum_loss=True)
    assert made.struck == ["power.off", "power.off"]


def test_the_last_copy_can_be_known_from_the_file(stage: Make):
    estate = stage().estate
    assert "no member of database clinical would be left" in str(last_copy_gone(estate, {"east-db1", "south-db1"}))
    assert last_copy_gone(estate, {"east-db1"}) is None


# --- entries, other sites, capacity -------------------------------------------------------------------------------------


def test_the_last_entry_is_not_taken_and_one_of_two_may_be(stage: Make):
    made = stage()
    made.world.broken["south-entry1"] = "its daemon is gone"
    refused(made, ENTRY, "entries", "no entry of service registration would be left; not there: south-entry1")
    del made.world.broken["south-entry1"]
    made.strike(ENTRY)
    assert made.struck == ["power.off"]


def test_the_other_site_has_to_answer(stage: Make):
    made = stage()
    made.world.broken["south-app1"] = "its daemon is gone"
    refused(made, SiteLost("east"), "other-sites", "answers at no other site")
    del made.world.broken["south-app1"]
    made.strike(SiteLost("east"))
    assert made.struck == ["power.off"]


def carrying(**carries: float) -> Callable[[Estate], Estate]:
    def change(estate: Estate) -> Estate:
        service = replace(estate.services["registration"], carries=carries)
        return replace(estate, services={"registration": service})

    return change


def test_what_is_left_has_to_carry_the_load(stage: Make):
    made = stage(change=carrying(east=60, south=60))
    refused(made, SiteIsolated("east"), "capacity", "carries 60 % of the load of service registration")
    made.finish()


def test_what_carries_everything_may_be_left_alone(stage: Make):
    made = stage(change=carrying(east=60, south=100))
    made.strike(SiteIsolated("east"))
    assert made.struck == ["links.cut"]


def test_where_nobody_says_what_a_site_carries_that_is_said_and_nothing_refused(stage: Make):
    made = stage()
    made.strike(SiteIsolated("east"))
    words = {one["guard"]: one["words"] for one in made.told(events.GUARDED)[0]["said"]}
    assert "does not say what the sites carry of service registration" in words["capacity"]


# --- standpoint -------------------------------------------------------------------------------------------------------


def test_a_host_on_which_the_drill_depends_is_not_struck(stage: Make):
    made = stage()
    made.drill.standpoints["east-app1"] = "the host of the guardian"
    refused(made, SiteIsolated("east"), "standpoint", "east-app1 is the host of the guardian")
    made.strike(ENTRY)
    assert made.struck == ["power.off"]


@pytest.mark.parametrize("address", ["10.9.8.7", "::9"])
def test_the_machine_on_which_the_drill_runs_is_not_struck(stage: Make, address: str):
    made = stage(change=lambda e: replace(e, hosts={n: replace(h, addresses=(address,)) for n, h in e.hosts.items()}))
    case = Case(made.drill, frozenset({"east-db1"}), new=("east-db1",))
    ours = Standpoint(ours={address}.__contains__).before(case)
    assert ours.answer is False
    assert "is the machine on which this drill runs" in ours.words
    assert Standpoint(ours=lambda _: False).before(case).answer is True


def test_a_host_that_is_called_like_this_machine_is_this_machine(stage: Make, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "EAST-DB1.hospital.example")
    made = stage()
    refused(made, DATABASE, "standpoint", "its name is east-db1")


def test_in_a_lab_no_host_is_this_machine(stage: Make):
    made = stage()
    hosts = {n: replace(h, ways={**h.ways, "shell": ("ssh://127.0.0.1",)}) for n, h in made.estate.hosts.items()}
    case = Case(made.drill, frozenset({"east-db1"}), new=("east-db1",))
    made.drill.estate = replace(made.estate, hosts=hosts)
    assert Standpoint().before(case).answer is False
    made.drill.estate = replace(made.drill.estate, lab="pocket")
    assert Standpoint().before(case).answer is True


def test_an_address_is_ours_when_it_can_be_bound():
    assert bound("127.0.0.1")
    assert not bound("192.0.2.7")
    assert not bound("no address")


# --- guards of a team -------------------------------------------------------------------------------------------------


class Full(Guard):
    """A guard of a team."""

    name = "moon"

    def __init__(self, answer: bool | Exception) -> None:
        self.answer = answer

    def before(self, case: Case) -> Look:
        del case
        if isinstance(self.answer, Exception):
            raise self.answer
        return Look(self.answer, "the moon is full" if not self.answer else "the moon is new")

    def held(self, case: Case) -> Look:
        return self.before(case)


@pytest.mark.parametrize(
    ("answer", "words"), [(False, "the moon is full"), (ZeroDivisionError("no moon"), "ZeroDivisionError: no moon")]
)
def test_a_guard_of_a_team_refuses_by_a_no_and_by_crashing(stage: Make, answer, words: str):
    made = stage()
    made.drill.restraints._guards = {**made.drill.restraints._all(), "moon": Full(answer)}
    refused(made, ENTRY, "moon", words)
    made.drill.restraints._guards["moon"] = Full(True)
    made.strike(ENTRY)
    assert made.struck == ["power.off"]


def offer(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    points = (EntryPoint("moon", value, "drdrill.guards"),)
    monkeypatch.setattr(parts, "entry_points", lambda **wanted: EntryPoints(points).select(**wanted))


class NewMoon(Full):
    """As an entry point names it."""

    def __init__(self) -> None:
        super().__init__(answer=False)


def test_a_guard_of_a_team_is_found_by_its_entry_point(stage: Make, monkeypatch):
    made = stage()
    with monkeypatch.context() as offered:
        offer(offered, f"{__name__}:NewMoon")
        refused(made, ENTRY, "moon", "the moon is full")
    made.drill.restraints._guards = None
    made.strike(ENTRY)
    assert made.struck == ["power.off"]


def test_a_guard_that_cannot_be_loaded_is_never_a_missing_guard(stage: Make, monkeypatch):
    made = stage()
    offer(monkeypatch, "no_such_package:Moon")
    with pytest.raises(BadInput, match='the guard "moon" .* cannot be loaded'):
        made.strike(ENTRY)
    assert made.struck == []


def test_what_nobody_can_tell_is_not_what_a_sentence_expects(stage: Make, monkeypatch):
    made = stage()

    def broken(_case: Case) -> Look:
        raise WayInFailed("the supervisor is silent")

    monkeypatch.setattr(made.drill.restraints._all()["votes"], "before", broken)
    with pytest.raises(Refused, match="the supervisor is silent"):
        made.strike(CampusIsolated("South"), quorum_loss=True)
    assert made.struck == []
