# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A guardian on this machine for a drill on another one: its line goes over our standard input and output."""

from __future__ import annotations

import os
import selectors
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.drill.guardian.beside import LOCAL, Guardian
from drdrill.errors import BadInput
from drdrill.estate.load import load

if TYPE_CHECKING:
    import socket


def relay(drill: str, estate_name: str) -> int:
    """Start the guardian and carry bytes until either end hangs up; the guardian goes on without us. Raises BadInput."""
    if not drill.replace("-", "").isalnum() or not drill.isascii():
        raise BadInput(f"{drill!r} is not the id of a drill")
    estate = load(estate_name)
    guardian = Guardian(LOCAL, drill, estate, Path(os.devnull)).start()
    with guardian.dialled() as there:
        carry(there)
    return 0


def carry(there: socket.socket) -> None:
    """Bytes both ways, until either end hangs up."""
    ways = {sys.stdin.fileno(): there.fileno(), there.fileno(): sys.stdout.fileno()}
    with selectors.DefaultSelector() as selector:
        for reading in ways:
            selector.register(reading, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                data = os.read(key.fd, 1 << 16)
                if not data:
                    return
                while data:
                    data = data[os.write(ways[key.fd], data) :]
