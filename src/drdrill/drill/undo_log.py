# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The undos on disk, written before the harm.

One file for each hold, `undo/000017-HOLD.json`: a sequence number, the undo record, and the SHA-256 of both. It is written
beside its place, synced, renamed and its folder synced, so that a file is there whole or not at all. It goes away only when
the hold is proven healed. What cannot be read is never run and never dropped: it is shown to a person. So is what somebody
else could have written: owner and mode are looked at first.

Each drill's log takes records of that drill only, and no hold twice; the sequence is counted under a lock of the folder, so that
several processes may write beside each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drdrill.drill import owned
from drdrill.drill.undo_record import from_json, to_json
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from drdrill.faults.fault import Undo

__all__ = ["Entry", "Reading", "UndoLog", "from_json", "to_json"]

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
        drill: whose records may be written here; None: of any, as who only reads and heals.
    """

    def __init__(self, state: Path, drill: str | None = None) -> None:
        self.folder = state / "undo"
        self.drill = drill

    def write(self, undo: Undo) -> Entry:
        """Put one undo on disk; it is there when this returns.

        Raises:
            OSError: it is not on disk, so the harm must not be done.
            BadInput: it is not well formed, or not one of this drill; the same holds.
        """
        from_json(to_json(undo))
        if self.drill not in {None, undo.drill}:
            raise BadInput(f"this is the undo log of drill {self.drill}, and the record is of drill {undo.drill}")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check()
        with self._locked():
            known = [m for p in self.folder.iterdir() if (m := _NAME.fullmatch(p.name))]
            if any(m[2] == undo.hold for m in known):
                raise BadInput(f"{self.folder}: the hold {undo.hold} has a record already; no hold is used twice")
            sequence = max((int(m[1]) for m in known), default=0) + 1
            path = self.folder / f"{sequence:06}-{undo.hold}.json"
            self._put(path, {"sequence": sequence, "undo": to_json(undo)})
        return Entry(sequence, undo, path)

    def _put(self, path: Path, body: dict[str, Any]) -> None:
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)  # Of a process that died here; the harm behind it was never done.
        text = json.dumps({**body, "sha256": _sum(body)}, ensure_ascii=False, indent=1)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        self._sync()

    def done(self, hold: str) -> None:
        """This hold is proven healed; fine when another process has said so before."""
        for path in self._files():
            match = _NAME.fullmatch(path.name)
            if match and match[2] == hold:
                path.unlink(missing_ok=True)
        self._sync()

    @contextlib.contextmanager
    def claimed(self, entry: Entry, within_s: float) -> Iterator[bool]:
        """While this is open no other process that claims it heals this record. False: one has healed it meanwhile.

        After `within_s` it goes on without: to heal twice is harmless, and a process that hangs must not keep a fault.
        """
        try:
            fd = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield False
            return
        try:
            end = time.monotonic() + within_s
            while not _flocked(fd) and time.monotonic() < end:
                time.sleep(0.05)
            yield os.fstat(fd).st_nlink > 0
        finally:
            os.close(fd)

    def read(self) -> Reading:
        """What is open. A draft was never finished, so the harm behind it was never done: it is not an undo."""
        entries: list[Entry] = []
        findings: list[str] = []
        try:
            self._check()
        except BadInput as error:
            return Reading((), (str(error),))
        for path in self._files():
            try:
                entries.append(_parse(path))
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError, BadInput) as error:
                findings.append(
                    f"{path}: this undo record is not what was written ({error}); it is left alone. Look with "
                    "`drdrill faults` whether its hold is still in force, then remove the file"
                )
        return Reading(tuple(sorted(entries, key=lambda e: e.sequence)), tuple(findings))

    def _check(self) -> None:
        """Raises BadInput: others can write there."""
        owned.check_folder(self.folder.parent)
        owned.check_folder(self.folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

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


def _parse(path: Path) -> Entry:
    data = json.loads(owned.read(path))
    body = {"sequence": data["sequence"], "undo": data["undo"]}
    if data["sha256"] != _sum(body):
        raise ValueError("its checksum does not fit")
    match = _NAME.fullmatch(path.name)
    if match is None or int(match[1]) != data["sequence"] or match[2] != data["undo"]["hold"]:
        raise ValueError("its name does not fit what it holds")
    return Entry(data["sequence"], from_json(data["undo"]), path)


def _flocked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
