# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Become an ssh to a host of a lab, by the lab's own keys and known hosts."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Final, NoReturn

from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_QUIET: Final = ("-T", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR")


def become(name: str | None, host: str, command: Sequence[str], *, quiet: bool = False) -> NoReturn:
    """Replace this process by ssh, which ends with the status of the command.

    Args:
        name: of the lab; None is the one that is up and has the host.
        host: of the lab.
        command: what its shell gets; none is a login.
        quiet: nothing but the command's own output, and no terminal.

    Raises:
        BadInput: no such lab is up, or it has no such host, or there is no ssh here.
        Refused: the lab's networks cannot be entered.
    """
    found = _up(name)
    having = {lab: hello for lab, hello in found.items() if host in hello["hosts"]}
    if not found:
        raise BadInput(f"the {name} lab is not up: drdrill lab up {name}" if name else "no lab is up: drdrill lab up")
    if not having:
        known = "; ".join(f"the {lab} lab has {', '.join(hello['hosts'])}" for lab, hello in found.items())
        raise BadInput(f"no host is called {host}: {known}")
    if len(having) > 1:
        raise BadInput(f"the labs {' and '.join(having)} are up and have {host}: say --lab")
    program = shutil.which("ssh")
    if program is None:
        raise BadInput("there is no ssh here: apt-get install -y --no-install-recommends openssh-client")
    lab, hello = next(iter(having.items()))
    if lab == "network":
        from drdrill.connect.enter import enter_lab  # noqa: PLC0415

        enter_lab(lab)
    config = os.path.join(hello["folder"], "ssh_config")  # noqa: PTH118 - a word of a command line
    argv = [program, "-F", config, *(_QUIET if quiet else ()), host, *command]
    os.execv(program, argv)  # noqa: S606 - it becomes ssh, so that its status, signals and terminal are ssh's


def _up(name: str | None) -> dict[str, dict[str, Any]]:
    """What the labs that are up say of themselves. Raises LabError for one that does not answer."""
    from drdrill.lab.ask_supervisor import hello  # noqa: PLC0415

    found = {lab: hello(folder) for lab, folder in _folders().items() if name in {None, lab}}
    return {lab: said for lab, said in found.items() if said is not None}


def _folders() -> dict[str, Path]:
    from drdrill.estate import state  # noqa: PLC0415

    return {lab: (state.folder(lab) / "lab").resolve() for lab in ("pocket", "network")}
