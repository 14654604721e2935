# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whether everything that a drill leaves behind can be written: tried out before anything is touched.

A journal that cannot be written ends a drill in the middle, and a JUnit file that cannot be written would end pytest with a
traceback after the last heal. A person hears of both while nothing has happened yet.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.estate import state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEAST_FREE_MB: Final = 32
"""A drill of ten minutes with its report is two to three megabytes. What is this full is full of something that grows."""


def problems(out: Path, estate: str, junit: str | None, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """One sentence for each place that cannot be written, with what to do; nothing is left in any of them.

    Args:
        out: where drills leave their folders.
        estate: its name, for the folder of its undo log and its lock.
        junit: the path of the JUnit file, if one was asked for.
        environment: for TMPDIR.
    """
    if why := refused(out):
        yield f"{out}: drills cannot be recorded there ({why}); name another folder with --drill-out"
    home = state.folder(estate)
    if why := refused(home):
        yield f"{home}: undo log and lock cannot be kept there ({why}); set DRDRILL_STATE to a folder of yours"
    if junit is not None and (why := _refuses_file(Path(junit))):
        yield f"{junit}: the JUnit file cannot be written there ({why}); name another path with --junitxml"
    if (temporary := environment.get("TMPDIR")) and (why := refused(Path(temporary), make=False)):
        yield f"TMPDIR is {temporary}, and nothing can be written there ({why}); make that folder, or unset TMPDIR"


def refused(folder: Path, *, make: bool = True) -> str | None:
    """Why no file can be written into a folder, or None. It is made for the trial, if `make`, and goes away again."""
    made: list[Path] = []
    try:
        if make:
            for part in (*reversed(folder.parents), folder):
                if not part.exists():
                    part.mkdir()
                    made.append(part)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"drdrill")
        free = shutil.disk_usage(folder).free >> 20
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    finally:
        for part in reversed(made):
            with contextlib.suppress(OSError):
                part.rmdir()
    return f"only {free} MB are free, and a drill wants {LEAST_FREE_MB}" if free < LEAST_FREE_MB else None


def _refuses_file(path: Path) -> str | None:
    if path.is_dir():
        return "it is a folder"
    if path.exists() and not os.access(path, os.W_OK):
        return "it is there and may not be written"
    return refused(path.absolute().parent)
