# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is concluded from what members of a Galera cluster say. A real cluster is asked in test_galera_cluster.py."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from estates import fake_estate

from drdrill.engines import galera
from drdrill.engines.galera import Galera
from drdrill.engines.galera_client import number, quoted
from drdrill.errors import BadInput, Refused, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECRET = "s3cr3t-of-the-lab"
CLUSTER = "7f6a5c21-eb6c-11f1-b634-f785b262ed01"
HEALTHY = {
    "WSREP_CLUSTER_CONF_ID": "3",
    "WSREP_CLUSTER_SIZE": "3",
    "WSREP_CLUSTER_STATE_UUID": CLUSTER,
    "WSREP_CLUSTER_STATUS": "Primary",
    "WSREP_INCOMING_ADDRESSES": "10.71.0.11:0,10.72.0.11:0,",
    "WSREP_LAST_COMMITTED": "700",
    "WSREP_LOCAL_RECV_QUEUE": "0",
    "WSREP_LOCAL_STATE_COMMENT": "Synced",
    "WSREP_READY": "ON",
    "READ_ONLY": "0",
}
ALONE = {
    "WSREP_CLUSTER_CONF_ID": "18446744073709551615",
    "WSREP_CLUSTER_SIZE": "1",
    "WSREP_CLUSTER_STATUS": "non-Primary",
    "WSREP_INCOMING_ADDRESSES": "10.71.0.11:0",
    "WSREP_LOCAL_STATE_COMMENT": "Initialized",
    "WSREP_READY": "OFF",
}
"""What a member says once it is cut off from the others, as it was seen on a real one."""


class Cluster:
    """Two members that say what they are told to say."""

    def __init__(self, folder: Path, ports: Mapping[str, int], engine: Galera) -> None:
        self.ports = ports
        self.engine = engine
        self._folder = folder

    def says(self, host: str, **told: str) -> None:
        """The healthy answer of this host, but for these; names without their `WSREP_`."""
        known = {name.removeprefix("WSREP_"): name for name in HEALTHY}
        rows = HEALTHY | {known[name.upper()]: value for name, value in told.items()}
        self._write(host, [list(row) for row in rows.items()])

    def alone(self, host: str) -> None:
        self._write(host, [list(row) for row in (HEALTHY | ALONE).items()])

    def hangs(self, host: str) -> None:
        self._write(host, "hang")

    def _write(self, host: str, told: object) -> None:
        half = self._folder / "half"
        half.write_text(json.dumps(told))
        half.rename(self._folder / str(self.ports[host]))


