# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One pocket lab for all tests of the lab and of the way in to it, in a state folder of this test session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.lab import pocket

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder. Its path is longer than a Unix socket's may be, on purpose."""
    folder = tmp_path_factory.getbasetemp() / ("a-state-folder-with-a-name-that-does-not-fit-into-a-socket-address" * 2)
    folder.mkdir(exist_ok=True)
    return folder


def raised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the session's lab, which is up. Whoever asks first raises it."""
    folder = state(tmp_path_factory) / "pocket" / "lab"
    pocket.up(folder=folder)
    return folder
