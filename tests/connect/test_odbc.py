# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.connect import odbc_session
from drdrill.connect.odbc import Connection
from drdrill.connect.odbc_string import ConnectionString
from drdrill.connect.odbc_zygote import Gone, Zygote
from drdrill.connect.sql import SqlFailed
from drdrill.errors import BadInput, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "s3cr3t-of-the-lab"


@pytest.fixture
def no_driver_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Processes started from here find another pyodbc than the real one."""
    folder = tmp_path / "modules"
    folder.mkdir()
    shutil.copy(Path(__file__).parent / "fake_pyodbc.py", folder / "pyodbc.py")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.fixture
def zygote(no_driver_manager: Path) -> Iterator[Zygote]:
    assert no_driver_manager.is_dir()
    made = Zygote()
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Something to connect to; the backlog of the kernel does the rest."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def string(port: int, user: str = "drdrill") -> ConnectionString:
    return ConnectionString(f"SERVER=127.0.0.1;PORT={port};UID={user};PWD={SECRET};DATABASE=clinical", "east-db1")


Ask = Callable[[], Connection]


@pytest.fixture
def connection(zygote: Zygote, server: socket.socket) -> Iterator[Ask]:
    """Makes connections to the server, and closes them."""
    made: list[Connection] = []

    def make() -> Connection:
        made.append(Connection(lambda: zygote, string(server.getsockname()[1]), "east-db1"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def await_gone(pid: int) -> None:
    """Until no such process is left, or only its entry that nobody has waited for yet."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], 20)[0], f"process {pid} still runs"
    finally:
        os.close(fd)


# --- sessions that are waited for --------------------------------------------------------------------------------------


def test_what_is_asked_is_answered_with_its_values(connection: Ask) -> None:
    asked = connection()
    assert asked.rows("echo", ["k\u00e4", 7, None]) == [["k\u00e4", 7, None]]
    assert asked.rows("nothing") == []


def test_a_call_that_hangs_ends_in_time_with_its_process_and_no_other(connection: Ask) -> None:
    hung, other = connection(), connection()
    ((pid,),), ((other_pid,),) = hung.rows("pid"), other.rows("pid")
    with pytest.raises(WayInFailed, match=r"east-db1: no answer within 0\.2 s"):
        hung.rows("hang", within_s=0.2)
    await_gone(pid)
    assert other.rows("pid") == [[other_pid]]
    assert hung.rows("pid") != [[pid]], "the next statement has a process of its own"


def test_rows_that_fit_into_no_message_come_in_several(connection: Ask) -> None:
    asked = connection()
    assert [n for n, _ in asked.stream("many 20000")] == list(range(20000))


def test_what_was_not_read_to_its_end_answers_no_other_question(connection: Ask) -> None:
    asked = connection()
    assert next(asked.stream("many 20000"))[0] == 0
    assert asked.rows("echo", ["mine"]) == [["mine"]]


def test_a_password_that_was_refused_is_not_tried_again_and_not_shown(zygote: Zygote, server: socket.socket) -> None:
    asked = Connection(lambda: zygote, string(server.getsockname()[1], "nobody"), "east-db1")
    with pytest.raises(WayInFailed, match=r"Access denied for user 'nobody' with \*\*\*"):
        asked.rows("echo")
    with pytest.raises(WayInFailed, match=r"tried once and not again"):
        asked.rows("echo")


def test_where_nobody_listens_a_connection_is_refused(zygote: Zygote) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    asked = Connection(lambda: zygote, string(port), "east-db1")
    with pytest.raises(WayInFailed, match="connection refused"):
        asked.rows("echo")
    assert asked.refused()


# --- sessions of a measuring client ------------------------------------------------------------------------------------


async def _opened(zygote: Zygote, server: socket.socket) -> odbc_session.Session:
    return await odbc_session.connect(zygote, string(1), server.getsockname())


def test_an_error_of_the_server_has_its_code_and_keeps_the_session(zygote: Zygote, server: socket.socket) -> None:
    async def run() -> None:
        session = await _opened(zygote, server)
        with pytest.raises(SqlFailed, match=r"^Duplicate entry 'k' \(again\)$") as caught:
            await session.rows("duplicate")
        assert caught.value.code == "23000/1062"
        assert not session.stale
        assert await session.rows("echo", ("k",)) == [["k"]]
        session.close()
        assert session.stale

    asyncio.run(run())


