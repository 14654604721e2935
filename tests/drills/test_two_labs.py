# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Two labs on one machine, and a drill whose only clients write directly into the database.

The drill runs in one lab while the other is asked all the time; then one goes down, and the other lives.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest
from harness import Lab

from drdrill.journal.records import Done

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Labs, Ran

pytestmark = pytest.mark.lab

FEATURE = """
Feature: The database itself
  The promise is that a planned switchover loses nothing that a client of the database was told.

  Scenario: The writer is moved and back
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go to database "clinical" at every site
    When service "registration" is switched over to site "south"
    Then every member of database "clinical" is back in step within its recovery time
    When service "registration" is switched over to site "east"
    Then every replica of database "clinical" holds the same data within its recovery time
    And no acknowledged write is lost
"""


IN_A_ROW = 3


class Asking:
    """Asks both endpoints of a lab for their health, from its client network, as long as it lives.

    An answer that is late now and then is a matter of this machine; three in a row at one endpoint are an outage.
    """

    def __init__(self, lab: Lab) -> None:
        named = json.loads((lab.state / "pocket" / "lab" / "lab.json").read_text())
        self._ports = [named[f"client_to_{site}_entry1_http"] for site in ("east", "south")]
        self.good = 0
        self.away: list[str] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _ask(self) -> None:
        before: dict[int, list[str]] = {port: [] for port in self._ports}
        while not self._end.wait(0.2):
            for port in self._ports:
                wrong = _health(port)
                if not wrong:
                    before[port].clear()
                    self.good += 1
                    continue
                before[port].append(wrong)
                if len(before[port]) >= IN_A_ROW:
                    self.away.append(f"{port}: {'; '.join(before[port])}")


def _health(port: int) -> str:
    """What is wrong with an endpoint, or nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return "" if answer.get("ready") is True else str(answer)


def ports_of(lab: Lab) -> set[int]:
    named = json.loads((lab.state / "pocket" / "lab" / "lab.json").read_text())
    return {port for port in named.values() if isinstance(port, int)}


def answers(lab: Lab) -> bool:
    port = json.loads((lab.state / "pocket" / "lab" / "lab.json").read_text())["client_to_east_entry1_http"]
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_a_drill_in_one_lab_is_nothing_to_the_other_and_one_outlives_the_other(labs: Labs, tmp_path: Path) -> None:
    here = labs.get()
    feature = tmp_path / "database.feature"
    feature.write_text(FEATURE)
    there = Lab(tmp_path / "there", tmp_path / "out")
    there.up()
    try:
        assert not ports_of(here) & ports_of(there)
        with Asking(there) as asking:
            ran = here.run("two-labs", feature)
        assert not asking.away
        assert asking.good > 20
    finally:
        there.down()
    assert answers(here)
    assert here.drdrill("lab", "status").returncode == 0
    assert_the_database_itself_was_written_to(ran)


def assert_the_database_itself_was_written_to(ran: Ran) -> None:
    # How long the service was away beside a second lab is no claim of this test; a drill that ships makes it, alone.
    assert ran.restoration == "restored", ran.output
    assert set(ran.checks("fail")) <= {"objectives"}, ran.output
    recording = ran.recording
    writers = [e.data for e in recording.journal.of("writes.started")]
    assert sorted(w["site"] for w in writers) == ["east", "south"]
    assert {w["service"] for w in writers} == {None}
    for writer in writers:
        assert (recording.streams[writer["stream"]].records["outcome"] == Done.OK).sum() > 100
    lost = ran.checks("pass")["lost_write"]["counts"]
    assert lost["acknowledged"] > 200
    assert lost["members"] == 2
    (made,), (dropped,) = recording.journal.of("ledger.made"), recording.journal.of("ledger.dropped")
    assert made.data["table"] == dropped.data["table"]
    assert dropped.data["error"] is None
    probed: dict[str, Any] = {
        f"{e.data['vantage']} {e.data['member']} {e.data['question']}": recording.streams[e.data["stream"]].records
        for e in recording.journal.of("members.probed")
    }
    assert sorted({key.rsplit(" ", 1)[0] for key in probed}) == [
        "client east-db1", "client south-db1", "east east-db1", "south south-db1",
    ]  # fmt: skip
    # Both were the writer for a while, and clients saw it at their own addresses.
    for member in ("east-db1", "south-db1"):
        assert (probed[f"client {member} write"]["outcome"] == 0).sum() > 10
