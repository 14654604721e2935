# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A service whose outages are known to the millisecond: a process of its own that keeps the times of what it did."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from typing import Any


class Script:
    """The scripted service, from the test's side."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.url = f"http://127.0.0.1:{self.port}"

    def outage(self, way: str, seconds: float) -> tuple[int, int]:
        """Be away for so long; returns when it began and ended, CLOCK_MONOTONIC ns of the same machine."""
        self._command(way=way, seconds=seconds)
        return self.ended()

    def begin(self, way: str, seconds: float) -> None:
        """Be away for so long; `ended` waits for the end."""
        self._command(way=way, seconds=seconds)

    def ended(self) -> tuple[int, int]:
        """When the outage that was begun began and ended."""
        told = self._answer()
        return told["begin"], told["end"]

    def rows(self) -> list[str]:
        """The keys of every write that was acknowledged."""
        self._command(way="rows")
        found: list[str] = self._answer()["rows"]
        return found

    def _command(self, **what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Service:
    """Answers GET with 200 and POST with 201, unless it is away.

    refused: the port is closed and open connections are reset. silent: what arrives is never answered. stalled: it is
    answered when the outage ends. failing: it is answered with 503.
    """

    def __init__(self) -> None:
        self.way = ""
        self.back = asyncio.Event()
        self.back.set()
        self.open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.rows: list[str] = []

    async def listen(self) -> None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        self.server = await asyncio.start_server(self.serve, sock=sock, backlog=1024)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = b""
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        body = await reader.readexactly(int(line.split(b":")[1]))
                if self.way == "silent":
                    return
                if self.way == "stalled":
                    await self.back.wait()
                status = (
                    b"503 No" if self.way == "failing" else b"201 Created" if head.startswith(b"POST") else b"200 OK"
                )
                if body and status.startswith(b"201"):
                    self.rows.append(json.loads(body)["key"])
                writer.write(b'HTTP/1.1 %s\r\nContent-Length: 15\r\n\r\n{"ready": true}' % status)
        except (OSError, EOFError):
            return
        finally:
            if self.way != "silent":
                self.open.discard(writer)
                writer.close()

    async def away(self, way: str, seconds: float) -> dict[str, Any]:
        begin = time.monotonic_ns()
        self.way = way
        if way == "refused":
            self.server.close()
            for writer in list(self.open):
                writer.transport.abort()
        if way == "stalled":
            self.back.clear()
        await asyncio.sleep(seconds)
        if way == "refused":
            await self.listen()
        self.way = ""
        self.back.set()
        return {"begin": begin, "end": time.monotonic_ns()}


async def main() -> None:
    service = Service()
    await service.listen()
    print(json.dumps({"port": service.port}), flush=True)  # noqa: T201
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        told = json.loads(line)
        said = {"rows": service.rows} if told["way"] == "rows" else await service.away(told["way"], told["seconds"])
        print(json.dumps(said), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
