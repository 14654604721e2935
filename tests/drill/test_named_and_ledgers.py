# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a scenario names is probed; what is written into a database directly has a table of its own, and leaves none behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.checkers.verdict import Restoration, Result
from drdrill.connect.fake_world import World
from drdrill.drill import ledgers, preflight
from drdrill.drill.about import About
from drdrill.drill.call import Call
from drdrill.drill.drill import Drill
from drdrill.drill.ledgers import Ledgers
from drdrill.drill.named import Named, named
from drdrill.drill.workload import Workload
from drdrill.engines.registry import engine_for
from drdrill.errors import BadInput, Refused, WayInFailed
from drdrill.estate.durations import Deadline
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.journal import events
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench
    from scripted import Script

    from drdrill.estate.model import Estate

ADDRESSED = {"east-db1": {"address": "postgresql://east-db1"}, "south-db1": {"address": "postgresql://south-db1"}}


def addressed(folder: Path, **changes: object) -> Estate:
    """The fake estate with addresses for the clients of its database."""
    estate = fake_estate(folder)
    database = replace(estate.databases["clinical"], **{"nodes": ADDRESSED, **changes})
    return replace(estate, databases={"clinical": database})


# --- names ------------------------------------------------------------------------------------------------------------


def test_everything_that_a_sentence_names_is_named_once_in_its_own_name(bench: Bench) -> None:
    calls = [
        Call("estate", "require_healthy"),
        Call("availability", "await_again", ("admission", Deadline(promise="rto"), "east")),
        Call("availability", "never_longer", ("registration", Deadline(promise="rto"))),
        Call("consistency", "await_same", ("clinical", Deadline(promise="recovery"))),
    ]
    assert named(bench.estate, calls) == Named(("registration",), ("clinical",))


def test_a_fault_names_the_service_whose_host_it_strikes(tmp_path: Path) -> None:
    calls = [Call("drill", "strike", (HostLosesPower("database", "registration", "east"),))]
    assert named(fake_estate(tmp_path), calls).services == ("registration",)


def test_a_scenario_that_names_nothing_has_nothing_probed(bench: Bench) -> None:
    assert named(bench.estate, [Call("estate", "require_healthy"), Call("consistency", "none_lost")]) == Named()


def test_a_service_that_only_a_check_names_is_probed_before_anything_is_struck(bench: Bench) -> None:
    workload = Workload(bench, Named(("registration",)))
    try:
        workload.watch_all()
        workload.watch_all()
        started = [e.data["stream"] for e in bench.recording().journal.of(events.PROBES_STARTED)]
        assert len(started) == len(set(started)) == 4
        calibrated = {e.data["stream"] for e in bench.recording().journal.of(events.PROBES_CALIBRATED)}
        assert calibrated == set(started)
    finally:
        workload.stop()


