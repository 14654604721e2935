# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A team's folder, where a person makes mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import Folder
from teams import team

if TYPE_CHECKING:
    from teams import Team

__all__ = ["team"]


@pytest.fixture
def folder(team: Team) -> Folder:
    return Folder(team.path)
