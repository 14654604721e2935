# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that hold ODBC connections, as their owner has them: see `odbc_child` for what they are and why."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import weakref
from typing import Final

from drdrill.connect.odbc_child import LONGEST
from drdrill.errors import BadInput

START_S: Final = 30.0
LINE: Final = "apt-get install unixodbc odbcinst odbc-mariadb"
"""What installs the driver manager and the driver of MariaDB on Debian and Ubuntu."""


class Gone(RuntimeError):
    """The process that makes sessions is gone: the instrument is broken, which says nothing of a database."""


class Zygote:
    """One process that is ready to become a session at once.

    Started when it is made: to start a Python takes a tenth of a second, which nobody has who measures. It is in the network
    namespace of the thread that made it, and so are its sessions. Ends at `close`, or with whoever made it.

    Raises:
        BadInput: there is no driver manager on this machine.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            argv = [sys.executable, "-m", "drdrill.connect.odbc_child", str(theirs.fileno())]
            process = subprocess.Popen(
                argv,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._control = ours
        self._turn = threading.Lock()
        self._drivers: tuple[str, ...] | None = None
        self.pid = process.pid
        self.close = weakref.finalize(self, _end, ours, process)
        """End it and all its sessions. May be called twice."""
        self._begun()

    def _begun(self) -> None:
        self._control.settimeout(START_S)
        try:
            said = self._control.recv(LONGEST)
        except TimeoutError:
            said = b""
        if not said:
            self.close()
            raise Gone("the process that makes sessions of databases did not start")
        if "error" in (told := json.loads(said)):
            self.close()
            raise BadInput(
                f"a database over ODBC needs a driver manager, and none can be loaded on this machine ({told['error']}); "
                f"as root: {LINE}"
            )
        self._control.settimeout(None)

    def fork(self) -> socket.socket:
        """Make a process for one session and return the socket on which it is asked. It dies when that is closed.

        Raises:
            Gone: the zygote is.
            OSError: this machine has no more sockets.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                with self._turn:
                    socket.send_fds(self._control, [b"fork"], [theirs.fileno()])
            except (BrokenPipeError, ConnectionError, ValueError) as error:
                ours.close()
                raise Gone("the process that makes sessions of databases is gone") from error
            except OSError:
                ours.close()
                raise
        return ours

    def drivers(self) -> tuple[str, ...]:
        """The names of the drivers that are installed. Raises Gone."""
        if self._drivers is None:
            with self.fork() as child:
                child.settimeout(START_S)
                child.send(b'{"drivers": true}')
                said = child.recv(LONGEST)
            if not said:
                raise Gone("the process that lists the drivers of databases ended without a word")
            self._drivers = tuple(str(name) for (name,) in json.loads(said).get("rows", ()))
        return self._drivers


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2)
        return
    process.kill()
    process.wait()
