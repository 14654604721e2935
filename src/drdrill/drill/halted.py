# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Being told to stop by `drdrill halt`, on this machine: one small file in the estate's state folder.

It names a drill and its run, so that it stops no later one. A file that somebody else may have written is believed all the same:
all that it can do is to have a drill heal.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Halts:
    """The last halt of one estate.

    Args:
        state: the estate's state folder.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "halt.json"

    def keep(self, run: str, drill: str, by: str) -> None:
        """Put it there; fine when it is, or cannot be: whoever told it over the lock sees what comes of it."""
        if self.of_drill(drill) is not None:
            return
        draft = self._path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            draft.write_text(json.dumps({"run": run, "drill": drill, "by": by}))
            draft.rename(self._path)

    def of_drill(self, drill: str) -> str | None:
        """Who told this drill to stop, or None."""
        return self._by("drill", drill)

    def of_run(self, run: str) -> str | None:
        """Who told any drill of this run to stop, or None."""
        return self._by("run", run)

    def _by(self, what: str, name: str) -> str | None:
        try:
            found = json.loads(self._path.read_bytes())
            return str(found["by"]) if found[what] == name else None
        except (OSError, ValueError, LookupError, TypeError):
            return None
