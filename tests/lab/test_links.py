# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: ASYNC110 - what is waited for belongs to the code under test
"""Sessions and links on real sockets of the loopback interface, without a lab."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pytest

from drdrill.lab.pocket import links
from drdrill.lab.pocket.session import Session

if TYPE_CHECKING:
    import socket

QUIET_S = 0.15
"""How long nothing must come to be called silence. Through an open link an answer takes about a millisecond."""


@dataclass
class Service:
    """The called host's service: echoes, and remembers what it got."""

    port: int = 0
    got: bytearray = field(default_factory=bytearray)
    arrivals: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    server: asyncio.Server | None = None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals += 1
        self.writers.append(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                self.got += data
                writer.write(data)
                await writer.drain()
        writer.close()


class World:
    """Hosts a and b with a link in each direction; b runs the service."""

    def __init__(self) -> None:
        self.out, self.back = links.Link(), links.Link()
        self.service = Service()
        self.patient = False
        self.sessions: list[Session] = []

    async def __aenter__(self) -> Self:
        self.service.server = await asyncio.start_server(self.service.handle, "127.0.0.1", 0)
        self.service.port = self.service.server.sockets[0].getsockname()[1]
        self.listener = links.listen(0, self.arrived)
        self.port = self.listener.getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        links.close_listener(self.listener)
        for session in (*self.out.sessions, *self.back.sessions):
            session.abort()
        for writer in self.service.writers:
            writer.transport.abort()
        if self.service.server:
            self.service.server.close()
        await asyncio.sleep(0)

    def arrived(self, sock: socket.socket) -> None:
        self.sessions.append(
            Session(
                ("a", "b"),
                sock,
                out=self.out,
                back=self.back,
                port=self.service.port,
                patient=lambda: self.patient,
            )
        )

    def freeze(self, frozen: bool) -> None:
        self.out.set_frozen(frozen)
        self.back.set_frozen(frozen)

    async def call(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


def drill(play):
    """Run one scene in a world, with a deadline that turns a hang into a failure."""

    async def run() -> None:
        async with asyncio.timeout(20), World() as world:
            await play(world)

    asyncio.run(run())


async def silent(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(QUIET_S):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


def test_an_open_link_carries_both_directions_and_counts_what_left_it():
    async def play(world: World) -> None:
        reader, writer = await world.call()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert (world.out.bytes, world.back.bytes, world.out.connections) == (5, 5, 1)
        writer.close()

    drill(play)


def test_a_frozen_link_lets_nothing_through_and_delivers_after_the_thaw():
    async def play(world: World) -> None:
        reader, writer = await world.call()
        writer.write(b"1")
        await reader.readexactly(1)
        world.freeze(True)
        writer.write(b"2")
        assert await silent(reader)
        assert bytes(world.service.got) == b"1"
        assert world.out.bytes == 1
        world.freeze(False)
        assert await reader.readexactly(1) == b"2"
        writer.close()

    drill(play)


def test_one_frozen_direction_still_lets_the_other_through():
    async def play(world: World) -> None:
        reader, writer = await world.call()
        writer.write(b"1")
        await reader.readexactly(1)
        world.back.set_frozen(True)
        writer.write(b"2")
        assert await silent(reader)
        assert bytes(world.service.got) == b"12"
        assert (world.out.bytes, world.back.bytes) == (2, 1)
        writer.close()

    drill(play)


@pytest.mark.parametrize("direction", ["out", "back"])
def test_no_new_connection_comes_about_while_either_direction_is_frozen(direction: str):
    async def play(world: World) -> None:
        getattr(world, direction).set_frozen(True)
        reader, writer = await world.call()
        writer.write(b"x")
        assert await silent(reader)
        assert world.service.arrivals == 0
        assert world.out.connections == 0
        getattr(world, direction).set_frozen(False)
        assert await reader.readexactly(1) == b"x"
        writer.close()

    drill(play)


def test_a_caller_that_gave_up_is_never_heard_of():
    async def play(world: World) -> None:
        world.freeze(True)
        _, writer = await world.call()
        writer.write(b"register me")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        while world.out.sessions:
            await asyncio.sleep(0.01)
        world.freeze(False)
        await asyncio.sleep(QUIET_S)
        assert world.service.arrivals == 0

    drill(play)


def test_nobody_hears_a_goodbye_over_a_frozen_link():
    async def play(world: World) -> None:
        reader, writer = await world.call()
        writer.write(b"1")
        await reader.readexactly(1)
        world.freeze(True)
        world.service.writers[0].transport.abort()
        assert await silent(reader)
        world.freeze(False)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read(1) == b""
        writer.close()

    drill(play)


def test_a_lost_host_resets_its_connections_when_it_is_back_and_what_was_in_the_air_is_gone():
    async def play(world: World) -> None:
        reader, writer = await world.call()
        writer.write(b"1")
        await reader.readexactly(1)
        world.back.set_frozen(True)
        writer.write(b"2")
        assert await silent(reader)
        world.freeze(True)
        for session in world.sessions:
            session.host_died("b")
        world.service.writers[0].transport.abort()
        world.freeze(False)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        assert world.back.bytes == 1
        writer.close()

    drill(play)


def test_a_refused_port_is_a_reset_and_is_counted():
    async def play(world: World) -> None:
        assert world.service.server
        world.service.server.close()
        await world.service.server.wait_closed()
        reader, writer = await world.call()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        assert world.out.refused == 1
        writer.close()

    drill(play)


def test_a_caller_of_a_booting_host_waits_until_the_service_listens():
    async def play(world: World) -> None:
        assert world.service.server
        world.service.server.close()
        await world.service.server.wait_closed()
        world.patient = True
        reader, writer = await world.call()
        writer.write(b"x")
        assert await silent(reader)
        world.service.server = await asyncio.start_server(world.service.handle, "127.0.0.1", world.service.port)
        assert await reader.readexactly(1) == b"x"
        writer.close()

    drill(play)


def test_a_half_closed_connection_still_gets_its_answer():
    async def play(world: World) -> None:
        reader, writer = await world.call()
        writer.write(b"last words")
        writer.write_eof()
        assert await reader.read() == b"last words"
        writer.close()
        while world.out.sessions:
            await asyncio.sleep(0.01)

    drill(play)


def test_eight_megabytes_arrive_whole_through_freezes_and_a_slow_reader():
    async def play(world: World) -> None:
        sent = os.urandom(8 << 20)
        reader, writer = await world.call()

        async def send() -> None:
            for start in range(0, len(sent), 1 << 18):
                writer.write(sent[start : start + (1 << 18)])
                await writer.drain()
            writer.write_eof()

        async def shake() -> None:
            while True:
                world.freeze(True)
                await asyncio.sleep(0.01)
                world.freeze(False)
                await asyncio.sleep(0.02)

        sending, shaking = asyncio.create_task(send()), asyncio.create_task(shake())
        received = bytearray()
        while data := await reader.read(1 << 16):
            received += data
            await asyncio.sleep(0)
        shaking.cancel()
        await sending
        assert hashlib.sha256(received).digest() == hashlib.sha256(sent).digest()
        assert world.back.bytes == len(sent)
        writer.close()

    drill(play)


def test_a_frozen_link_slows_its_sender_down_instead_of_filling_memory():
    async def play(world: World) -> None:
        reader, writer = await world.call()
        writer.write(b"1")
        await reader.readexactly(1)
        world.freeze(True)
        writer.write(bytes(64 << 20))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await writer.drain()
        assert sum(flow.held for session in world.sessions for flow in session._flows) < 1 << 20
        writer.transport.abort()

    drill(play)


def test_ended_sessions_leave_nothing_behind():
    async def play(world: World) -> None:
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        for _ in range(50):
            reader, writer = await world.call()
            writer.write(b"x")
            await reader.readexactly(1)
            writer.close()
            await writer.wait_closed()
        while world.out.sessions or world.back.sessions:
            await asyncio.sleep(0.01)
        world.service.writers.clear()
        await asyncio.sleep(0.05)
        assert len(os.listdir("/proc/self/fd")) <= before + 2  # noqa: PTH208

    drill(play)


def test_a_port_that_somebody_has_is_said():
    async def play(world: World) -> None:
        with pytest.raises(OSError, match="in use"):
            links.listen(world.port, world.arrived)

    drill(play)
