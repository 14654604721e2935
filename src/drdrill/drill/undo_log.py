# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The undos on disk, written before the harm.

One file for each hold, `undo/000017-HOLD.json`: a sequence number, the undo record, and the SHA-256 of both. It is written
beside its place, synced, renamed and its folder synced, so that a file is there whole or not at all. It goes away only when
the hold is proven healed. What cannot be read is never run and never dropped: it is shown to a person.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput
from drdrill.faults.fault import Undo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME: Final = re.compile(r"(\d{6,})-(.+)\.json")


@dataclass(frozen=True)
class Entry:
    """One undo on disk."""

    sequence: int
    undo: Undo
    path: Path


@dataclass(frozen=True)
class Reading:
    """What is open, in the order in which it was struck, and what could not be read (one sentence each)."""

    entries: tuple[Entry, ...]
    findings: tuple[str, ...] = ()


class UndoLog:
    """The undo log of one estate.

    Args:
        state: the estate's state folder.
    """

    def __init__(self, state: Path) -> None:
        self.folder = state / "undo"

    def write(self, undo: Undo) -> Entry:
        """Put one undo on disk; it is there when this returns.

        Raises:
            OSError: it is not on disk, so the harm must not be done.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sequence = max((int(m[1]) for p in self.folder.iterdir() if (m := _NAME.fullmatch(p.name))), default=0) + 1
        path = self.folder / f"{sequence:06}-{undo.hold}.json"
        draft = path.with_suffix(".draft")
        body = {"sequence": sequence, "undo": to_json(undo)}
        text = json.dumps({**body, "sha256": _sum(body)}, ensure_ascii=False, indent=1)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        self._sync()
        return Entry(sequence, undo, path)

    def done(self, hold: str) -> None:
        """This hold is proven healed; fine when another process has said so before."""
        for path in self._files():
            match = _NAME.fullmatch(path.name)
            if match and match[2] == hold:
                path.unlink(missing_ok=True)
        self._sync()

    def read(self) -> Reading:
        """What is open. A draft was never finished, so the harm behind it was never done: it is not an undo."""
        entries: list[Entry] = []
        findings: list[str] = []
        for path in self._files():
            try:
                entries.append(_parse(path))
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError, BadInput) as error:
                findings.append(
                    f"{path}: this undo record is not what was written ({error}); it is left alone. Look with "
                    "`drdrill lab status` or at the hosts whether its hold is still in force, then remove the file"
                )
        return Reading(tuple(sorted(entries, key=lambda e: e.sequence)), tuple(findings))

    def _files(self) -> list[Path]:
        return sorted(p for p in self.folder.iterdir() if p.suffix == ".json") if self.folder.is_dir() else []

    def _sync(self) -> None:
        if not self.folder.is_dir():
            return
        fd = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def to_json(undo: Undo) -> dict[str, Any]:
    """An undo record as JSON values."""
    return {**asdict(undo), "hosts": list(undo.hosts), "sites": list(undo.sites)}


def from_json(data: Mapping[str, Any]) -> Undo:
    """The record again. A newer version's unknown keys are ignored; a missing key raises BadInput."""
    known = {name: data[name] for name in Undo.__dataclass_fields__ if name in data}
    try:
        return Undo(**{**known, "hosts": tuple(data["hosts"]), "sites": tuple(data["sites"])})
    except (KeyError, TypeError) as error:
        raise BadInput(f"this is not an undo record: {error}") from error


def _parse(path: Path) -> Entry:
    data = json.loads(path.read_text(encoding="utf-8"))
    body = {"sequence": data["sequence"], "undo": data["undo"]}
    if data["sha256"] != _sum(body):
        raise ValueError("its checksum does not fit")
    match = _NAME.fullmatch(path.name)
    if match is None or int(match[1]) != data["sequence"] or match[2] != data["undo"]["hold"]:
        raise ValueError("its name does not fit what it holds")
    return Entry(data["sequence"], from_json(data["undo"]), path)


def _sum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
