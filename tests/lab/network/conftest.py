# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.connect.registry import Ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate


@pytest.fixture
def ways(network_estate: Estate) -> Iterator[Ways]:
    """The ways in to the hosts of the network lab that is up."""
    with Ways(network_estate) as found:
        yield found
