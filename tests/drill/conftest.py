# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench import Bench
from scripted import Script

from drdrill.drill.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def services() -> Iterator[tuple[Script, Script]]:
    """The scripted services of east and south."""
    east, south = Script(), Script()
    yield east, south
    east.close()
    south.close()


@pytest.fixture
def bench(tmp_path: Path, services: tuple[Script, Script]) -> Iterator[Bench]:
    """A drill over two scripted services; latency bound 0.5 s, stable 1 s, RTO 5 s."""
    bench = Bench(tmp_path, *services)
    yield bench
    bench.journal.close()


@pytest.fixture
def workload(bench: Bench) -> Iterator[Workload]:
    """Its workload, stopped at the end."""
    workload = Workload(bench)
    yield workload
    workload.stop()
