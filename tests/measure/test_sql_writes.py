# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Writers and probes of a database, in this process, against a client whose members do as a test says."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any, Literal

import pytest

from drdrill.connect.sql import SqlFailed
from drdrill.errors import BadInput
from drdrill.journal.recording import load_stream
from drdrill.journal.records import Done, Seen
from drdrill.measure.schedule import Grid
from drdrill.measure.sql import address_of, raise_ours, short
from drdrill.measure.sql_probes import READ_ONLY, SqlProbe
from drdrill.measure.sql_writes import SqlWay
from drdrill.measure.writes import Writer

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

PREFIX = "drill/write-to-clinical-east/"


class Member:
    """What a member of the database does, and what it was asked."""

    def __init__(self) -> None:
        self.connects: str = "yes"
        """yes, silent, or the words of a refusal."""
        self.answers: str = "yes"
        """yes, silent, breaks, or an SQLSTATE."""
        self.read_only = False
        self.rows: list[str] = []
        self.sessions = 0

    async def open(self) -> Session:
        self.sessions += 1
        if self.connects == "silent":
            await asyncio.Event().wait()
        if self.connects != "yes":
            raise SqlFailed(self.connects)
        return Session(self)

    # What the client of an engine offers.
    async def writer(self) -> Session:
        return await self.open()

    async def reach(self, host: str) -> Session:
        assert host == "east-db1"
        return await self.open()


class Session:
    def __init__(self, member: Member) -> None:
        self.member = member
        self.stale = False
        self.closed = False

    async def _answer(self) -> None:
        if self.member.answers == "silent":
            self.stale = True
            await asyncio.Event().wait()
        if self.member.answers == "breaks":
            raise SqlFailed("server closed the connection unexpectedly")
        if self.member.answers != "yes":
            raise SqlFailed("refused by the server", self.member.answers)

    async def write(self, table: str, key: str) -> None:
        assert table == "ledger"
        await self._answer()
        self.member.rows.append(key)

    async def accepts_writes(self) -> bool:
        await self._answer()
        return not self.member.read_only

    async def commit(self) -> bool:
        await self._answer()
        return not self.member.read_only

    def close(self) -> None:
        self.closed = True


class Engine:
    @staticmethod
    def classify(phase: Literal["connect", "statement", "commit"], code: str | None) -> str:
        assert phase == "statement"  # who is not connected has sent nothing; nobody needs to ask
        return "fail" if code == "42501" else "unknown"


def written(folder: Path, member: Member, seconds: float, change: Any = None) -> np.ndarray:
    """What a writer of 50 writes a second recorded in so many seconds; `change` runs in the middle."""
    spec = {
        "stream": "write-to-clinical-east", "service": None, "database": "clinical", "site": "east", "vantage": "east", "url": None,
        "table": "ledger", "rate_hz": 50.0, "latency_s": 0.2, "deadline_s": 0.4, "connections": 4, "prefix": PREFIX,
    }  # fmt: skip

    async def run() -> None:
        writer = Writer(spec, folder, time.monotonic_ns(), lambda **_: None, SqlWay(spec, Engine(), member))  # type: ignore[arg-type]

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(writer.run(tasks))

        working = asyncio.ensure_future(work())
        await asyncio.sleep(seconds / 2)
        if change:
            change()
        await asyncio.sleep(seconds / 2)
        working.cancel()
        await asyncio.wait({working})

    asyncio.run(run())
    stream = load_stream(folder, "write-to-clinical-east")
    assert stream is not None
    assert stream.head["service"] is None
    planned = stream.records["note"] == b"stopped before it was due"
    assert (stream.records["outcome"][planned] == Done.UNSENT).all()
    return stream.records[~planned]


def outcomes(records: np.ndarray) -> set[int]:
    return set(records["outcome"].tolist())


def test_a_commit_is_ok_and_its_row_has_the_key_of_its_intent(tmp_path: Path) -> None:
    member = Member()
    records = written(tmp_path, member, 0.8)
    ok = records[records["outcome"] == Done.OK]
    assert len(ok)
    assert set(member.rows) >= {f"{PREFIX}{seq}" for seq in ok["seq"].tolist()}
    intents = load_stream(tmp_path, "write-to-clinical-east-intents")
    assert intents is not None
    assert set(intents.records["seq"].tolist()) >= set(records["seq"].tolist())
    assert member.sessions <= 4  # each slot keeps its session


def test_who_gets_no_session_wrote_nothing(tmp_path: Path) -> None:
    member = Member()
    member.connects = "FATAL: the database system is starting up"
    records = written(tmp_path, member, 0.6)
    assert outcomes(records) == {Done.FAIL}
    assert set(records["note"].tolist()) == {b"starting up"}


def test_an_error_with_a_code_means_what_the_engine_says(tmp_path: Path) -> None:
    member = Member()
    member.answers = "42501"
    records = written(tmp_path, member, 0.6)
    assert outcomes(records) == {Done.FAIL}
    assert set(records["note"].tolist()) == {b"SQLSTATE 42501"}
    assert member.sessions == len(records)  # no session is used again after an error


def test_a_session_that_breaks_leaves_its_write_unknown(tmp_path: Path) -> None:
    member = Member()
    member.answers = "breaks"
    records = written(tmp_path, member, 0.6)
    assert outcomes(records) == {Done.UNKNOWN}
    assert set(records["note"].tolist()) == {b"closed"}


