# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lock where every runner sees it: two state folders are two machines here, and the lock's host is one of the estate."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from estates import fake_estate
from waiting import eventually

from drdrill.cli import faults, halt
from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import common_lock, state
from drdrill.drill.common_lock import CommonLock
from drdrill.drill.halt import HaltFile
from drdrill.drill.halt import halt as halted
from drdrill.drill.lock import EstateLock
from drdrill.drill.locks import Locks, alive
from drdrill.drill.recover import recover
from drdrill.errors import EstateBusy, Refused
from drdrill.estate.select import lock_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate

HOST = "witness-arb1"


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


@pytest.fixture
def lock(estate: Estate) -> Iterator[CommonLock]:
    made = CommonLock(estate, HOST)
    yield made
    made.release()


@pytest.fixture
def other(estate: Estate) -> Iterator[CommonLock]:
    made = CommonLock(estate, HOST)
    yield made
    made.release()


def alone(estate: Estate) -> Estate:
    """The same without a host that could keep the lock."""
    hosts = {n: replace(h, ways={**h.ways, "shell": ()}) if n == HOST else h for n, h in estate.hosts.items()}
    return replace(estate, hosts=hosts)


# --- which host --------------------------------------------------------------------------------------------------------


def test_the_first_host_with_a_shell_where_nobody_serves_keeps_it(estate: Estate) -> None:
    assert lock_host(estate) == HOST
    assert lock_host(replace(estate, lock="east-db1")) == "east-db1"
    assert lock_host(alone(estate)) is None


@pytest.mark.parametrize("url", ["ssh://127.0.0.1:4711", "ssh://me@localhost", "ssh://[::1]:22"])
def test_a_host_that_is_a_part_of_this_machine_is_not_chosen(estate: Estate, url: str) -> None:
    def reached(by: str) -> Estate:
        host = replace(estate.hosts[HOST], ways={**estate.hosts[HOST].ways, "shell": (by,)})
        return replace(estate, hosts={**estate.hosts, HOST: host})

    assert lock_host(reached(url)) is None
    assert lock_host(replace(reached(url), lock=HOST)) == HOST
    assert lock_host(reached("ssh://10.0.0.1")) == HOST


def test_without_a_host_the_lock_of_this_machine_is_taken_and_that_is_said(estate: Estate, tmp_path: Path) -> None:
    locks = Locks(tmp_path, alone(estate)).take("d")
    assert locks.common is None
    assert "a drill of another machine is not seen" in locks.words
    with pytest.raises(EstateBusy):
        Locks(tmp_path, alone(estate)).take("e")
    locks.release()


# --- one at a time -------------------------------------------------------------------------------------------------------


