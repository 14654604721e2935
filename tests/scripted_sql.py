# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A server that speaks as much of PostgreSQL's protocol as one session needs, and answers statements as a test says.

PostgreSQL's documentation, chapter "Frontend/Backend Protocol", is what it follows.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CANCEL, SSL, GSS = 80877102, 80877103, 80877104


@dataclass
class SqlScript:
    """What the server does. `answer` is ok, silent, close, or an SQLSTATE."""

    port: int = 0
    answer: str = "ok"
    read_only: bool = False
    sessions: int = 0
    """Sessions that were begun."""
    open: int = 0
    """Sessions that are open now."""
    cancels: int = 0
    statements: list[str] = field(default_factory=list)

    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def hang_up(self) -> None:
        """End every session, as a server does that shuts down."""
        for writer in self._writers:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (size,) = struct.unpack("!i", await reader.readexactly(4))
            body = await reader.readexactly(size - 4)
            (code,) = struct.unpack("!i", body[:4])
            if code == CANCEL:
                self.cancels += 1
                return
            if code not in {SSL, GSS}:
                break
            writer.write(b"N")
        self.sessions += 1
        self.open += 1
        try:
            writer.write(_message(b"R", struct.pack("!i", 0)))
            for name, value in (
                ("server_version", "18.0"), ("client_encoding", "UTF8"), ("in_hot_standby", "off"),
                ("default_transaction_read_only", "on" if self.read_only else "off"),
            ):  # fmt: skip
                writer.write(_message(b"S", f"{name}\0{value}\0".encode()))
            writer.write(_message(b"K", struct.pack("!ii", 1, 2)) + _message(b"Z", b"I"))
            while True:
                kind = await reader.readexactly(1)
                (size,) = struct.unpack("!i", await reader.readexactly(4))
                body = await reader.readexactly(size - 4)
                if kind == b"X":
                    return
                if kind == b"P":
                    self.statements.append(body.split(b"\0")[1].decode())
                if kind == b"S" and not await self._answered(writer):
                    return
        finally:
            self.open -= 1

    async def _answered(self, writer: asyncio.StreamWriter) -> bool:
        if self.answer == "close":
            return False
        if self.answer == "ok":
            writer.write(
                _message(b"1") + _message(b"2") + _message(b"T", _column("answer")) + _message(b"D", _row("t"))
                + _message(b"C", b"SELECT 1\0") + _message(b"Z", b"I")
            )  # fmt: skip
        elif self.answer != "silent":
            fields = f"SERROR\0VERROR\0C{self.answer}\0Mit was refused\0\0".encode()
            writer.write(_message(b"E", fields) + _message(b"Z", b"I"))
        await writer.drain()
        return True


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _column(name: str) -> bytes:
    return struct.pack("!h", 1) + name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)


def _row(value: str) -> bytes:
    return struct.pack("!hi", 1, len(value)) + value.encode()


@contextlib.asynccontextmanager
async def sql_script() -> AsyncIterator[SqlScript]:
    """The server, on a free port of the loopback interface."""
    script = SqlScript()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        script.hang_up()
        for writer in script._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()