def test_a_commit_that_nobody_answers_is_unknown_and_those_without_a_session_are_unsent(tmp_path: Path) -> None:
    member = Member()
    member.answers = "silent"
    records = written(tmp_path, member, 1.2)
    assert outcomes(records) == {Done.UNKNOWN, Done.UNSENT}
    answered = records[records["note"] == b"no answer"]
    assert ((answered["done"] - answered["sent"]) >= 0.39e9).all()


def test_writing_goes_on_when_the_writer_is_another(tmp_path: Path) -> None:
    member = Member()
    member.answers = "25006"

    def moved() -> None:
        member.answers = "yes"

    records = written(tmp_path, member, 1.2, moved)
    assert outcomes(records) == {Done.UNKNOWN, Done.OK}


# --- probes -----------------------------------------------------------------------------------------------------------


def probed(folder: Path, member: Member, question: str, seconds: float, change: Any = None) -> np.ndarray:
    """What a probe of 20 attempts a second saw; latency bound 0.2 s, so an attempt is over after 1.2 s."""
    spec = {
        "stream": "probe", "database": "clinical", "member": "east-db1", "question": question, "vantage": "client", "site": "east",
        "rate_hz": 20.0, "latency_s": 0.2,
    }  # fmt: skip

    async def run() -> None:
        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                await SqlProbe(spec, folder, Grid(time.monotonic_ns(), 20.0), member).run(tasks)  # type: ignore[arg-type]

        working = asyncio.ensure_future(work())
        await asyncio.sleep(seconds / 2)
        if change:
            change()
        await asyncio.sleep(seconds / 2)
        working.cancel()
        await asyncio.wait({working})

    asyncio.run(run())
    stream = load_stream(folder, "probe")
    assert stream is not None
    return stream.records


def test_a_good_member_is_asked_over_one_kept_session(tmp_path: Path) -> None:
    member = Member()
    records = probed(tmp_path, member, "read", 1.0)
    assert outcomes(records) == {Seen.GOOD}
    assert set(records["note"].tolist()) == {b"writer"}
    assert member.sessions == 1


def test_a_replica_is_read_and_does_not_commit(tmp_path: Path) -> None:
    member = Member()
    member.read_only = True
    (tmp_path / "read").mkdir()
    (tmp_path / "write").mkdir()
    reads, commits = (probed(tmp_path / q, member, q, 0.6) for q in ("read", "write"))
    assert (outcomes(reads), set(reads["note"].tolist())) == ({Seen.GOOD}, {b"replica"})
    assert (outcomes(commits), set(commits["note"].tolist())) == ({Seen.WRONG}, {READ_ONLY.encode()})


def test_after_an_error_the_next_attempt_opens_a_session_and_is_good_again(tmp_path: Path) -> None:
    member = Member()
    member.answers = "breaks"

    def back() -> None:
        member.answers = "yes"

    records = probed(tmp_path, member, "write", 1.0, back)
    assert outcomes(records) == {Seen.BROKEN, Seen.GOOD}
    assert records["outcome"].tolist() == sorted(records["outcome"].tolist(), reverse=True)


def test_a_member_that_hangs_makes_every_attempt_bad_and_costs_it_few_sessions(tmp_path: Path) -> None:
    member = Member()
    member.answers = "silent"
    records = probed(tmp_path, member, "write", 3.0)
    assert outcomes(records) == {Seen.SILENT}
    assert len(records) >= 20  # those of the last 1.2 s are still under way
    took = records["done"] - records["due"]
    assert took.min() >= 1.19e9
    # One session for each 1.2 s, not one for each of the 60 attempts.
    assert 2 <= member.sessions <= 4


def test_an_attempt_that_waited_too_long_for_the_session_is_late_not_good(tmp_path: Path) -> None:
    member = Member()
    slow = 0.35

    async def _answer(_self: Session) -> None:
        await asyncio.sleep(slow)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_answer", _answer)
        records = probed(tmp_path, member, "read", 2.0)
    assert Seen.GOOD not in outcomes(records)
    assert Seen.LATE in outcomes(records)


def test_a_refused_session_is_told_from_a_silent_one(tmp_path: Path) -> None:
    member = Member()
    member.connects = "connection to server failed: Connection refused"
    (tmp_path / "refused").mkdir()
    (tmp_path / "silent").mkdir()
    assert outcomes(probed(tmp_path / "refused", member, "read", 0.6)) == {Seen.REFUSED}
    member.connects = "silent"
    assert outcomes(probed(tmp_path / "silent", member, "read", 2.0)) == {Seen.SILENT}


# --- addresses and words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://db1.example", ("db1.example", 5432)),
        ("postgresql://db1:6432", ("db1", 6432)),
        ("mariadb://10.0.0.1", ("10.0.0.1", 3306)),
    ],
)
def test_an_address_is_a_host_and_a_port(url: str, address: tuple[str, int]) -> None:
    assert address_of(url) == address


@pytest.mark.parametrize("url", ["db1", "postgresql://", "postgresql://db1:x", "gopher://db1"])
def test_what_is_no_address_is_said_with_what_to_write(url: str) -> None:
    with pytest.raises(BadInput, match="no address of a database"):
        address_of(url)


def test_an_error_of_this_machine_is_no_outage_of_the_database() -> None:
    with pytest.raises(OSError, match="Too many open files"):
        raise_ours(SqlFailed(f"could not create socket: {os.strerror(24)}"))
    raise_ours(SqlFailed("Connection refused"))


def test_an_error_is_told_in_few_letters() -> None:
    assert short(SqlFailed("x", "25006")) == "SQLSTATE 25006"
    assert short(SqlFailed("FATAL:  sorry, too many clients already")) == "too many clients"
    assert short(SqlFailed("anything else")) == "no session"
