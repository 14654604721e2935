# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The way in to the pocket lab, by the capabilities' contracts, on a lab that is up."""

from __future__ import annotations

import ast
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import drdrill.connect.lab
from drdrill.connect import lab as connect_lab
from drdrill.connect.capabilities import Inventory, Links, Power, Traffic, Vantages
from drdrill.connect.lab import LabInventory, LabLinks, LabPower, LabVantages, Supervisor
from drdrill.errors import BadInput, Unreachable, WayInFailed
from drdrill.estate.load import load
from drdrill.estate.select import pairs_across

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Pair
    from drdrill.estate.model import Estate

POCKET = Path(__file__).parents[2] / "fixtures" / "estates" / "pocket.yaml"
EAST = ("east-db1", "east-app1", "east-entry1")


@pytest.fixture
def estate(pocket_estate: Estate) -> Estate:
    return pocket_estate


@pytest.fixture
def cut_pairs(estate: Estate) -> tuple[Pair, ...]:
    """All that cuts the witness off: nothing of the database moves for it."""
    return tuple(pairs_across(estate, "witness", None))


def fresh(name: str) -> str:
    return f"{name}-{time.monotonic_ns()}"


def test_nothing_of_the_way_in_imports_the_lab():
    for path in Path(drdrill.connect.lab.__file__).parent.glob("lab*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("drdrill.lab"), path


@pytest.mark.lab
def test_it_keeps_the_contracts(estate: Estate, cut_pairs: tuple[Pair, ...]):
    links = LabLinks(estate)
    assert isinstance(links, Links)
    assert isinstance(LabPower(estate), Power)
    assert isinstance(LabVantages(estate), Vantages)
    assert isinstance(LabInventory(estate), Inventory)
    traffic = links.traffic(cut_pairs)
    assert isinstance(traffic, Traffic)
    traffic.close()
    assert links.supports(EAST)
    assert not links.supports(("east-db1", "mars"))


@pytest.mark.lab
def test_a_cut_stops_old_and_new_connections_and_its_heal_lets_them_through(
    estate: Estate, cut_pairs: tuple[Pair, ...]
):
    links, hold = LabLinks(estate), fresh("cut")
    traffic = links.traffic(cut_pairs)
    assert traffic is not None
    before = traffic.look()
    assert before.answer is True, before.words
    lease = links.cut(hold, "t", cut_pairs, 20, 60)
    assert lease.lease_s == 20
    assert lease.first_ns <= lease.last_ns <= time.monotonic_ns()
    held = traffic.look()
    assert held.answer is False, held.words
    assert held.counts["old_offered"] == held.counts["new_offered"] == len(cut_pairs)
    assert held.counts["old_answered"] == held.counts["new_answered"] == held.counts["pairs_with_bytes"] == 0
    assert links.is_cut(hold, cut_pairs).answer is True
    assert links.holds("t") == [hold]
    assert links.renew(hold, 30).state == "held"
    links.restore(hold)
    links.restore(hold)
    after = traffic.look()
    assert after.answer is True, after.words
    assert links.is_cut(hold, cut_pairs).answer is False
    assert links.holds("t") == []
    assert links.renew(hold, 30).state == "healed"
    traffic.close()


@pytest.mark.lab
def test_silence_proves_nothing_where_no_connection_was_there_before(estate: Estate):
    links, hold = LabLinks(estate), fresh("before")
    pairs = (("client", "witness-arb1"), ("witness-arb1", "client"))
    links.cut(hold, "t", pairs, 20, 60)
    traffic = links.traffic(pairs)
    assert traffic is not None
    look = traffic.look()
    links.restore(hold)
    traffic.close()
    assert look.answer is None
    assert "no old connection on client>witness-arb1" in look.words


@pytest.mark.lab
def test_one_way_only_lets_no_answer_through_and_says_which_link_carried(estate: Estate):
    links, hold = LabLinks(estate), fresh("one-way")
    pairs = (("client", "witness-arb1"), ("witness-arb1", "client"))
    traffic = links.traffic(pairs)
    assert traffic is not None
    links.cut(hold, "t", pairs[:1], 20, 60)
    look = traffic.look()
    links.restore(hold)
    traffic.close()
    assert look.answer is None
    assert look.counts["old_answered"] == 0
    assert look.counts["new_answered"] == 0
    assert "witness-arb1>client" in look.words


@pytest.mark.lab
def test_a_lapsed_cut_is_found_open_and_its_renewal_says_when_it_ended(estate: Estate, cut_pairs: tuple[Pair, ...]):
    links, hold = LabLinks(estate), fresh("lapse")
    traffic = links.traffic(cut_pairs)
    assert traffic is not None
    lease = links.cut(hold, "t", cut_pairs, 0.3, 60)
    deadline = time.monotonic() + 5
    while (look := traffic.look()).answer is not True:
        assert time.monotonic() < deadline, look.words
    renewal = links.renew(hold, 30)
    assert renewal.state == "lapsed"
    assert renewal.at_ns is not None
    assert renewal.at_ns - lease.first_ns == pytest.approx(300_000_000, abs=5_000_000)
    assert links.is_cut(hold, cut_pairs).answer is False
    traffic.close()


@pytest.mark.lab
def test_one_of_two_holds_on_a_link_keeps_it_cut(estate: Estate, cut_pairs: tuple[Pair, ...]):
    links, first, second = LabLinks(estate), fresh("first"), fresh("second")
    traffic = links.traffic(cut_pairs)
    assert traffic is not None
    links.cut(first, "t", cut_pairs, 20, 60)
    links.cut(second, "t", cut_pairs, 20, 60)
    links.restore(first)
    still = traffic.look()
    links.restore(second)
    assert still.answer is False, still.words
    traffic.close()


@pytest.mark.lab
def test_a_revoked_drill_renews_nothing(estate: Estate, cut_pairs: tuple[Pair, ...]):
    links, hold, drill = LabLinks(estate), fresh("revoked"), fresh("drill")
    links.cut(hold, drill, cut_pairs, 20, 60)
    links.revoke(drill)
    assert links.renew(hold, 30).state == "revoked"
    links.restore(hold)
    with pytest.raises(WayInFailed, match="revoked"):
        links.cut(fresh("again"), drill, cut_pairs, 20, 60)


@pytest.mark.lab
def test_power_goes_and_comes_back(estate: Estate):
    power, hold, hosts = LabPower(estate), fresh("power"), ("south-entry1",)
    assert power.ready(hosts).answer is True
    assert power.is_off(hosts).answer is False
    power.off(hold, "t", hosts, 20, 60)
    assert power.is_off(hosts).answer is True
    assert power.is_off(("south-entry1", "south-app1")).answer is None
    assert power.ready(hosts).answer is False
    assert power.holds("t") == [hold]
    assert LabLinks(estate).holds("t") == []
    states = LabInventory(estate).states()
    assert (states["south-entry1"].answer, states["south-entry1"].words) == (False, "it is off")
    power.on(hold, hosts)
    assert power.is_off(hosts).answer is False


@pytest.mark.lab
def test_each_vantage_point_has_its_own_way_to_its_endpoints(estate: Estate):
    vantages = LabVantages(estate)
    addresses = {vantages.address(v, "http://south-entry1/x") for v in ("client", "south")}
    assert len(addresses) == 2
    assert all(a.startswith("http://127.0.0.1:") and a.endswith("/x") for a in addresses)
    with pytest.raises(BadInput, match="east does not reach"):
        vantages.address("east", "http://south-entry1")
    with pytest.raises(BadInput, match='no vantage point is called "moon" in this estate; it has client, east, south'):
        vantages.address("moon", "http://south-entry1")
    assert list(vantages.command("east", ["true"])) == ["true"]


@pytest.mark.lab
def test_the_inventory_says_what_a_report_needs(estate: Estate):
    inventory = LabInventory(estate)
    about = inventory.about()
    assert (about["lab"], about["links"], about["flaws"]) == ("pocket", "user-space", [])
    audit = inventory.audit()
    assert audit.answer is True, audit.words
    assert set(inventory.states()) == set(estate.hosts)


@pytest.mark.lab
def test_many_threads_share_one_supervisor(estate: Estate):
    supervisor, wrong = Supervisor.of(estate), []

    def work(pair: list[str]) -> None:
        answers = [list(supervisor.ask("links", pairs=[pair])["links"]) for _ in range(30)]
        wrong.extend(answer for answer in answers if answer != [">".join(pair)])

    threads = [threading.Thread(target=work, args=([a, "client"],)) for a in EAST]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_lab_that_is_not_up_is_unreachable_before_a_strike_and_a_failed_command_in_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("DRDRILL_STATE", str(tmp_path))
    estate = load(str(POCKET), lab=False)
    with pytest.raises(Unreachable, match="drdrill lab status pocket"):
        LabLinks(estate).supports(EAST)
    with pytest.raises(WayInFailed, match="supervisor"):
        LabLinks(estate).restore("h")


@pytest.mark.lab
def test_a_supervisor_that_does_not_answer_is_unreachable_in_time_and_answers_again_later(estate: Estate):
    supervisor = Supervisor.of(estate)
    pid = supervisor.hello()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="did not answer in time"):
            supervisor.ask("holds", deadline_s=0.3)
        assert time.monotonic() - began < 1
    finally:
        os.kill(pid, signal.SIGCONT)
    assert supervisor.ask("holds")["ok"]
    assert connect_lab.LabInventory(estate).about()["lab"] == "pocket"
