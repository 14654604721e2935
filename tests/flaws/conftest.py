# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the flaws met is kept, and written down when that is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from flaws.catalogue import FLAWS
from flaws.track_record import CAUGHT, DOCUMENT, renewed

if TYPE_CHECKING:
    from flaws.track_record import Caught


@pytest.fixture
def caught_now(request: pytest.FixtureRequest) -> dict[str, Caught]:
    """What was caught in this run, by the name of the flaw."""
    return request.config.stash.setdefault(CAUGHT, {})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """`--track-record`: renew the lines of the flaws that were caught in this run."""
    found = session.config.stash.get(CAUGHT, {})
    if session.config.getoption("--track-record") and found:
        text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
        DOCUMENT.write_text(renewed(text, FLAWS, found, f"{datetime.now(UTC):%Y-%m-%d}, {version('drdrill')}"))
