# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Step into the networks of a lab, where its management addresses are: `enter: NAME` of an estate file.

No address of a lab is routed out of the machine, so a runner that stands outside reaches none of them. It steps in once; the
processes that it starts afterwards begin inside.
"""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.errors import BadInput, Refused
from drdrill.estate import state

if TYPE_CHECKING:
    from drdrill.estate.model import Estate

_NEWNET: Final = 0x40000000
"""CLONE_NEWNET of <sched.h>."""
_HERE: Final = "/proc/thread-self/ns/net"


def enter(estate: Estate) -> None:
    """Move the calling thread into the network namespace that the estate names; fine when it is there, or names none.

    Only this thread moves, and what it starts from now on: call it from the main thread, before anything else of the drill.

    Raises:
        Refused: the lab is not up, or this process may not step in.
        BadInput: what the lab wrote cannot be read.
    """
    if estate.enter is not None:
        enter_lab(estate.enter)


def enter_lab(lab: str) -> None:
    """Move the calling thread into the networks of this lab. Raises like `enter`."""
    path = _namespace(lab)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError as error:
        raise Refused(
            f"the networks of the {lab} lab can be entered by root only, and this is user {os.geteuid()}: "
            "run drdrill as root"
        ) from error
    except OSError as error:
        raise Refused(_not_up(lab)) from error
    try:
        if not inside(path) and (number := step(descriptor)):
            raise Refused(
                f"the networks of the {lab} lab cannot be entered ({os.strerror(number)}); "
                "it takes root with the right CAP_SYS_ADMIN"
            )
    finally:
        os.close(descriptor)


def inside(path: str) -> bool:
    """Whether the calling thread is in the network namespace of this path."""
    return Path(path).samefile(_HERE)


def _namespace(lab: str) -> str:
    path = state.folder(lab) / "lab" / "lab.json"
    try:
        return str(json.loads(path.read_text())["netns"])
    except FileNotFoundError as error:
        raise Refused(_not_up(lab)) from error
    except PermissionError as error:
        raise Refused(f"{path}: belongs to another user; run drdrill as that one") from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadInput(f"{path}: is not what `drdrill lab up {lab}` wrote; raise the lab again") from error


def _not_up(lab: str) -> str:
    return f"the {lab} lab is not up, so its networks cannot be entered: drdrill lab up {lab}"


def step(namespace: int) -> int:
    """Move the calling thread into an opened network namespace. The number of the error, or 0."""
    # Python has os.setns only from 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.setns(namespace, _NEWNET) == 0 else ctypes.get_errno()
