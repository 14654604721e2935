# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: ASYNC110 - what is waited for belongs to the code under test
"""The service entry in front of two applications that the test plays."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import pytest

from drdrill.lab.ask import get
from drdrill.lab.entry import Entry


class App:
    """Answers /healthz with its status, and everything with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = 200
        self.bad = 0
        self.asked = 0
        self.silent = False
        self.open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.handle, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if b"/stay" in head:
                writer.write(b"HTTP/1.0 200 OK\r\n\r\n{}")
                await reader.read()
            elif not self.silent:
                self.asked += 1
                status, self.bad = (503, self.bad - 1) if self.bad else (self.status, 0)
                body = f'{{"app": "{self.name}"}}'
                writer.write(f"HTTP/1.0 {status} X\r\n\r\n{body}".encode())
                await writer.drain()
            else:
                await reader.read()
        self.open.discard(writer)
        writer.close()


@dataclass
class Stage:
    entry: Entry
    port: int
    own: App
    backup: App


def played(play):
    async def run() -> None:
        own, backup = App("own"), App("backup")
        await own.start()
        await backup.start()
        with contextlib.closing(await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)) as probe:
            port = probe.sockets[0].getsockname()[1]
        entry = Entry(own.port, backup.port)
        async with asyncio.timeout(30):
            task = asyncio.create_task(entry.serve(port))
            while not all(entry._ready.values()):
                await asyncio.sleep(0.01)
            try:
                await play(Stage(entry, port, own, backup))
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                for side in list(entry.sides):
                    side.transport.abort()
                for app in (own, backup):
                    app.server.close()
                    for writer in list(app.open):
                        writer.transport.abort()
                await asyncio.sleep(0.05)

    asyncio.run(run())


async def until(entry: Entry, port: int) -> float:
    began = asyncio.get_running_loop().time()
    while entry.target != port:
        await asyncio.sleep(0.01)
    return asyncio.get_running_loop().time() - began


def test_the_own_application_answers_while_it_is_ready():
    async def play(stage: Stage) -> None:
        assert await get(stage.port, "/", 2) == (200, {"app": "own"})

    played(play)


@pytest.mark.parametrize("how", ["unready", "silent", "gone"])
def test_the_other_sites_application_takes_over_and_gives_back(how: str):
    async def play(stage: Stage) -> None:
        if how == "unready":
            stage.own.status = 503
        elif how == "silent":
            stage.own.silent = True
        else:
            stage.own.server.close()
        # Two checks that wait 1 s each, and the pauses before them.
        assert await until(stage.entry, stage.backup.port) < 4
        assert await get(stage.port, "/", 2) == (200, {"app": "backup"})
        if how != "gone":
            stage.own.status, stage.own.silent = 200, False
            await until(stage.entry, stage.own.port)
            assert await get(stage.port, "/", 2) == (200, {"app": "own"})

    played(play)


def test_a_session_to_the_other_site_may_end_by_itself_when_the_own_application_is_back():
    async def play(stage: Stage) -> None:
        stage.own.status = 503
        await until(stage.entry, stage.backup.port)
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(b"GET /stay HTTP/1.0\r\n\r\n")
        await reader.readuntil(b"{}")
        stage.own.status = 200
        await until(stage.entry, stage.own.port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.read(1)
        writer.close()

    played(play)


def test_sessions_to_an_application_that_is_not_ready_any_more_are_dropped():
    async def play(stage: Stage) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(b"GET /stay HTTP/1.0\r\n\r\n")
        await reader.readuntil(b"{}")
        stage.own.status = 503
        await until(stage.entry, stage.backup.port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    played(play)


def test_while_none_is_ready_the_own_one_answers_for_itself():
    async def play(stage: Stage) -> None:
        stage.backup.status = 503
        while stage.entry._ready[stage.backup.port]:
            await asyncio.sleep(0.01)
        stage.own.status = 503
        while stage.entry._ready[stage.own.port]:
            await asyncio.sleep(0.01)
        assert stage.entry.target == stage.own.port
        assert (await get(stage.port, "/", 2))[0] == 503

    played(play)


def test_one_bad_answer_is_no_failure():
    async def play(stage: Stage) -> None:
        stage.own.bad = 1
        while stage.own.bad:
            await asyncio.sleep(0.005)
        asked = stage.own.asked
        while stage.own.asked < asked + 2:
            await asyncio.sleep(0.005)
        assert stage.entry.target == stage.own.port

    played(play)
