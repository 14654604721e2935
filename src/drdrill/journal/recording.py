# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A drill as it lies on disk, loaded once: what checkers judge and reports draw. Nothing here touches an estate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.journal import records
from drdrill.journal.journal import read
from drdrill.journal.timeline import Operation, Pause, Strike, Timeline, timeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from drdrill.journal.journal import Reading

__all__ = [
    "Operation",
    "Pause",
    "Recording",
    "Stream",
    "Strike",
    "Timeline",
    "ever_due",
    "load",
    "load_stream",
    "load_streams",
]

DATA = "data"
"""The folder of the streams, beside the journal."""


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


def load_stream(folder: Path, name: str) -> Stream | None:
    """One stream of a drill's data folder, up to its last whole record; None when no head says what it is.

    A worker that was killed between its head and its first record leaves a stream without records.
    """
    try:
        head = json.loads((folder / f"{name}.json").read_bytes())
        dtype = np.dtype(records.KINDS[head["kind"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    path = folder / f"{name}.bin"
    raw = path.read_bytes() if path.exists() else b""
    rest = len(raw) % dtype.itemsize
    torn = f"{rest} bytes of an unfinished record were cut from the end of {path.name}" if rest else None
    return Stream(name, head, np.frombuffer(raw[: len(raw) - rest], dtype), torn)


def load_streams(folder: Path) -> dict[str, Stream]:
    """Every stream of a drill's data folder, by name. Writes that were planned and never due are in none of them."""
    names = sorted(p.stem for p in folder.glob("*.json"))
    found = {s.name: s for name in names if (s := load_stream(folder, name)) is not None}
    for name, stream in list(found.items()):
        intents = found.get(records.intents_of(name))
        if stream.head["kind"] == "operations" and intents is not None:
            found[intents.name], found[name] = ever_due(intents, stream)
    return found


def ever_due(intents: Stream, operations: Stream) -> tuple[Stream, Stream]:
    """Both without the writes that were planned and never due, since their writer was paused or stopped before."""
    never = operations.records["note"] == records.NOT_DUE
    if not never.any():
        return intents, operations
    due = ~np.isin(intents.records["seq"], operations.records["seq"][never])
    return replace(intents, records=intents.records[due]), replace(operations, records=operations.records[~never])


def load(folder: Path) -> Recording:
    """Load a drill from its folder, also one that still runs or whose runner was killed.

    Raises:
        BadInput: there is no journal.
    """
    # The streams are read before the journal: whatever the journal says was measured is then not newer than the streams
    # by more than the moment between the two reads.
    streams = load_streams(folder / DATA)
    journal = read(folder)
    return Recording(folder, journal, timeline(journal), streams, _keys(folder, journal))


def _keys(folder: Path, journal: Reading) -> dict[tuple[str, str], frozenset[str]]:
    """The keys that readbacks wrote down; a file that is gone leaves its readback without keys."""
    found = {}
    for event in journal.of("readback"):
        name = event.data.get("keys_file")
        if not name:
            continue
        try:
            text = (folder / name).read_text()
        except OSError:
            continue
        found[(str(event.data["phase"]), str(event.data["member"]))] = frozenset(text.split("\n")[:-1])
    return found
