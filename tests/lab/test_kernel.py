# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, NoReturn

import pytest

from drdrill.lab.pocket import kernel
from drdrill.lab.pocket.kernel import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def joined() -> Iterator[Connection]:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as caller,
    ):
        inode = int(os.readlink(f"/proc/self/fd/{caller.fileno()}").removeprefix("socket:[").rstrip("]"))  # noqa: PTH115
        yield Connection(caller.getsockname()[1], server.getsockname()[1], inode)


def refuse(*_: object) -> NoReturn:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("netlink", [True, False])
def test_a_connection_and_its_listener_are_found_with_and_without_netlink(
    joined: Connection, netlink: bool, monkeypatch: pytest.MonkeyPatch
):
    if not netlink:
        monkeypatch.setattr(kernel, "_ask", refuse)
    assert joined in kernel.sockets(kernel.ESTABLISHED)
    assert joined.remote in {found.local for found in kernel.sockets(kernel.LISTEN)}
    assert kernel.inode(joined.local, joined.remote) == joined.inode
    assert kernel.inode(joined.remote, joined.remote) is None


def test_a_connection_over_ipv6_is_seen_too():
    with socket.socket(socket.AF_INET6) as server:
        try:
            server.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback address: nothing could go around the links over it")
        server.listen()
        with socket.create_connection(server.getsockname()[:2]) as caller:
            ends = {(c.local, c.remote) for c in kernel.sockets(kernel.ESTABLISHED)}
            assert (caller.getsockname()[1], server.getsockname()[1]) in ends
