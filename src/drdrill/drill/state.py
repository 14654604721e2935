# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Where a drill keeps what it must remember outside its report: undo log and lock."""

from __future__ import annotations

import os
from pathlib import Path

from drdrill.errors import BadInput


def folder(estate: str) -> Path:
    """`${DRDRILL_STATE:-$XDG_STATE_HOME/drdrill}/ESTATE/`, made with mode 0700 if it is not there.

    Raises:
        BadInput: it cannot be made or written, or somebody else can read it.
    """
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    base = Path(os.environ.get("DRDRILL_STATE") or Path(home) / "drdrill")
    if not estate or "/" in estate or estate in {".", ".."}:
        raise BadInput(f'an estate cannot be called "{estate}": its name is the name of a folder')
    path = base / estate
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise BadInput(
            f"{path}: no undo log can be kept there ({error.strerror}), so nothing may be struck; "
            "set DRDRILL_STATE to a folder of yours"
        ) from error
    return path