def engine_of(folder: Path, ports: Mapping[str, int]) -> Galera:
    estate = fake_estate(folder)
    dsn = "SERVER=127.0.0.1;PORT={};UID=drdrill;PWD=" + SECRET
    nodes = {host: {"dsn": dsn.format(port)} for host, port in ports.items()}
    return Galera(estate, replace(estate.databases["clinical"], engine="galera", nodes=nodes))


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    modules, told = tmp_path / "modules", tmp_path / "told"
    modules.mkdir()
    told.mkdir()
    shutil.copy(Path(__file__).parent.parent / "connect" / "fake_pyodbc.py", modules / "pyodbc.py")
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setenv("TOLD", str(told))
    monkeypatch.setattr(galera, "STABLE_S", 0.0)
    with ExitStack() as open_:
        listeners = [open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        ports = {h: x.getsockname()[1] for h, x in zip(("east-db1", "south-db1"), listeners, strict=True)}
        made = Cluster(told, ports, engine_of(tmp_path, ports))
        open_.callback(made.engine.close)
        for host in ports:
            made.says(host)
        yield made


def test_of_a_healthy_cluster_every_member_writes_and_none_is_the_writer(cluster: Cluster) -> None:
    engine = cluster.engine
    assert [(m.role, m.healthy, m.in_step, m.synchronous) for m in engine.members()] == [
        ("writer", True, True, True)
    ] * 2
    assert engine.writer() is None
    assert engine.in_step().answer is True
    first, second = engine.claims()
    assert first.accepts is second.accepts is True
    assert first.component == second.component != 0
    assert engine.position() == f"{CLUSTER}:700"


def test_a_member_that_is_cut_off_writes_no_more_and_the_other_is_the_writer(cluster: Cluster) -> None:
    cluster.alone("east-db1")
    cluster.says("south-db1", cluster_conf_id="4", cluster_size="2", incoming_addresses="10.72.0.11:0,")
    engine = cluster.engine
    assert [(m.role, m.healthy, m.in_step) for m in engine.members()] == [
        ("replica", False, False),
        ("writer", True, True),
    ]
    assert [m.synchronous for m in engine.members()] == [False, False], "nobody else has what south acknowledges"
    assert engine.writer() == "south-db1"
    look = engine.in_step()
    assert look.answer is False
    assert "east-db1: it is in no component with a quorum (Initialized)" in look.words
    assert engine.readable("east-db1").answer is True


def test_two_halves_that_go_on_alone_are_two_components_although_both_count_alike(cluster: Cluster) -> None:
    """As seen of a real cluster without quorum: one cluster, one number of configuration, one size, on both sides."""
    for host, address in (("east-db1", "10.71.0.11:0,"), ("south-db1", "10.72.0.11:0,")):
        cluster.says(host, cluster_conf_id="10", cluster_size="1", incoming_addresses=address)
    first, second = cluster.engine.claims()
    assert first.accepts is second.accepts is True
    assert first.component != second.component
    assert cluster.engine.in_step().answer is False
    with pytest.raises(WayInFailed, match="members of several components"):
        cluster.engine.position()


def test_the_order_in_which_members_name_each_other_makes_no_component(cluster: Cluster) -> None:
    cluster.says("south-db1", incoming_addresses=",10.72.0.11:0,10.71.0.11:0")
    first, second = cluster.engine.claims()
    assert first.component == second.component


def test_a_thawed_member_that_is_synced_from_memory_is_not_in_step(cluster: Cluster) -> None:
    cluster.says("south-db1", cluster_conf_id="4", cluster_size="2", incoming_addresses="10.72.0.11:0,")
    look = cluster.engine.in_step()
    assert look.answer is False
    assert "not of one component" in look.words


@pytest.mark.parametrize(
    "told",
    [{"local_state_comment": "Joining"}, {"ready": "OFF"}, {"read_only": "1"}],
)
def test_a_member_that_has_not_caught_up_or_refuses_is_not_in_step(cluster: Cluster, told: dict[str, str]) -> None:
    cluster.says("south-db1", **told)
    assert cluster.engine.in_step().answer is False


def test_a_member_that_applies_nothing_is_not_in_step(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(galera, "SETTLE_S", 0.3)
    cluster.says("south-db1", last_committed="697", local_recv_queue="3")
    look = cluster.engine.in_step()
    assert look.answer is False
    assert "south-db1 lacks 3 write sets" in look.words
    assert "with 3 write sets to apply" in look.words


def test_a_member_that_is_caught_with_a_write_set_to_apply_is_waited_for(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in a drill of a healthy estate, which was refused for it: somebody writes, so there is one to apply at times."""
    monkeypatch.setattr(time, "sleep", lambda _: cluster.says("south-db1", last_committed="701", local_recv_queue="1"))
    cluster.says("south-db1", last_committed="699", local_recv_queue="1")
    assert cluster.engine.in_step().answer is True


@pytest.mark.parametrize("told", [{"read_only": "1"}, {"ready": "OFF"}, {"cluster_status": "non-Primary"}])
def test_who_refuses_writes_claims_nothing(cluster: Cluster, told: dict[str, str]) -> None:
    cluster.says("south-db1", **told)
    assert cluster.engine.claims()[1] == ("south-db1", False, 0)


def test_what_stays_in_step_is_waited_for_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(galera, "STABLE_S", 0.5)
    begun = time.monotonic()
    assert cluster.engine.in_step().answer is True
    assert time.monotonic() - begun >= 0.5, "the first look was not believed at once"
    looks: list[object] = []
    monkeypatch.setattr(time, "sleep", looks.append)
    assert cluster.engine.in_step().answer is True
    assert looks == []


def test_what_does_not_stay_so_is_not_in_step(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(galera, "STABLE_S", 60.0)
    monkeypatch.setattr(time, "sleep", lambda _: cluster.alone("east-db1"))
    look = cluster.engine.in_step()
    assert look.answer is False
    assert "no component" in look.words


def test_a_member_lacks_what_it_has_not_committed(cluster: Cluster) -> None:
    cluster.says("east-db1", last_committed="720")
    since = cluster.engine.position()
    assert since == f"{CLUSTER}:720"
    assert cluster.engine.settled("east-db1", since).answer is True
    look = cluster.engine.settled("south-db1", since)
    assert (look.answer, look.counts) == (False, {"missing_write_sets": 20})
    cluster.says("south-db1", last_committed="900", cluster_state_uuid="another")
    assert cluster.engine.settled("south-db1", since).answer is False


def test_a_silent_member_is_silent_and_holds_up_no_round(cluster: Cluster) -> None:
    cluster.hangs("east-db1")
    for _ in range(2):
        told = list(cluster.engine.claims())
        assert told[0] == ("east-db1", None, 0)
        assert told[1].accepts is True
    assert [m.role for m in cluster.engine.members()] == ["unknown", "writer"]
    assert cluster.engine.settled("east-db1", f"{CLUSTER}:1").answer is None
    assert cluster.engine.in_step().answer is False


def test_a_member_that_hung_is_asked_again_when_it_answers(cluster: Cluster) -> None:
    cluster.hangs("east-db1")
    assert cluster.engine.claims()[0].accepts is None
    cluster.says("east-db1")
    end = time.monotonic() + 20
    while cluster.engine.claims()[0].accepts is not True:
        assert time.monotonic() < end


def test_where_nobody_listens_nobody_claims(tmp_path: Path, cluster: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    engine = engine_of(tmp_path, {"east-db1": port, "south-db1": cluster.ports["south-db1"]})
    end = time.monotonic() + 20
    while engine.claims()[0] != ("east-db1", False, 0):
        assert time.monotonic() < end
    assert all(SECRET not in m.words for m in engine.members())
    engine.close()


def test_without_a_member_that_writes_there_is_no_position_and_no_ledger(cluster: Cluster) -> None:
    for host in cluster.ports:
        cluster.alone(host)
    for ask in (cluster.engine.position, cluster.engine.ledgers, lambda: cluster.engine.make_ledger("x")):
        with pytest.raises(
            WayInFailed, match="no member of database clinical accepts writes now: east-db1: it is in no"
        ):
            ask()


def test_there_is_no_writer_to_move(cluster: Cluster) -> None:
    with pytest.raises(Refused, match="every member of database clinical accepts writes.*draining its entry"):
        cluster.engine.switch_over("south-db1")


def test_a_closed_engine_can_be_asked_again_and_leaves_no_process(cluster: Cluster) -> None:
    cluster.engine.members()
    made = cluster.engine._zygote
    assert made is not None
    cluster.engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(made.pid, 0)
    assert [m.role for m in cluster.engine.members()] == ["writer", "writer"]


def test_a_node_without_a_dsn_is_bad_input(tmp_path: Path) -> None:
    estate = fake_estate(tmp_path)
    with pytest.raises(BadInput, match=r"estate\.yaml: node east-db1 of database clinical needs a `dsn`"):
        Galera(estate, estate.databases["clinical"])


def test_a_dsn_that_is_none_names_its_node_and_shows_nothing(tmp_path: Path) -> None:
    estate = fake_estate(tmp_path)
    nodes = {"east-db1": {"dsn": f"host=10.71.0.11 password={SECRET}"}}
    with pytest.raises(BadInput, match=r"estate\.yaml: node east-db1 of database clinical: .* SERVER=HOST") as caught:
        Galera(estate, replace(estate.databases["clinical"], nodes=nodes))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("phase", "code", "outcome"),
    [
        ("connect", None, "fail"),
        ("connect", "08004/1040", "fail"),
        ("statement", "08S01/1047", "fail"),
        ("statement", "40001/1213", "fail"),
        ("statement", "23000/1062", "fail"),
        ("statement", "HY000/1290", "fail"),
        ("statement", "42S02/1146", "fail"),
        ("statement", "HY000/1180", "unknown"),
        ("statement", "HY000/1205", "unknown"),
        ("statement", "70100/1317", "unknown"),
        ("statement", "08S01/1053", "unknown"),
        ("statement", "08S01/2013", "unknown"),
        ("statement", "1062", "unknown"),
        ("statement", None, "unknown"),
        ("commit", "40001/1213", "fail"),
        ("commit", "08S01/1047", "unknown"),
        ("commit", "HY000/1180", "unknown"),
        ("commit", None, "unknown"),
    ],
)
def test_a_code_is_a_failure_only_where_it_proves_that_nothing_stays(
    tmp_path: Path, phase: Literal["connect", "statement", "commit"], code: str | None, outcome: str
) -> None:
    assert engine_of(tmp_path, {"east-db1": 1}).classify(phase, code) == outcome


def test_the_number_of_a_code_is_what_stands_after_its_state() -> None:
    assert number("40001/1213") == 1213
    assert number("1213") is None
    assert number("") is None


def test_a_name_may_have_its_database_and_anything_else_in_it() -> None:
    assert quoted("registrations") == "`registrations`"
    assert quoted("clinical.a`b") == "`clinical`.`a``b`"
