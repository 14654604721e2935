# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A stream on disk, as a worker writes it: whole records, appended at once, never buffered in the process."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Unwritable(OSError):
    """The disk takes no more of a stream. Its message is one line for a person."""


class Sink:
    """One `data/NAME.bin` with its head `data/NAME.json`. A killed worker loses nothing that it wrote.

    Args:
        folder: the data folder of the drill.
        name: of the stream.
        head: what the worker says of it; `kind` names the layout of the records.

    Raises:
        FileExistsError: the stream is there already.
    """

    def __init__(self, folder: Path, name: str, **head: Any) -> None:
        self.name = name
        self._fd = os.open(folder / f"{name}.bin", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        half = folder / f".{name}.json"
        half.write_text(json.dumps({"stream": name, **head}, ensure_ascii=False) + "\n")
        half.rename(folder / f"{name}.json")

    def write(self, records: bytes) -> None:
        """Append whole records. Raises Unwritable when the disk is full: the worker ends, which is seen."""
        try:
            taken = os.write(self._fd, records)
        except OSError as error:
            raise Unwritable(f"the stream {self.name} cannot be written ({error.strerror})") from error
        if taken != len(records):
            raise Unwritable(f"the stream {self.name} took only a part of a record; is the disk full?")

    def sync(self) -> None:
        """Return once everything written is on the disk. Raises Unwritable."""
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise Unwritable(f"the stream {self.name} does not reach the disk ({error.strerror})") from error
