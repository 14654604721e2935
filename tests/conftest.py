# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every test gets: a state folder of its own, and for those that are marked so one pocket lab for the whole run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.estate.model import Estate


@pytest.fixture(autouse=True)
def own_state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the undo log or the lock of a person. Tests marked `lab` keep DRDRILL_STATE: their lab lives there."""
    if request.node.get_closest_marker("lab") is None:
        monkeypatch.setenv("DRDRILL_STATE", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def pocket_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pocket lab that is up, in a state folder of its own. Whoever uses it leaves it whole."""
    from drdrill.lab import pocket  # noqa: PLC0415 - only tests that need the lab pay for it

    before = os.environ.get("DRDRILL_STATE")
    folder = tmp_path_factory.mktemp("lab")
    os.environ["DRDRILL_STATE"] = str(folder)
    try:
        pocket.up(say=print)
        yield folder
    finally:
        pocket.down()
        if before is None:
            del os.environ["DRDRILL_STATE"]
        else:
            os.environ["DRDRILL_STATE"] = before


@pytest.fixture
def pocket_estate(pocket_state: Path) -> Estate:
    """The estate of that lab."""
    from drdrill.estate.load import load  # noqa: PLC0415

    assert pocket_state.is_dir()
    return load("pocket")
