# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The echo service of a host: it gives back what it gets, so that a hold can offer its own traffic over real links.

It lives in the supervisor's process and behind the host's links, and is as dead as the host is while that is off.
"""

from __future__ import annotations

import asyncio


class _Echo(asyncio.Protocol):
    def __init__(self, open_: set[asyncio.Transport]) -> None:
        self._open = open_
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise
        self._transport = transport
        self._open.add(transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._open.discard(self._transport)


class EchoService:
    """One host's echo, on its private port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()

    async def start(self) -> None:
        """Listen. Raises OSError when somebody else has the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Echo(self._open), "127.0.0.1", self._port)

    def stop(self) -> None:
        """Die without a goodbye: the links are frozen by now."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in list(self._open):
            transport.abort()
