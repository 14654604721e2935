# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is left behind of a drill, written by the room `reports`, which is found by name.

A report that cannot be written changes no result: the journal has everything, and the report can be made again from it.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.errors import DrdrillError
from drdrill.journal.events import DRILL_RESTORED
from drdrill.journal.journal import read

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@dataclass
class Written:
    """The properties for JUnit and the closing lines for the terminal."""

    properties: list[tuple[str, object]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def of(folder: Path | None) -> Written:
    """Write every report of a drill. Never raises."""
    written = Written()
    if folder is None:
        return written
    try:
        importlib.import_module("drdrill.reports").write_all(folder)
        recording = _recording(folder)
        written.properties += importlib.import_module("drdrill.reports.junit").properties(recording)
        written.lines += importlib.import_module("drdrill.reports.terminal").lines(recording)
    except Exception as error:  # noqa: BLE001 - see above
        written.lines.append(f"the report is not complete ({type(error).__name__}: {error}); drdrill report {folder}")
    return written


def _recording(folder: Path) -> Any:
    from drdrill.journal.recording import load  # noqa: PLC0415 - numpy is behind it

    return load(folder)


def differences(folder: Path) -> tuple[str, ...]:
    """What a drill found not to be as it was before, as its journal says it. Never raises."""
    try:
        restored = read(folder).last(DRILL_RESTORED)
    except (DrdrillError, OSError):
        return ()
    found = restored.data.get("differences", ()) if restored else ()
    return tuple(
        f"{d['what']} was {d['before']} and is {d['after']}" + (f" (type: {d['command']})" if d.get("command") else "")
        for d in found
    )


def place(folder: Path, config: pytest.Config) -> str:
    """Where the report of a drill is, or its folder when it has none; relative to where the person stands if it can be."""
    report = folder / "report.html"
    path = report if report.is_file() else folder
    here = config.invocation_params.dir
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
