# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A pyodbc that needs no driver manager, put before the real one by PYTHONPATH: what it is asked for is what it does."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

pooling = True


class Error(Exception):
    pass


def drivers():
    return ["SQLite3", "MariaDB", "MariaDB Unicode"]


def connect(text, *, autocommit):
    assert autocommit
    assert not pooling
    parts = dict(part.split("=", 1) for part in text.split(";") if part)
    if parts["UID"] == "nobody":
        raise Error(
            "28000",
            "[28000] [ma-3.1.15]Access denied for user 'nobody' with " + parts["PWD"] + " (1045) (SQLDriverConnect)",
        )
    try:
        return Connection(socket.create_connection((parts["SERVER"], int(parts["PORT"]))))
    except OSError:
        raise Error("HY000", "[HY000] [ma-3.1.15]Can't connect (115) (2002) (SQLDriverConnect)") from None


class Connection:
    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire

    def cursor(self):
        return Cursor(self.wire.getpeername()[1])


class Cursor:
    def __init__(self, port: int) -> None:
        self.port = port
        self.description = None
        self.rows = []

    def execute(self, sql, *values):
        what, _, more = sql.partition(" ")
        self.rows = []
        # What a member answers lies in a file with the name of its port: rows, or the word "hang".
        told = json.loads((Path(os.environ["TOLD"]) / str(self.port)).read_text()) if what == "select" else None
        if what == "hang" or told == "hang":
            while True:
                signal.pause()  # No signal but SIGKILL ends a driver that waits for a dead peer.
        elif told is not None:
            self.rows = told
        elif what == "pid":
            self.rows = [(os.getpid(),)]
        elif what == "echo":
            self.rows = [values]
        elif what == "many":
            self.rows = [(n, "x" * 50) for n in range(int(more))]
        elif what == "duplicate":
            raise Error(
                "23000", "[23000] [ma-3.1.15][10.11.19-MariaDB]Duplicate entry 'k' (again) (1062) (SQLExecDirectW)"
            )
        elif what == "lost":
            raise Error("08S01", "[08S01] [ma-3.1.15][10.11.19-MariaDB]Lost connection (2013) (SQLExecDirectW)")
        self.description = [("a",)] if self.rows else None
        return self

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return iter(self.rows)
