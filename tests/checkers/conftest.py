# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.journal.fake import Scene

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """An empty drill of 60 s at east and south; RTO 15 s, latency bound 1 s, stable 3 s, fencing 5 s, RPO 0."""
    return Scene(tmp_path / "drill")