def test_a_drill_of_another_machine_is_refused_and_told_whose_it_is(estate: Estate, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir(mode=0o700)
    (tmp_path / "two").mkdir(mode=0o700)
    first = Locks(tmp_path / "one", estate).take("the-first")
    with pytest.raises(
        EstateBusy, match=rf"drill the-first of .*process {os.getpid()}.*as {HOST} says; wait for its end"
    ):
        Locks(tmp_path / "two", estate).take("the-second")
    EstateLock(tmp_path / "two", estate.name).take("nothing-of-it-is-left").release()
    first.release()
    Locks(tmp_path / "two", estate).take("the-second").release()
    assert World.of(estate).changes == 0


def test_a_lock_whose_host_does_not_answer_is_not_taken(estate: Estate, tmp_path: Path) -> None:
    World.of(estate).broken[HOST] = "it is on fire"
    with pytest.raises(Refused, match=rf"kept on {HOST}.*nothing is struck.*it is on fire"):
        Locks(tmp_path, estate).take("d")
    EstateLock(tmp_path, estate.name).take("e").release()


def test_a_stale_lock_is_taken_over_only_when_the_leases_of_its_owner_are_out(
    lock: CommonLock, other: CommonLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common_lock, "LOCK_LEASE_S", 0.4)
    monkeypatch.setattr(common_lock, "FAULTS_S", 3.0)
    lock.take("dead")
    lock.beat()
    begun = time.monotonic()
    eventually(lambda: (held := other.show()) is not None and held.stale, 5.0)
    assert time.monotonic() - begun < 3.0
    with pytest.raises(EstateBusy, match="not heard any more.*out in . s at the latest.*drdrill recover"):
        other.take("next")
    eventually(lambda: (held := other.show()) is not None and held.free_s == 0, 5.0)
    over = other.take("next")
    assert over is not None
    assert over.drill == "dead"
    assert time.monotonic() - begun >= 3.0
    eventually(lambda: "it is not ours any more: it is held by drill next" in str(lock.look()), 5.0)
    lock.release()
    held = other.show()
    assert held is not None
    assert held.drill == "next"


def test_a_renewed_lock_is_not_stale(lock: CommonLock, other: CommonLock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_lock, "LOCK_LEASE_S", 1.0)
    monkeypatch.setattr(common_lock, "EVERY_S", 0.1)
    lock.take("d")
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        assert lock.look() is None
        held = other.show()
        assert held is not None
        assert not held.stale
        time.sleep(0.05)


def test_what_is_given_back_is_free(lock: CommonLock, other: CommonLock) -> None:
    lock.take("d")
    lock.release()
    assert other.show() is None


# --- what the watch says ------------------------------------------------------------------------------------------------


def test_a_keeper_that_dies_is_started_again_and_the_lock_is_kept(lock: CommonLock) -> None:
    lock.take("d")
    assert lock._process is not None
    lock._process.kill()
    lock._process.wait()
    first = lock._process
    lock._sent_s = 0.0
    eventually(lambda: lock.look() is None and lock._process not in {None, first}, 10.0)
    heard = lock._heard_s
    eventually(lambda: lock.look() is None and lock._heard_s > heard, 10.0)


def test_a_lock_that_cannot_be_renewed_for_half_its_lease_trips(
    lock: CommonLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common_lock, "LOCK_LEASE_S", 2.0)
    lock.take("d")
    assert lock._process is not None
    os.kill(lock._process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    took = eventually(lambda: lock.look() is not None, 5.0)
    os.kill(lock._process.pid, signal.SIGCONT)
    assert 0.5 < took < 2.0, time.monotonic() - begun
    lock._words = ""


def test_a_host_that_booted_has_forgotten_the_lock(lock: CommonLock, estate: Estate) -> None:
    lock.take("d")
    (estate.path.parent / "fake.fake" / HOST / "fake.json").unlink()
    eventually(lambda: lock.look() is not None, 5.0)
    assert "does not know it any more, as after a boot" in str(lock.look())


def test_looking_costs_next_to_nothing(lock: CommonLock) -> None:
    lock.take("d")
    begun = time.process_time()
    for _ in range(100):
        lock.look()
    assert time.process_time() - begun < 0.5


# --- halt ------------------------------------------------------------------------------------------------------------------


def drilling(locks: Locks, within_s: float = 10.0) -> str:
    """What the main loop of a drill sees of a halt."""
    seen: list[str] = []

    def look() -> object:
        seen.extend(words for watch in locks.watches if (words := watch.look()) is not None)
        return seen

    eventually(look, within_s)
    return seen[0]


@pytest.mark.parametrize("machine", ["here", "elsewhere"])
def test_a_halt_reaches_the_drill_and_says_so(
    estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    locks = Locks(state.folder(estate.name), estate).take("d")
    if machine == "elsewhere":
        monkeypatch.setenv("DRDRILL_STATE", str(tmp_path / "of-another-machine"))
    said: list[str] = []
    answer: list[Any] = []
    from threading import Thread  # noqa: PLC0415 - the drill's loop runs meanwhile

    person = Thread(target=lambda: answer.append(halted(estate, "the ward calls", said.append, Ways(estate))))
    person.start()
    words = drilling(locks)
    person.join()
    locks.release()
    assert "halted by" in words
    assert words.endswith("the ward calls")
    assert answer[0].reacted
    assert "aborts and heals" in answer[0].words
    assert not said


def test_a_drill_that_does_not_react_is_said_with_the_end_of_its_leases(estate: Estate) -> None:
    locks = Locks(state.folder(estate.name), estate).take("d")
    locks.beat()
    answer = halted(estate, "", print, Ways(estate), reacts_s=0.3)
    locks.release()
    assert not answer.reacted
    assert "did not react within 0.3 s" in answer.words
    assert "the leases of its faults last until" in answer.words
    assert "drdrill recover --estate" in answer.words


def test_a_halt_with_no_drill_says_so(estate: Estate) -> None:
    answer = halted(estate, "", print, Ways(estate))
    assert answer.drill is None
    assert "no drill of estate fake is running" in answer.words
    assert World.of(estate).changes == 0


def test_a_halt_without_a_common_lock_still_stops_the_drill_of_this_machine(estate: Estate) -> None:
    bare, said = alone(estate), list[str]()
    locks = Locks(state.folder(bare.name), bare).take("d")
    halted(bare, "", said.append, Ways(bare), reacts_s=0.1)
    assert "halted by" in drilling(locks)
    locks.release()
    assert "only a drill of this machine is seen" in said[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"drill": "another", "words": "x"}'])
def test_what_is_no_halt_of_this_drill_stops_nothing(tmp_path: Path, text: str) -> None:
    file = HaltFile(tmp_path, "d")
    file.path.write_text(text)
    file.path.chmod(0o600)
    assert file.look() is None


def test_a_halt_that_others_could_write_stops_nothing(tmp_path: Path) -> None:
    file = HaltFile(tmp_path, "d")
    file.write("stop")
    file.path.chmod(0o666)
    assert file.look() is None
    file.path.chmod(0o600)
    assert file.look() == "stop"
    assert file.seen


def test_a_halt_of_before_does_not_stop_the_next_drill(estate: Estate) -> None:
    folder = state.folder(estate.name)
    HaltFile(folder, "d").write("stop")
    locks = Locks(folder, estate).take("d")
    assert [w.look() for w in locks.watches] == [None, None]
    locks.release()


def test_recover_of_another_machine_tells_the_live_drill_to_stop(
    estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = Locks(state.folder(estate.name), estate).take("the-live-one")
    monkeypatch.setenv("DRDRILL_STATE", str(tmp_path / "of-another-machine"))
    said: list[str] = []
    recover(estate, said.append)
    assert "the-live-one" in said[0]
    assert "will abort" in said[0]
    assert "the-live-one" in World.of(estate).revoked
    assert "drdrill recover" in drilling(locks)
    locks.release()


# --- faults ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def loaded(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    monkeypatch.setattr("drdrill.estate.load.load", lambda _name, **_options: estate)
    return estate


def strike(estate: Estate, drill: str, hold: str) -> None:
    World.of(estate).strike("links", hold, drill, targets=[["east-db1", "client"]], lease_s=60, hard_s=60)


def test_nothing_there_is_said_and_ends_with_0(loaded: Estate) -> None:
    ran = CliRunner().invoke(faults.command, ["--estate", "x"])
    assert ran.exit_code == 0, ran.output
    assert "nothing carries a tag of ours" in ran.output
    assert World.of(loaded).changes == 0


def test_an_orphan_is_listed_with_drill_and_age_and_nothing_is_touched(loaded: Estate) -> None:
    strike(loaded, "dead", "dead-1")
    ran = CliRunner().invoke(faults.command, ["--estate", "x"])
    assert ran.exit_code == 8
    assert "IN FORCE: hold dead-1 on the fake, 0 s old, drill dead (not alive)" in ran.output
    assert "drdrill faults --heal" in ran.output
    assert World.of(loaded).changes == 0


def test_orphans_are_removed_and_what_a_live_drill_holds_stays(loaded: Estate, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    locks = Locks(tmp_path / "elsewhere", loaded).take("live")
    strike(loaded, "dead", "dead-1")
    strike(loaded, "live", "live-1")
    ran = CliRunner().invoke(faults.command, ["--estate", "x", "--heal"])
    assert ran.exit_code == 0, ran.output
    assert "live-1 on the fake, 0 s old, drill live (alive)" in ran.output
    assert "removed: dead-1" in ran.output
    assert World.of(loaded).open("links") == ("live-1",)
    locks.release()
    assert CliRunner().invoke(faults.command, ["--estate", "x", "--heal"]).exit_code == 0
    assert World.of(loaded).open("links") == ()


def test_where_nobody_knows_who_is_alive_nothing_is_removed(loaded: Estate) -> None:
    strike(loaded, "d", "d-1")
    World.of(loaded).broken[HOST] = "it is on fire"
    ran = CliRunner().invoke(faults.command, ["--estate", "x", "--heal"])
    assert "nobody knows which drills are alive" in ran.output
    assert "nobody knows whether it is alive" in ran.output
    assert World.of(loaded).changes == 0


def test_an_orphan_that_does_not_go_is_said_and_ends_with_8(loaded: Estate) -> None:
    strike(loaded, "dead", "dead-1")
    World.of(loaded).flaws.add("heal-is-ignored")
    ran = CliRunner().invoke(faults.command, ["--estate", "x", "--heal"])
    assert ran.exit_code == 8
    assert "dead-1: hold on the fake is still there" in ran.output


def test_a_drill_is_alive_while_its_lock_is_held_anywhere(estate: Estate, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder = state.folder(estate.name)
    assert alive(estate, folder) == (frozenset(), [])
    locks = Locks(tmp_path / "elsewhere", estate).take("d")
    assert alive(estate, folder) == (frozenset({"d"}), [])
    locks.release()
    assert alive(estate, folder) == (frozenset(), [])


def test_the_command_halt_ends_with_8_when_nobody_reacts(loaded: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drdrill.drill.halt.halt.__defaults__", (None, 0.2))
    assert CliRunner().invoke(halt.command, ["--estate", "x"]).exit_code == 0
    locks = Locks(state.folder(loaded.name), loaded).take("d")
    ran = CliRunner().invoke(halt.command, ["--estate", "x", "--because", "it is late"])
    assert ran.exit_code == 8
    assert "did not react" in ran.output
    locks.release()


def test_a_reason_of_two_lines_is_refused(loaded: Estate) -> None:
    ran = CliRunner().invoke(halt.command, ["--estate", loaded.name, "--because", "a\nb"])
    assert "one line" in str(ran.exception)
