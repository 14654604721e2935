# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel's table of TCP sockets, asked by netlink where that is allowed, else read from /proc.

Both need no privilege. /proc lists every socket that was closed within the last minute as well: with 100 fresh connections a
second that is thousands of lines, 25 ms of work each second and for each question who calls. Netlink answers in well under one.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ESTABLISHED: Final = 1
LISTEN: Final = 10

_NETLINK_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_REQUEST, _DUMP = 0x1, 0x300
_ERROR, _DONE = 2, 3
_ANY_COOKIE: Final = 0xFFFFFFFF
_HEADER: Final = struct.Struct("=IHHII")
_ID: Final = struct.Struct("!HH16s16sIII")
"""inet_diag_sockid: ports and addresses as on the wire; interface and cookie are the same in both byte orders here."""
_LOOPBACK: Final = socket.inet_aton("127.0.0.1") + bytes(12)
_DEADLINE_S: Final = 2.0


class Connection(NamedTuple):
    """One end of a TCP connection of this machine, or a listener (then `remote` is 0)."""

    local: int
    remote: int
    inode: int


def sockets(state: int) -> list[Connection]:
    """Every IPv4 and IPv6 socket in this state (`ESTABLISHED` or `LISTEN`)."""
    try:
        return [found for family in (socket.AF_INET, socket.AF_INET6) for found in _dump(family, state)]
    except OSError:  # Netlink is refused in this container, or the kernel has no tcp_diag.
        return list(_read(state))


def inode(local: int, remote: int) -> int | None:
    """The inode of the socket that is connected from 127.0.0.1:local to 127.0.0.1:remote. None: there is none."""
    try:
        answers = list(_ask(socket.AF_INET, 1 << ESTABLISHED, (local, remote)))
    except FileNotFoundError:
        answers = []  # The kernel's word for: no such socket. Also its word for: no tcp_diag; so look in /proc as well.
    except OSError:
        answers = []
    # Where no connection fits, the kernel answers with the listener of that port: not what was asked for.
    fits = [c for c in answers or _read(ESTABLISHED) if (c.local, c.remote) == (local, remote)]
    return fits[0].inode if fits and fits[0].inode else None


def _dump(family: int, state: int) -> Iterator[Connection]:
    return _ask(family, 1 << state, None)


def _ask(family: int, states: int, ports: tuple[int, int] | None) -> Iterator[Connection]:
    flags = _REQUEST if ports else _REQUEST | _DUMP
    address = _LOOPBACK if ports else bytes(16)
    wanted = _ID.pack(*(ports or (0, 0)), address, address, 0, _ANY_COOKIE, _ANY_COOKIE)
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, states) + wanted
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_DEADLINE_S)
        netlink.sendto(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, flags, 1, 0) + body, (0, 0))
        done = False
        while not done:
            for kind, message in _messages(netlink.recv(1 << 17)):
                if kind == _ERROR:
                    code = struct.unpack_from("=i", message)[0]
                    raise OSError(-code, "netlink")
                if kind == _DONE:
                    return
                local, remote = struct.unpack_from("!HH", message, 4)
                yield Connection(local, remote, struct.unpack_from("=I", message, 68)[0])
                done = ports is not None


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def _read(state: int) -> Iterator[Connection]:
    wanted = f"{state:02X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), Path(table).open() as lines:
            next(lines, None)
            for line in lines:
                part = line.split(None, 10)
                if part[3] == wanted:
                    local, remote = (int(part[i].rpartition(":")[2], 16) for i in (1, 2))
                    yield Connection(local, remote, int(part[9]))
