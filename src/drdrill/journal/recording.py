# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A drill as it lies on disk, loaded once: what checkers judge and reports draw. Nothing here touches an estate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from drdrill.journal.journal import Reading


@dataclass(frozen=True)
class Stream:
    """One file of records of fixed width.

    Args:
        name: of the file, without its ending: `probe-client-east`.
        head: what the writer said of itself; `kind` is samples, intents, operations or claims.
        records: a numpy array with the dtype of that kind (see `records`), in the order in which they were written.
        torn: what was cut from the end, or None.
    """

    name: str
    head: Mapping[str, Any]
    records: npt.NDArray[np.void]
    torn: str | None = None


@dataclass(frozen=True)
class Strike:
    """One fault, from its first command to its heal. Times are CLOCK_MONOTONIC ns; None: not yet, or never."""

    hold: str
    fault: str
    title: str
    hosts: tuple[str, ...]
    sites: tuple[str, ...]
    first_ns: int
    last_ns: int
    healing_ns: int | None = None
    healed_ns: int | None = None
    lapsed_ns: int | None = None
    took_hold: bool | None = None
    held: bool | None = None
    """The worst answer of all looks while it was in force: False if any was, else None if any was or there was none."""


@dataclass(frozen=True)
class Operation:
    """One planned move, such as a switchover."""

    id: str
    operation: str
    title: str
    first_ns: int
    last_ns: int | None
    error: str | None = None


@dataclass(frozen=True)
class Pause:
    """An interval in which writers were paused on purpose; it is part of no outage."""

    streams: tuple[str, ...]
    from_ns: int
    to_ns: int | None


@dataclass(frozen=True)
class Timeline:
    """What was done to the estate, derived from the journal."""

    strikes: tuple[Strike, ...] = ()
    operations: tuple[Operation, ...] = ()
    pauses: tuple[Pause, ...] = ()
    quiet_from_ns: int | None = None


@dataclass(frozen=True)
class Recording:
    """Journal and streams of one drill.

    Args:
        folder: where they lie.
        journal: events, and what was torn or broken.
        timeline: derived from the journal.
        streams: by name.
        keys: for each readback that wrote its keys down: (phase, member) -> the keys found there.
    """

    folder: Path
    journal: Reading
    timeline: Timeline
    streams: Mapping[str, Stream]
    keys: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @property
    def about(self) -> Mapping[str, Any]:
        """The data of `drill.begun`; empty when even that was never written."""
        first = next(self.journal.of("drill.begun"), None)
        return first.data if first else {}
