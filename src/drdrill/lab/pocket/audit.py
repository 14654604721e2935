# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Looks for connections between two hosts that go around the supervisor, and says what it could not see.

A connection on the loopback interface has two ends in the kernel's table, one with the ports swapped. When both ends belong
to processes of hosts, and of two different ones, no link carried it: a cut of that link would not have cut it.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from drdrill.lab.pocket import kernel, owner

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
        ours = set(owner.sockets(os.getpid()))
        # Connections first: one that is made later cannot be half seen.
        ends, listening = kernel.sockets(kernel.ESTABLISHED), owner.listening()
        for process in owner.processes(self._folder):
            if not process.host:
                continue  # The supervisor itself: both of its ends are the link.
            try:
                owned = owner.sockets(process.pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            except OSError as error:
                unseen.append({"pid": process.pid, "host": process.host, "why": error.strerror})
                continue
            # A child that is being started has its host's cwd already and still our sockets, for a millisecond: it is us.
            if ours.isdisjoint(owned):
                owners |= dict.fromkeys(owned, process.host)
        joined = {(end.local, end.remote): owners[end.inode] for end in ends if end.inode in owners}
        with self._lock:
            self._looks += 1
            self._last_ns = now
            self._seen = len(joined)
            self._unseen = unseen
            for (local, remote), host in joined.items():
                other = joined.get((remote, local))
                called = remote in listening or (local not in listening and remote < local)
                if other is not None and other != host and called:
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
