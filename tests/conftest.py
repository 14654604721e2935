# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every test gets: a state folder of its own, so that no test touches the undo log or lock of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests marked `lab` keep DRDRILL_STATE as it is: their lab lives there."""
    if request.node.get_closest_marker("lab") is None:
        monkeypatch.setenv("DRDRILL_STATE", str(tmp_path / "state"))
