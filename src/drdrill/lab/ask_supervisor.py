# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One request to the supervisor and its answer, for `up`, `down` and `status`."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from drdrill.errors import LabError
from drdrill.lab import protocol

if TYPE_CHECKING:
    from pathlib import Path


class Silent(LabError):
    """A supervisor that is there and says nothing."""


def hello(folder: Path) -> dict[str, Any] | None:
    """What the lab of this folder is, or None when it is not up.

    Raises:
        Silent: it does not answer.
        LabError: it is one of another version.
    """
    answer = ask(folder, {"do": "hello"})
    if answer is not None and answer.get("protocol") != protocol.PROTOCOL:
        raise LabError(
            f"the lab that is up was raised by drdrill {answer.get('version', 'of another version')}, whose protocol is "
            f"{answer.get('protocol')} and not {protocol.PROTOCOL}: {_anew(folder)}"
        )
    return answer


def ask(folder: Path, message: dict[str, Any], deadline_s: float = 5.0) -> dict[str, Any] | None:
    """The answer, or None when there is no supervisor behind the socket of this folder.

    Raises:
        Silent: there is one, and it does not answer.
    """
    try:
        directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(deadline_s)
            # Through the opened folder: the path of a socket may hold 107 bytes, and the folder's may be longer.
            sock.connect(f"/proc/self/fd/{directory}/{protocol.SOCKET}")
            sock.sendall(protocol.encode(message))
            with sock.makefile("rb") as lines:
                line = lines.readline()
            return protocol.decode(line) if line else None
    except TimeoutError as error:
        raise Silent(f"the lab's supervisor does not answer within {deadline_s:g} s: {_anew(folder)}") from error
    except OSError:
        return None
    finally:
        os.close(directory)


def _anew(folder: Path) -> str:
    """What to type. A lab's folder lies in the state folder of its estate, which has the name of the lab."""
    return f"drdrill lab down {folder.parent.name}, then drdrill lab up {folder.parent.name}"
