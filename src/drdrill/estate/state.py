# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Where a drill remembers what lies outside its report: undo log, lock, lab."""

from __future__ import annotations

import os
from pathlib import Path


def root() -> Path:
    """`$DRDRILL_STATE`, else `$XDG_STATE_HOME/drdrill`, else `~/.local/state/drdrill`."""
    if own := os.environ.get("DRDRILL_STATE"):
        return Path(own).absolute()
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "drdrill"


def folder(estate: str, *, make: bool = False) -> Path:
    """The folder of one estate, mode 0700 where it is made."""
    path = root() / estate
    if make:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    return path
