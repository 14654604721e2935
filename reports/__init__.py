# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is left behind: each report writes from the journal alone, and touches no estate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

REPORT_NAME = "report.html"


def write_all(folder: Path) -> list[Path]:
    """Write every report of the drill in `folder`, beside its journal, and say where they are.

    May be called again at any time: reports are derived from the journal and the data, and hold nothing of their own.

    Raises:
        BadInput: there is no journal in that folder.
    """
    from drdrill.reports import html  # noqa: PLC0415

    from drdrill.journal.recording import load  # noqa: PLC0415 - numpy and Jinja2 only when a report is really written

    return [html.write(load(folder), folder / REPORT_NAME)]
