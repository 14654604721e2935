# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is left behind: each report writes from the journal alone, and touches no estate.

A report is one module with a NAME, the file that it writes beside the journal, and `write(recording, out) -> Path`. Ours are
listed here; a team's own are found by the entry-point group `drdrill.reports`, and the contract tests hold for all of them.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.journal.recording import Recording

GROUP = "drdrill.reports"
OURS = ("drdrill.reports.html",)


class Report(Protocol):
    """One kind of report."""

    NAME: str

    def write(self, recording: Recording, out: Path) -> Path:
        """Write the report of a recording to `out`, whole or not at all, and return where it is."""


def known() -> list[Report]:
    """Every report, ours first. Modules are loaded here and not before: numpy and Jinja2 cost time."""
    ours = [importlib.import_module(name) for name in OURS]
    return [cast("Report", module) for module in (*ours, *(found.load() for found in entry_points(group=GROUP)))]


def write_all(folder: Path) -> list[Path]:
    """Write every report of the drill in `folder`, beside its journal, and say where they are.

    May be called again at any time: reports are derived from the journal and the data, and hold nothing of their own.

    Raises:
        BadInput: there is no journal in that folder.
    """
    from drdrill.journal.recording import load  # noqa: PLC0415 - numpy is behind it

    recording = load(folder)
    return [report.write(recording, folder / report.NAME) for report in known()]
