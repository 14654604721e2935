# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A supervisor's end of the protocol's socket, whichever lab it is of: one line in, one line out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Any

from drdrill.lab import protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

Message = dict[str, Any]


async def serve(
    folder: Path,
    known: Mapping[str, Callable[[Message], Awaitable[Message]]],
    end: asyncio.Event,
    log: Callable[[str], None],
) -> asyncio.Server:
    """Answer on the socket of the lab's folder.

    Args:
        folder: the lab's.
        known: what can be asked, and who answers. An answer that has `down` sets `end` once it was sent.
        end: the end of the lab.
        log: gets the tracebacks of answers that failed.

    Raises:
        OSError: the socket cannot be made.
    """
    conversation = _Conversation(known, end, log)
    return await asyncio.start_unix_server(conversation.hold, sock=_listen(folder), limit=protocol.LONGEST_LINE)


def version() -> str:
    """The version of this drdrill."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version("drdrill")
    return "unknown"


class _Conversation:
    def __init__(
        self,
        known: Mapping[str, Callable[[Message], Awaitable[Message]]],
        end: asyncio.Event,
        log: Callable[[str], None],
    ) -> None:
        self._known = known
        self._end = end
        self._log = log

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it hangs up."""
        # ValueError: a line beyond the limit; the caller is cut off. Cancelled: the lab ends while a client is still there.
        with contextlib.suppress(OSError, ValueError, asyncio.CancelledError):
            while line := await reader.readline():
                answer = await self._answer(line)
                try:
                    writer.write(protocol.encode(answer))
                    await writer.drain()
                finally:
                    if answer.get("down"):
                        self._end.set()
        writer.close()

    async def _answer(self, line: bytes) -> Message:
        try:
            message = protocol.decode(line)
            return {"ok": True} | await self._handler(protocol.text(message, "do"))(message)
        except protocol.BadRequest as error:
            return {"ok": False, "error": str(error)}
        except Exception as error:  # noqa: BLE001 - one bad request must not end the lab
            self._log(traceback.format_exc())
            return {"ok": False, "error": f"the supervisor failed: {type(error).__name__}: {error}"}

    def _handler(self, do: str) -> Callable[[Message], Awaitable[Message]]:
        if do not in self._known:
            raise protocol.BadRequest(f'"{do}" is nothing that can be done here; there are {", ".join(self._known)}')
        return self._known[do]


def _listen(folder: Path) -> socket.socket:
    """The control socket, for its owner only. Bound through the opened folder: a socket's path may hold 107 bytes."""
    sock = socket.socket(socket.AF_UNIX)
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    before = os.umask(0o177)
    try:
        sock.bind(f"/proc/self/fd/{directory}/{protocol.SOCKET}")
    finally:
        os.umask(before)
        os.close(directory)
    sock.listen(64)
    return sock
