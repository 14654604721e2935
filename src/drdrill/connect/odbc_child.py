# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The processes that hold ODBC connections: `python -m drdrill.connect.odbc_child FD`, started by `odbc_zygote.Zygote`.

A call of an ODBC driver whose peer fell silent may never return, and no driver lets itself be interrupted; only the end of its
process ends it. So every connection has a process of its own. To start one must cost its owner nothing, so a first process,
the zygote, imports the driver manager's module and forks one child for each socket that it is handed.

The owner closes its end of a child's socket, and the zygote kills that child: it watches a copy of the child's end, so nothing
depends on what the child is hanging in. The zygote ends with its owner (its socket ends), and every child with the zygote.

A request is one message of JSON on a SOCK_SEQPACKET socket, and so is an answer:

    {"connect": STRING, "at": [HOST, PORT] | null}   -> {"rows": []}
    {"run": SQL, "with": [VALUE, ...]}               -> {"rows": [[...], ...], "more": true} ..., {"rows": [...]}
    {"drivers": true}                                -> {"rows": [[NAME], ...]}
    any of them                                      -> {"error": WORDS, "state": SQLSTATE, "native": NUMBER}

It imports little, and nothing of drdrill: it is forked for every session.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import re
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final

LONGEST: Final = 60_000
"""Bytes of one message at most; rows that do not fit follow in the next one."""
DONE: Final = b'{"rows": []}'
"""The answer to a statement that gives no rows: every write has it."""
REFUSED_S: Final = 0.3
_DEATH: Final = 1
"""PR_SET_PDEATHSIG of <sys/prctl.h>."""
_NATIVE: Final = re.compile(r" \((-?\d+)\) \(SQL\w+\)")
_MAKERS: Final = re.compile(r"^(\s*\[[^\]]*\]\s*)+")


def main() -> None:
    """Be the zygote until its owner is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    # Its owner decides when it ends; a terminal's Ctrl-C reaches everybody.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pyodbc: Any = importlib.import_module("pyodbc")
    except ImportError as error:
        control.send(json.dumps({"error": str(error)}).encode())
        return
    # With pooling a fresh session could be an old one that somebody else gave back.
    pyodbc.pooling = False
    gc.freeze()
    control.send(b"{}")
    Nursery(control, pyodbc).run()


class Nursery:
    """Forks children, and buries them.

    Args:
        control: each message on it brings the socket of a new child.
        pyodbc: the module. Nothing of it was called yet: what a driver manager opened does not survive a fork.
    """

    def __init__(self, control: socket.socket, pyodbc: Any) -> None:
        self._control = control
        self._pyodbc = pyodbc
        self._ends: dict[int, tuple[int, socket.socket, int]] = {}
        """Both by the socket of a child and by its pidfd: its pid, that socket, that pidfd."""
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def run(self) -> None:
        """Until the owner is gone."""
        while True:
            for fd, _ in self._poll.poll():
                if fd == self._control.fileno():
                    message, fds, _, _ = socket.recv_fds(self._control, 16, 1)
                    if not message:
                        return  # The children end with this process.
                    if fds:
                        self._born(socket.socket(fileno=fds[0]))
                elif fd in self._ends:
                    self._end(fd)

    def _born(self, end: socket.socket) -> None:
        zygote = os.getpid()
        pid = os.fork()
        if not pid:
            with contextlib.suppress(BaseException):
                self._become_child(zygote, end)
            os._exit(1)
        watch = os.pidfd_open(pid)
        self._ends[watch] = self._ends[end.fileno()] = (pid, end, watch)
        self._poll.register(end, 0)  # Only that the other side is gone is told, and not what the child is asked.
        self._poll.register(watch, select.POLLIN)

    def _become_child(self, zygote: int, end: socket.socket) -> None:
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
        if os.getppid() != zygote:
            return
        # A copy of another child's socket would hide its death from its owner.
        self._control.close()
        for _, other, watch in set(self._ends.values()):
            other.close()
            os.close(watch)
        Child(end, self._pyodbc).run()

    def _end(self, fd: int) -> None:
        """Of a child: its owner closed the socket, or it died."""
        pid, end, watch = self._ends[fd]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # It is ours and was not waited for, so its number belongs to nobody else.
        os.waitpid(pid, 0)
        for one in (end.fileno(), watch):
            self._poll.unregister(one)
            del self._ends[one]
        end.close()
        os.close(watch)


class Child:
    """Carries out what it is asked, one after the other, in one connection."""

    def __init__(self, end: socket.socket, pyodbc: Any) -> None:
        self._end = end
        self._pyodbc = pyodbc
        self._connection: Any = None
        self._cursor: Any = None
        self._wires: list[int] = []

    def run(self) -> None:
        """Until somebody ends it, or the server ends the session while nothing is asked."""
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd != self._end.fileno():
                    return  # The owner sees that it is gone, and does not send into the void.
            message = self._end.recv(LONGEST + 4096)
            if not message:
                return
            request = json.loads(message)
            try:
                self._answer(request)
            except self._pyodbc.Error as error:
                self._say(self._explained(error, request))
            if "connect" in request:
                for wire in self._wires:
                    poll.register(wire, select.POLLRDHUP)

    def _answer(self, request: dict[str, Any]) -> None:
        if "run" in request:
            self._rows(self._cursor.execute(request["run"], *request["with"]))
        elif "connect" in request:
            before = _sockets()
            self._connection = self._pyodbc.connect(request["connect"], autocommit=True)
            # One cursor, so that a statement that comes again is prepared once.
            self._cursor = self._connection.cursor()
            self._wires = sorted(_sockets() - before)
            self._say({"rows": []})
        else:
            self._say({"rows": [[name] for name in self._pyodbc.drivers()]})

    def _rows(self, cursor: Any) -> None:
        """Send the rows of an answer, in messages that fit."""
        if not cursor.description:
            self._end.send(DONE)
            return
        rows: list[Any] = []
        size = 0
        for row in cursor:
            found = list(row)
            length = len(json.dumps(found, default=str)) + 2
            if size + length > LONGEST - 64 and rows:
                self._say({"rows": rows, "more": True})
                rows, size = [], 0
            rows.append(found)
            size += length
        self._say({"rows": rows})

    def _say(self, answer: dict[str, Any]) -> None:
        self._end.send(json.dumps(answer, default=str).encode())

    def _explained(self, error: Any, request: dict[str, Any]) -> dict[str, Any]:
        """An error of the driver: its words without the names of drivers and functions, its SQLSTATE and the server's number."""
        words = str(error.args[1] if len(error.args) > 1 else error)
        found = _NATIVE.search(words)
        native = int(found[1]) if found else 0
        words = _MAKERS.sub("", words[: found.start()] if found else words)
        at = request.get("at")
        if at and _refused(at[0], at[1]):
            words = f"{at[0]}:{at[1]}: connection refused"
        return {"error": words, "state": str(error.args[0]) if error.args else "", "native": native}


def _sockets() -> set[int]:
    """The sockets of this process."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(entry.readlink()).startswith("socket:"):
                found.add(int(entry.name))
    return found


def _refused(host: str, port: int) -> bool:
    """Whether nobody listens there; False for any doubt. The driver does not tell."""
    try:
        socket.create_connection((host, port), REFUSED_S).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


if __name__ == "__main__":
    main()
