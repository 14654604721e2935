# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Looks for connections between two hosts that go around the supervisor, and says what it could not see.

A connection on the loopback interface has two ends in the kernel's table, one with the ports swapped. When both ends belong
to processes of hosts, and of two different ones, no link carried it: a cut of that link would not have cut it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from drdrill.lab.pocket import owner

if TYPE_CHECKING:
    from pathlib import Path


class Audit:
    """What all looks together have found.

    Args:
        folder: the lab's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looks = 0
        self._last_ns = 0
        self._seen = 0
        self._unexplained: dict[tuple[str, str, int], dict[str, Any]] = {}
        self._unseen: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def look(self) -> None:
        """One look. Runs in a thread: it reads a few hundred small files."""
        now = time.monotonic_ns()
        owners: dict[int, str] = {}
        unseen = []
        # Connections first: one that is made later cannot be half seen.
        ends = owner.established()
        for process in owner.processes(self._folder):
            if not process.host:
                continue  # The supervisor itself: both of its ends are the link.
            try:
                owners |= dict.fromkeys(owner.sockets(process.pid), process.host)
            except FileNotFoundError:
                continue
            except OSError as error:
                unseen.append({"pid": process.pid, "host": process.host, "why": error.strerror})
        joined = {(end.local, end.remote): owners[end.inode] for end in ends if end.inode in owners}
        with self._lock:
            self._looks += 1
            self._last_ns = now
            self._seen = len(joined)
            self._unseen = unseen
            for (local, remote), host in joined.items():
                other = joined.get((remote, local))
                # The called end has the lower port here: private ports lie below those of outgoing connections.
                if other is not None and other != host and local > remote:
                    found = self._unexplained.setdefault(
                        (host, other, remote), {"from": host, "to": other, "port": remote, "first_ns": now, "looks": 0}
                    )
                    found["last_ns"] = now
                    found["looks"] += 1

    def show(self) -> dict[str, Any]:
        """The answer to `audit`."""
        with self._lock:
            return {
                "looks": self._looks,
                "last_ns": self._last_ns,
                "seen": self._seen,
                "unexplained": [dict(found) for found in self._unexplained.values()],
                "unseen": list(self._unseen),
            }
