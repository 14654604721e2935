# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Does a control master of OpenSSH answer? Asked on its socket, without starting a program.

A master that was stopped, or hangs, still has its socket, and whoever connects to it waits for ever. The protocol is PROTOCOL.mux
of the OpenSSH source, version 4: a hello each way, then an alive check.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_HELLO: Final = 0x00000001
_ALIVE_CHECK: Final = 0x10000004
_IS_ALIVE: Final = 0x80000005
_VERSION: Final = 4
_LONGEST: Final = 1 << 16


def alive(path: Path, within_s: float = 1.0) -> bool:
    """Whether a control master listens at this path and answers within so many seconds."""
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(within_s)
            sock.connect(str(path))
            sock.sendall(_packet(_HELLO, _VERSION) + _packet(_ALIVE_CHECK, 0))
            return _kind(sock) == _HELLO and _kind(sock) == _IS_ALIVE
    except OSError:
        return False


def _packet(kind: int, number: int) -> bytes:
    return struct.pack("!III", 8, kind, number)


def _kind(sock: socket.socket) -> int:
    """Read one packet and say what it is. Raises OSError."""
    (length,) = struct.unpack("!I", _read(sock, 4))
    if not 4 <= length <= _LONGEST:  # noqa: PLR2004 - a packet begins with its kind
        raise ConnectionError("no packet of a control master")
    kind: int = struct.unpack("!I", _read(sock, length)[:4])[0]
    return kind


def _read(sock: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = sock.recv(size - len(found))
        if not more:
            raise ConnectionError("it closed the connection")
        found += more
    return found
