# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A small SSH server for the hosts of the pocket lab: a listener for each host, commands in the host's own folder.

A command of a host is one of its processes: it runs in the host's folder, so a power cut kills it and a freeze stops it. The
server itself is the supervisor's: it takes no connection for a host without power, and answers nothing for one that stands still.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from typing import IO, TYPE_CHECKING, BinaryIO, Final

import asyncssh

from drdrill.lab.folder import write_private

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    Process = asyncssh.SSHServerProcess[bytes]

_LOOK_S: Final = 0.05
_CHUNK: Final = 1 << 16
_KILLED: Final = 137
_TELLING: Final = '/bin/sh -c "$1"; echo $? > /dev/fd/{fd}'
"""The supervisor waits for all its children at once, so the exit status comes by a pipe."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the commands of a login are found."""
_CONFIG: Final = """Host *
  User lab
  IdentityFile "{folder}/id"
  IdentitiesOnly yes
  UserKnownHostsFile "{folder}/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


def publish(folder: Path, ports: Mapping[str, int]) -> None:
    """Write `id`, `id.pub`, `HOST.key`, `known_hosts` and `ssh_config` into the lab's folder, for its owner only.

    Args:
        folder: the lab's folder.
        ports: where each host's listener is, on the loopback interface.
    """
    client = asyncssh.generate_private_key("ssh-ed25519")
    write_private(folder / "id", client.export_private_key().decode())
    write_private(folder / "id.pub", client.export_public_key().decode())
    known, names = "", ""
    for host, port in ports.items():
        key = asyncssh.generate_private_key("ssh-ed25519")
        write_private(folder / f"{host}.key", key.export_private_key().decode())
        known += f"[127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n"
        names += f"Host {host}\n  HostName 127.0.0.1\n  Port {port}\n"
    write_private(folder / "known_hosts", known)
    write_private(folder / "ssh_config", names + _CONFIG.format(folder=folder))


class Door:
    """The SSH listener of one host.

    Args:
        folder: the lab's, where `publish` wrote the keys.
        host: its name.
        home: where its commands run.
        port: where it listens, on the loopback interface.
        still: whether the host stands still now.
    """

    def __init__(self, folder: Path, host: str, home: Path, port: int, still: Callable[[], bool]) -> None:
        self._folder, self._host, self._home, self._port, self._still = folder, host, home, port, still
        self._server: asyncssh.SSHAcceptor | None = None
        self._open: set[asyncssh.SSHServerConnection] = set()

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        door = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                self._conn = conn
                door._open.add(conn)

            def connection_lost(self, exc: Exception | None) -> None:
                del exc
                door._open.discard(self._conn)

        self._server = await asyncssh.create_server(
            Server,
            "127.0.0.1",
            self._port,
            server_host_keys=[str(self._folder / f"{self._host}.key")],
            authorized_client_keys=str(self._folder / "id.pub"),
            process_factory=self._run,
            encoding=None,
            allow_scp=False,
        )

    def stop(self) -> None:
        """The host lost its power: nobody listens, and open connections end without a goodbye."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._open):
            connection.abort()

    async def _run(self, process: Process) -> None:
        """One command, as a process of the host."""
        while self._still():  # noqa: ASYNC110 - a host that stands still begins nothing, and nobody tells when it goes on
            await asyncio.sleep(_LOOK_S)
        if process.is_closing():
            return  # Whoever asked gave it up.
        command = process.command
        if command is None:
            process.stderr.write(b"this host has no terminal: give a command\n")
            process.exit(1)
            return
        told, telling = os.pipe()
        pipe = subprocess.PIPE
        child = subprocess.Popen(  # noqa: ASYNC220 - a millisecond; asyncio's own would wait for it beside the supervisor
            ["/bin/sh", "-c", _TELLING.format(fd=telling), "sh", command], cwd=self._home, env=_environment(process),
            stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, pass_fds=(telling,),
        )  # fmt: skip
        os.close(telling)
        try:
            work = asyncio.create_task(self._carry(process, child, os.fdopen(told, "rb")))
            gone = asyncio.create_task(process.channel.wait_closed())
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            work.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await asyncio.to_thread(child.wait)

    async def _carry(self, process: Process, child: subprocess.Popen[bytes], told: BinaryIO) -> None:
        """Everything between the client and the command, until the command has ended and all that it said was sent."""
        if child.stdin is None or child.stdout is None or child.stderr is None:
            return
        feeding = asyncio.create_task(_feed(process.stdin, child.stdin))
        status = bytearray()
        try:
            async with _reading(child.stdout) as out, _reading(child.stderr) as err, _reading(told) as said:
                await asyncio.gather(_send(out, process.stdout), _send(err, process.stderr))
                status += await said.readline()
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        while self._still():  # noqa: ASYNC110 - as above
            await asyncio.sleep(_LOOK_S)
        process.exit(int(status or _KILLED))


@contextlib.asynccontextmanager
async def _reading(pipe: IO[bytes]) -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        yield reader
    finally:
        transport.close()


async def _send(source: asyncio.StreamReader, to: asyncssh.SSHWriter[bytes]) -> None:
    while data := await source.read(_CHUNK):
        to.write(data)
        await to.drain()


async def _feed(source: asyncssh.SSHReader[bytes], pipe: IO[bytes]) -> None:
    """What the client sends, into the command's standard input, and its end as well."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, pipe)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    try:
        while data := await source.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # The command reads no more.
    finally:
        writer.close()


def _environment(process: Process) -> dict[str, str]:
    """What a login gives a command, and nothing of the person who raised the lab."""
    peer, here = process.get_extra_info("peername"), process.get_extra_info("sockname")
    return {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "SSH_CONNECTION": f"{peer[0]} {peer[1]} {here[0]} {here[1]}",
    }
