# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(pocket_state: Path) -> Path:
    """The folder of the run's lab."""
    return (pocket_state / "pocket" / "lab").resolve()