def test_an_error_of_the_client_library_says_nothing_of_the_server(zygote: Zygote, server: socket.socket) -> None:
    async def run() -> None:
        session = await _opened(zygote, server)
        with pytest.raises(SqlFailed, match="Lost connection") as caught:
            await session.rows("lost")
        assert caught.value.code is None
        assert session.stale
        session.close()

    asyncio.run(run())


def test_a_wait_that_is_left_holds_up_nobody_and_ends_its_process(zygote: Zygote, server: socket.socket) -> None:
    async def run() -> int:
        session, other = await _opened(zygote, server), await _opened(zygote, server)
        ((pid,),) = await session.rows("pid")
        waiting = asyncio.ensure_future(session.rows("hang"))
        await asyncio.sleep(0)
        assert await other.rows("echo", ("k",)) == [["k"]]
        waiting.cancel()
        await asyncio.wait({waiting})
        assert session.stale
        session.close()
        other.close()
        return int(pid)

    await_gone(asyncio.run(run()))


def test_a_session_whose_process_died_is_stale_although_others_were_made_after_it(
    zygote: Zygote, server: socket.socket
) -> None:
    async def run() -> None:
        session, other = await _opened(zygote, server), await _opened(zygote, server)
        ((pid,),) = await session.rows("pid")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(SqlFailed, match="process ended|broke"):
            await session.rows("echo")
        assert session.stale
        assert not other.stale
        session.close()
        other.close()

    asyncio.run(run())


def test_a_session_that_the_server_ended_is_stale_before_anything_is_sent(
    zygote: Zygote, server: socket.socket
) -> None:
    async def run() -> None:
        session = await _opened(zygote, server)
        assert not session.stale
        server.accept()[0].close()
        await asyncio.to_thread(select.select, [session._child], [], [], 20)
        assert session.stale
        session.close()

    asyncio.run(run())


# --- who ends with whom ------------------------------------------------------------------------------------------------


def test_without_the_zygote_there_is_no_session_and_that_says_nothing_of_a_database(
    connection: Ask, zygote: Zygote
) -> None:
    asked = connection()
    ((pid,),) = asked.rows("pid")
    os.kill(zygote.pid, signal.SIGKILL)
    await_gone(pid)
    await_gone(zygote.pid)
    with pytest.raises(Gone):
        zygote.fork()


def test_closing_the_zygote_ends_its_sessions(connection: Ask, zygote: Zygote) -> None:
    asked = connection()
    ((pid,),) = asked.rows("pid")
    zygote.close()
    await_gone(pid)


def test_nothing_stays_when_the_owner_is_killed(no_driver_manager: Path, server: socket.socket) -> None:
    assert no_driver_manager.is_dir()
    program = textwrap.dedent(
        f"""
        from drdrill.connect.odbc import Connection
        from drdrill.connect.odbc_string import ConnectionString
        from drdrill.connect.odbc_zygote import Zygote
        zygote = Zygote()
        string = ConnectionString("SERVER=127.0.0.1;PORT={server.getsockname()[1]};UID=drdrill;PWD=x", "east-db1")
        asked = Connection(lambda: zygote, string, "east-db1")
        print(zygote.pid, *asked.rows("pid")[0], flush=True)
        asked.rows("hang", within_s=600)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        owner.kill()
        for pid in pids:
            await_gone(pid)
    assert len(pids) == 2


def test_a_machine_without_a_driver_manager_is_told_what_to_install(no_driver_manager: Path) -> None:
    (no_driver_manager / "pyodbc.py").write_text('raise ImportError("libodbc.so.2: cannot open shared object file")')
    with pytest.raises(BadInput, match=r"libodbc\.so\.2.*apt-get install unixodbc odbcinst odbc-mariadb"):
        Zygote()


def test_a_zygote_that_nobody_holds_any_more_ends(no_driver_manager: Path) -> None:
    assert no_driver_manager.is_dir()
    pid = Zygote().pid
    await_gone(pid)


def test_a_session_is_forked_and_not_started(connection: Ask, zygote: Zygote) -> None:
    asked = connection()
    ((pid,),) = asked.rows("pid")
    assert f"PPid:\t{zygote.pid}\n" in Path(f"/proc/{pid}/status").read_text()