def test_a_service_that_is_not_well_refuses_a_drill_that_only_names_it(
    bench: Bench, services: tuple[Script, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drdrill.drill.workload.GOOD_S", 4.0)
    services[1].begin("failing", 10)
    workload = Workload(bench, Named(("registration",)))
    try:
        with pytest.raises(Refused, match='service "registration" was not good'):
            workload.watch_all()
    finally:
        workload.stop()


def test_a_member_without_an_address_is_said_not_to_be_asked(bench: Bench) -> None:
    workload = Workload(bench, Named((), ("clinical",)))
    try:
        workload.watch_all()
        (note,) = bench.recording().journal.of(events.NOTE)
        assert "east-db1, south-db1 of database clinical" in note.data["words"]
        assert "`address`" in note.data["words"]
        assert not list(bench.recording().journal.of(events.MEMBERS_PROBED))
    finally:
        workload.stop()


# --- findings before anything is touched ------------------------------------------------------------------------------


def findings(estate: Estate, rate: float = 25) -> list[str]:
    return preflight.findings(estate, [Call("workload", "write_to", ("clinical", rate), where="a.feature:7")])


def test_a_database_whose_members_have_addresses_can_be_written_to(tmp_path: Path) -> None:
    assert findings(addressed(tmp_path)) == []


def test_a_database_without_addresses_cannot_and_the_finding_says_what_to_write(tmp_path: Path) -> None:
    (words,) = findings(fake_estate(tmp_path))
    assert words.startswith("a.feature:7: ")
    assert "give its nodes an `address`" in words


def test_a_site_without_a_member_to_write_to_is_a_finding(tmp_path: Path) -> None:
    (words,) = findings(addressed(tmp_path, write={"east": "east-db1"}))
    assert 'clients at site "south" have no member' in words


def test_too_few_writes_are_a_finding(tmp_path: Path) -> None:
    (words,) = findings(addressed(tmp_path), rate=5)
    assert "too few" in words


def test_a_client_knows_every_member_its_own_sites_first_or_the_one_of_its_site(tmp_path: Path) -> None:
    estate = addressed(tmp_path)
    database = estate.databases["clinical"]
    assert ledgers.members_for(estate, database, "south") == ["south-db1", "east-db1"]
    active = replace(database, write={"east": "east-db1", "south": "south-db1"})
    assert ledgers.members_for(estate, active, "south") == ["south-db1"]


def test_writing_to_a_database_without_addresses_is_refused_when_it_is_asked_for(workload: Workload) -> None:
    with pytest.raises(BadInput, match="`address`"):
        workload.write_to("clinical", 25)


# --- the table --------------------------------------------------------------------------------------------------------


class OnFake:
    """The bench's journal over the fake engine."""

    def __init__(self, bench: Bench, estate: Estate) -> None:
        self.id, self.journal, self.estate = bench.id, bench.journal, estate
        self.made = engine_for(estate, "clinical")

    def engine(self, database: str) -> object:
        assert database == "clinical"
        return self.made


@pytest.fixture
def on_fake(bench: Bench, tmp_path: Path) -> OnFake:
    return OnFake(bench, fake_estate(tmp_path))


def test_the_table_of_a_drill_is_written_down_when_it_is_made_and_when_it_is_dropped(
    bench: Bench, on_fake: OnFake
) -> None:
    tables = Ledgers(on_fake)  # type: ignore[arg-type]
    table = tables.make(on_fake.estate.databases["clinical"])
    assert on_fake.made.ledgers() == (table,)
    assert tables.drop() == []
    assert on_fake.made.ledgers() == ()
    assert tables.drop() == []
    journal = bench.recording().journal
    (made,), (dropped,) = journal.of(events.LEDGER_MADE), journal.of(events.LEDGER_DROPPED)
    assert made.data == {"database": "clinical", "table": table, "key": "key"}
    assert (dropped.data["table"], dropped.data["error"]) == (table, None)


def test_a_table_that_a_dead_drill_left_is_dropped_and_one_that_may_be_in_use_is_not(
    bench: Bench, on_fake: OnFake
) -> None:
    old, young = "ledger_20200101_000000_dead", f"ledger_{datetime.now(UTC):%Y%m%d_%H%M%S}_live"
    World.of(on_fake.estate).ledgers["clinical"] = [old, young]
    table = Ledgers(on_fake).make(on_fake.estate.databases["clinical"])  # type: ignore[arg-type]
    assert on_fake.made.ledgers() == (young, table)
    dropped, left = (e.data["words"] for e in bench.recording().journal.of(events.NOTE))
    assert old in dropped
    assert "it was dropped" in dropped
    assert f"may be running; if it is not: drop {young}" in left


@pytest.mark.parametrize("name", ["ledger", "ledger_99999999_999999_x"])
def test_a_table_whose_age_nobody_knows_is_left_alone(name: str) -> None:
    assert not ledgers.surely_dead(name, datetime.now(UTC))


def test_an_account_that_may_make_no_table_refuses_the_drill_with_the_databases_reason(
    bench: Bench, on_fake: OnFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(_drill: str) -> str:
        raise WayInFailed("east-db1: permission denied for schema public")

    monkeypatch.setattr(on_fake.made, "make_ledger", no)
    with pytest.raises(Refused, match="permission denied for schema public; its account must be allowed to create"):
        Ledgers(on_fake).make(on_fake.estate.databases["clinical"])  # type: ignore[arg-type]
    assert not list(bench.recording().journal.of(events.LEDGER_MADE))


def test_a_table_that_cannot_be_dropped_is_told_with_what_to_type(
    bench: Bench, on_fake: OnFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = Ledgers(on_fake)  # type: ignore[arg-type]
    table = tables.make(on_fake.estate.databases["clinical"])

    def no(_table: str) -> None:
        raise WayInFailed("database clinical has no single writer now")

    monkeypatch.setattr(on_fake.made, "drop_ledger", no)
    ((what, words, command),) = tables.drop()
    assert what == f"table {table} in database clinical"
    assert "no single writer" in words
    assert f"drop {table}" in command
    (dropped,) = bench.recording().journal.of(events.LEDGER_DROPPED)
    assert dropped.data["error"]


def test_a_table_that_is_left_makes_the_estate_residual_also_when_nothing_was_struck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    drill = Drill.begin(fake_estate(tmp_path), About("t", "f"), tmp_path / "out", said.append)
    left = [("table drdrill_ledger_x in database clinical", "it could not be dropped", "drop table drdrill_ledger_x")]
    monkeypatch.setattr(drill.nouns["workload"], "clean_up", lambda: left)
    ended = drill.finish(Refused("fewer than 80 % of the writes were acknowledged"))
    assert (ended.result, ended.restoration) == (Result.REFUSED, Restoration.RESIDUAL)
    (told,) = (e.data for e in read(drill.folder).of(events.DRILL_RESTORED))
    assert told["differences"] == [
        {"what": left[0][0], "before": "not there", "after": left[0][1], "command": left[0][2], "cause": ""}
    ]
    assert any("Type: drop table drdrill_ledger_x" in line for line in said)


def test_what_a_sentence_names_is_probed_before_the_strike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = (Call("availability", "await_again", ("registration", Deadline(promise="rto"))),)
    drill = Drill.begin(fake_estate(tmp_path), About("t", "f", calls=calls), tmp_path / "out", print)
    workload = drill.nouns["workload"]
    assert workload._named == Named(("registration",))
    struck_when_probed: list[bool] = []
    monkeypatch.setattr(workload, "watch_all", lambda: struck_when_probed.append(drill.struck()))
    drill.nouns["drill"].strike(SiteIsolated("east"))
    drill.finish()
    assert struck_when_probed
    assert not any(struck_when_probed)
