# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The line between a drill and its guardian: JSON lines, each question with one answer, in order.

Over a socket on this machine, or over the pipes of a command that relays them from another one.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROTOCOL: Final = 1
SOCKET: Final = "socket"
LOG: Final = "log"
"""What its process complained of, beside the socket."""
MOST: Final = 1 << 22
"""Bytes of one line: the record of a fault with ten thousand pairs has one megabyte."""


class Line:
    """One end that asks.

    Args:
        reading: the descriptor that answers come from.
        writing: the one that questions go to; may be the same.
        who: is at the other end, for messages.
    """

    def __init__(self, reading: int, writing: int, who: str = "the guardian") -> None:
        self._who = who
        self._reading = reading
        self._writing = writing
        self._rest = b""
        self._owed = 0
        self.broken = False
        os.set_blocking(reading, False)

    def ask(self, message: Mapping[str, Any], within_s: float) -> dict[str, Any]:
        """One answer. Raises WayInFailed when there is none in time, or the other end is gone."""
        end = time.monotonic() + within_s
        self.send(message)
        answers: list[dict[str, Any]] = []
        while self._owed:
            left = end - time.monotonic()
            answers = self.answers(max(0.0, left)) or answers
            if self._owed and (self.broken or left <= 0):
                words = f"{self._who} is gone" if self.broken else f"{self._who} did not answer in {within_s:g} s"
                self.broken = True  # What it says later would be taken for the answer to another question.
                raise WayInFailed(words)
        return answers[-1]

    def send(self, message: Mapping[str, Any]) -> None:
        """A question, whose answer comes by `answers`. Raises WayInFailed when the other end is gone."""
        if self.broken:
            raise WayInFailed(f"{self._who} is gone")
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        os.set_blocking(self._writing, True)
        try:
            while data:
                data = data[os.write(self._writing, data) :]
        except OSError as error:
            self.broken = True
            raise WayInFailed(f"{self._who} is gone: {error.strerror}") from error
        self._owed += 1

    @property
    def owed(self) -> int:
        """How many questions are not answered yet."""
        return self._owed

    def answers(self, within_s: float = 0.0) -> list[dict[str, Any]]:
        """What came in since, waiting at most so long for the first of it."""
        os.set_blocking(self._reading, False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._reading, selectors.EVENT_READ)
            if not selector.select(within_s):
                return []
        with contextlib.suppress(BlockingIOError):
            while True:
                try:
                    more = os.read(self._reading, 1 << 16)
                except ConnectionError:
                    more = b""
                if not more:
                    self.broken = True
                    break
                self._rest += more
        *whole, self._rest = self._rest.split(b"\n")
        self._owed -= len(whole)
        return [json.loads(line) for line in whole]

    def close(self) -> None:
        """Hang up."""
        for descriptor in {self._reading, self._writing}:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def dial(folder: Path) -> socket.socket:
    """A connection to the guardian of this folder.

    Raises:
        OSError: nobody listens there.
        BadInput: it belongs to another user, who could make it answer anything.
    """
    # Through the opened folder: the path of a socket may hold 107 bytes, and the folder's may be longer.
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        there = socket.socket(socket.AF_UNIX)
        try:
            there.connect(f"/proc/self/fd/{directory}/{SOCKET}")
        except OSError:
            there.close()
            raise
    finally:
        os.close(directory)
    uid = peer(there)[1]
    if uid not in {os.geteuid(), 0}:
        there.close()
        raise BadInput(f"{folder / SOCKET}: belongs to user {uid}, so nothing that it says is believed")
    return there


def peer(there: socket.socket) -> tuple[int, int]:
    """Process and user at the other end of a Unix socket, as the kernel knows them."""
    pid, uid, _ = struct.unpack("3i", there.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid
