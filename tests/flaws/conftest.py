# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the flaws met is kept, and written down when that is asked for."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version

import pytest
from flaws.catalogue import FLAWS
from flaws.track_record import CAUGHT, DOCUMENT, render


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash.setdefault(CAUGHT, {})


@pytest.fixture(autouse=True, scope="session")
def _kept(request: pytest.FixtureRequest) -> None:
    """Also where this file is read after the session began."""
    request.config.stash.setdefault(CAUGHT, {})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """`--track-record`: write the document, from a run in which every flaw was caught, and from no other."""
    if not session.config.getoption("--track-record"):
        return
    found = session.config.stash.get(CAUGHT, {})
    missing = [flaw.name for flaw in FLAWS if flaw.name not in found]
    if missing:
        print(f"\ndocs/track-record.md stays as it is: not caught in this run: {', '.join(missing)}")  # noqa: T201 - for whoever asked
        return
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "version": version("drdrill"),
        "machine": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    DOCUMENT.write_text(render(FLAWS, found, about))
