# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lock that every runner sees: on a host of the fake estate, by the agent that real hosts run."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate
from waiting import eventually

from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import shared_lock
from drdrill.drill.drill import About, Drill
from drdrill.drill.one_drill import OneDrill
from drdrill.drill.shared_lock import LEASE_S, SharedLock
from drdrill.errors import EstateBusy, Refused, Tripped, WayInFailed
from drdrill.estate.model import Host
from drdrill.estate.select import lock_host
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal import events
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

STRIKING = ("links.cut", "power.off", "freeze.freeze", "entry.drain")
HOST = "witness-arb1"


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return replace(fake_estate(tmp_path), lock=None)


class Locks:
    """Runners of one estate, each on a machine of its own."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.made: list[SharedLock] = []

    def new(self) -> SharedLock:
        lock = SharedLock(Ways(self.estate), HOST)
        self.made.append(lock)
        return lock

    @property
    def path(self) -> Path:
        return self.estate.path.parent / "hosts" / HOST / "lock" / f"{self.estate.name}.json"

    def change(self, **what: Any) -> None:
        self.path.write_text(json.dumps({**json.loads(self.path.read_text()), **what}))


@pytest.fixture
def locks(estate: Estate) -> Iterator[Locks]:
    locks = Locks(estate)
    yield locks
    for lock in locks.made:
        lock.release()


def test_the_host_is_named_or_the_first_that_has_a_shell_where_one_only_votes(estate: Estate) -> None:
    assert lock_host(estate) == HOST
    assert lock_host(replace(estate, lock="client")) == "client"
    bare = {name: Host(name, host.role, host.site) for name, host in estate.hosts.items()}
    assert lock_host(replace(estate, hosts=bare)) is None


def test_a_second_runner_is_refused_and_told_by_whom(locks: Locks) -> None:
    assert locks.new().take("the-first") is None
    with pytest.raises(EstateBusy, match=rf"drill the-first \(.*@.*, process \d+, since 2.*in {LEASE_S:.0f} s"):
        locks.new().take("the-second")
    locks.made[0].release()
    assert locks.new().take("the-second") is None
    found = locks.new().look()
    assert found is not None
    assert found["drill"] == "the-second"
    assert 0 <= found["age_s"] < 30


def test_of_many_at_once_one_gets_it(locks: Locks) -> None:
    def attempt(n: int) -> int:
        try:
            locks.new().take(f"d{n}")
        except EstateBusy:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1


def test_it_is_taken_over_only_after_its_lease(locks: Locks) -> None:
    locks.new().take("dead")
    locks.change(until=json.loads(locks.path.read_text())["until"] - LEASE_S + 5)
    with pytest.raises(EstateBusy, match=r"in [45] s"):
        locks.new().take("next")
    locks.change(until=0.0)
    stale = locks.new().take("next")
    assert stale is not None
    assert stale["drill"] == "dead"


def test_a_lock_of_before_the_hosts_last_start_is_counted_anew(locks: Locks) -> None:
    locks.new().take("dead")
    locks.change(until=0.0, boot="another")
    with pytest.raises(EstateBusy, match=rf"in {LEASE_S:.0f} s"):
        locks.new().take("next")


def test_it_outlasts_the_longest_lease_of_its_faults(estate: Estate) -> None:
    lock = SharedLock(Ways(estate), HOST, lambda: 300.0)
    lock.take("d")
    found = lock.look()
    assert found is not None
    assert found["left_s"] > 300.0
    lock.release()


def test_it_is_renewed_over_one_connection(locks: Locks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_lock, "RENEW_EVERY_S", 0.1)
    lock = locks.new()
    lock.take("d")
    taken = json.loads(locks.path.read_text())["until"]

    def later() -> bool:
        assert lock.wrong() is None
        return bool(json.loads(locks.path.read_text())["until"] > taken + 0.5)

    eventually(later, 20)
    asked = [call for call, _ in World.of(locks.estate).calls if call == "shell.run"]
    assert len(asked) <= 2


@pytest.mark.parametrize(("change", "words"), [({"drill": "thief"}, "drill thief"), (None, "the lock is gone from")])
def test_a_lock_that_is_lost_is_seen(locks: Locks, change: dict[str, Any] | None, words: str) -> None:
    lock = locks.new()
    lock.take("d")
    if change:
        locks.change(**change)
    else:
        locks.path.unlink()
    eventually(lambda: words in (lock.wrong() or ""), 20)


def test_half_a_lease_without_a_renewal_is_too_long(locks: Locks, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = locks.new()
    lock.take("d")
    World.of(locks.estate).broken[HOST] = "its cable is out"
    assert lock.wrong() is None
    monkeypatch.setattr(shared_lock, "LEASE_S", 0.4)
    begun = time.monotonic()
    eventually(lambda: lock.wrong() is not None, 5)
    assert time.monotonic() - begun < 2
    assert f"{HOST} could not be asked to renew it" in (lock.wrong() or "")
    del World.of(locks.estate).broken[HOST]


def test_a_connection_that_breaks_is_made_anew(locks: Locks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_lock, "RENEW_EVERY_S", 0.1)
    lock = locks.new()
    lock.take("d")
    eventually(lambda: lock.wrong() is None and lock._process is not None, 20)
    first = lock._process
    assert first is not None
    first.kill()
    eventually(lambda: lock.wrong() is None and lock._process not in {None, first}, 20)
    before = json.loads(locks.path.read_text())["until"]
    eventually(lambda: lock.wrong() is None and json.loads(locks.path.read_text())["until"] > before, 20)


def test_a_lock_that_is_not_what_was_written_is_nobodys(locks: Locks) -> None:
    locks.new().take("d")
    locks.path.write_text("{")
    with pytest.raises(WayInFailed, match="is not what was written"):
        locks.new().take("e")
    locks.path.unlink()


def test_a_folder_that_others_may_write_keeps_no_lock(locks: Locks) -> None:
    locks.path.parent.mkdir(parents=True)
    locks.path.parent.chmod(0o777)
    with pytest.raises(WayInFailed, match="may be written by others"):
        locks.new().take("d")
    locks.path.parent.chmod(0o700)


def test_a_name_of_an_estate_that_leads_elsewhere_keeps_no_lock(tmp_path: Path) -> None:
    estate = replace(fake_estate(tmp_path, name="../x"), lock=None)
    with pytest.raises(WayInFailed, match="cannot be the name of an estate"):
        SharedLock(Ways(estate), HOST).take("d")


# --- drills ---------------------------------------------------------------------------------------------------------


def begin(estate: Estate, said: list[str] | None = None) -> Drill:
    return Drill.begin(estate, About("t", "f"), estate.path.parent / "out", (said or []).append)


def test_a_drill_on_another_machine_is_refused_and_nothing_is_touched(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drill = begin(estate)
    monkeypatch.setenv("DRDRILL_STATE", str(tmp_path / "another machine"))
    with pytest.raises(EstateBusy, match=f"drill {drill.id}"):
        begin(estate)
    assert World.of(estate).changes == 0
    drill.finish()
    begin(estate).finish()
    assert not Locks(estate).path.exists()


def test_a_lock_host_that_is_away_refuses_the_drill(estate: Estate) -> None:
    World.of(estate).broken[HOST] = "its cable is out"
    with pytest.raises(Refused, match=rf"cannot be taken on {HOST}, so nothing is struck: .*its cable is out"):
        begin(estate)
    assert World.of(estate).changes == 0
    del World.of(estate).broken[HOST]
    begin(estate).finish()


def test_a_lab_without_a_reachable_host_has_its_machine(estate: Estate) -> None:
    World.of(estate).broken[HOST] = "there is no ssh"
    said: list[str] = []
    OneDrill(replace(estate, lab="fake"), said.append).take("d").release()
    assert "kept on this machine only" in said[0]
    with pytest.raises(Refused):
        OneDrill(replace(estate, lab="fake", lock=HOST), said.append).take("d")


def test_an_estate_without_a_host_for_it_says_so(estate: Estate) -> None:
    bare = replace(
        estate, hosts={name: replace(host, ways={**host.ways, "shell": ()}) for name, host in estate.hosts.items()}
    )
    said: list[str] = []
    held = OneDrill(bare, said.append).take("d")
    assert held.where == "this machine"
    held.release()
    assert "names no host for the lock of the estate (`lock: HOST`)" in said[0]


def test_a_drill_whose_lock_is_taken_over_aborts_and_heals(estate: Estate) -> None:
    drill = begin(estate)
    drill.nouns["drill"].strike(SiteIsolated("east"))
    Locks(estate).change(drill="thief")
    with pytest.raises(Tripped, match="the lock of the estate: drill thief"):
        drill.wait_until(lambda: None, 20, "the lock to be seen")
    ended = drill.finish(Tripped("x"))
    assert str(ended.restoration) == "restored"
    assert "the lock of the estate" in next(read(ended.folder).of(events.TRIPPED)).data["watch"]
    Locks(estate).path.unlink()


def test_who_keeps_the_lock_is_not_struck(estate: Estate) -> None:
    drill = begin(replace(estate, lock="south-app1"))
    with pytest.raises(Refused, match="south-app1 keeps the lock of the estate"):
        drill.nouns["drill"].strike(SiteLost("south"))
    assert not [call for call, _ in World.of(estate).calls if call in STRIKING]
    drill.nouns["drill"].strike(SiteIsolated("south"))
    assert str(drill.finish().restoration) == "restored"


def test_in_a_lab_the_other_lock_may_be_away_but_not_another_drills(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = OneDrill(replace(estate, lab="fake"), print).take("d")
    monkeypatch.setattr(shared_lock, "LEASE_S", 0.0)
    World.of(estate).broken[HOST] = "it has no power"
    assert held.look() is None
    del World.of(estate).broken[HOST]
    Locks(estate).change(drill="thief")
    eventually(lambda: "thief" in (held.look() or ""), 20)
    held.release()
    Locks(estate).path.unlink()
