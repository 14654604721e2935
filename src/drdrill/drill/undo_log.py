# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The undos on disk, written before the harm.

One file for each hold, `undo/000017-HOLD.json`: a sequence number, the undo record with its version, and the SHA-256 of both. It
is written beside its place, synced, renamed and its folder synced, so that a file is there whole or not at all. It goes away only
when the hold is proven healed. What cannot be read is never run and never dropped: it is shown to a person.

A record is believed only where nobody but its owner could have written it, and only as far as its version is known. A version says
from which one on it can be read (`since`), so that what only adds something is still healed by an older drdrill.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import stat
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput
from drdrill.faults.fault import Undo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VERSION: Final = 1
"""Of the records that this drdrill writes, and the newest that it knows."""
HOLD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,180}")
"""What may be the name of a hold or of a drill: it becomes a file, a table of nftables, a unit of systemd."""

_NAME: Final = re.compile(rf"(\d{{6,}})-({HOLD.pattern})\.json")
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_MOST: Final = 1 << 24
"""Bytes of one record; one with ten thousand pairs has one megabyte."""


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
            OSError: it is not on disk, so the harm must not be done. There may be one already: two drills never share a record.
        """
        if not HOLD.fullmatch(undo.hold):
            raise OSError(errno.EINVAL, f"{undo.hold!r} cannot be the name of a hold")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if wrong := self._distrusted():
            raise PermissionError(errno.EPERM, wrong)
        with self._alone():
            known = [m for p in self.folder.iterdir() if (m := _NAME.fullmatch(p.name))]
            if any(m[2] == undo.hold for m in known):
                raise FileExistsError(errno.EEXIST, f"there is a record of {undo.hold} already")
            return self._put(max((int(m[1]) for m in known), default=0) + 1, undo)

    def _put(self, sequence: int, undo: Undo) -> Entry:
        path = self.folder / f"{sequence:06}-{undo.hold}.json"
        draft = path.with_suffix(".draft")
        body = {"sequence": sequence, "undo": to_json(undo)}
        text = json.dumps({**body, "sha256": checksum(body)}, ensure_ascii=False, indent=1)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
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
        if self.folder.is_dir() and (wrong := self._distrusted()):
            return Reading((), (f"{wrong}; nothing in it is read, and so nothing is healed from it",))
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
        try:
            return sorted(p for p in self.folder.iterdir() if p.suffix == ".json")
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _distrusted(self) -> str | None:
        """Why nothing in these folders is believed, or None. Who may write into the upper one may put another `undo` there."""
        for folder in (self.folder.parent, self.folder):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode):
                return f"{folder}: is no folder of its own but a link, or no folder at all"
            if words := others(found):
                return f"{folder}: {words}"
        return None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process takes the same sequence number."""
        fd = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _sync(self) -> None:
        try:
            fd = os.open(self.folder, os.O_RDONLY)
        except FileNotFoundError:
            return  # Another process that had healed the last one has tidied up.
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def others(found: os.stat_result) -> str | None:
    """Why somebody else may have written this file or folder, or None."""
    if found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}, and this is user {os.geteuid()}"
    if found.st_mode & _OTHERS_WRITE:
        return f"may be written by others (mode {stat.S_IMODE(found.st_mode):04o}); chmod go-w it once you know what is in it"
    return None


def to_json(undo: Undo) -> dict[str, Any]:
    """An undo record as JSON values."""
    return {**asdict(undo), "hosts": list(undo.hosts), "sites": list(undo.sites), "since": VERSION}


def from_json(data: Mapping[str, Any]) -> Undo:
    """The record again, of any version that can be read by this one; keys that are not known are ignored.

    Raises:
        BadInput: it is no undo record, or one of a version that must not be read by this one.
    """
    try:
        version = data.get("version", 1)
        since = data.get("since", version)
        if not (isinstance(version, int) and isinstance(since, int) and 1 <= since <= version):
            raise BadInput(f"this is not an undo record: its version is {version!r}, to be read since {since!r}")
        if since > VERSION:
            raise BadInput(
                f"it was written by a newer drdrill, as version {version} of undo records, and this one knows version {VERSION}: "
                "heal with that one"
            )
        known = {name: data[name] for name in Undo.__dataclass_fields__ if name in data}
        return Undo(**{**known, "hosts": tuple(data["hosts"]), "sites": tuple(data["sites"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"this is not an undo record: {error}") from error


def _parse(path: Path) -> Entry:
    data = json.loads(_text(path))
    undo = from_json(
        data["undo"]
    )  # First: a newer version may have another checksum as well, and its reason is the better one.
    body = {"sequence": data["sequence"], "undo": data["undo"]}
    if data["sha256"] != checksum(body):
        raise ValueError("its checksum does not fit")
    match = _NAME.fullmatch(path.name)
    if match is None or int(match[1]) != data["sequence"] or match[2] != data["undo"]["hold"]:
        raise ValueError("its name does not fit what it holds")
    return Entry(data["sequence"], undo, path)


def _text(path: Path) -> str:
    """What is in a record that nobody else can have written. Whose it is is asked of the opened file: a name may change hands."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no plain file")
        if words := others(found):
            raise ValueError(f"it {words}")
        return file.read(_MOST).decode("utf-8")


def checksum(body: Mapping[str, Any]) -> str:
    """Of a sequence number and an undo record. It tells what is torn, not who wrote it: that is asked of the file system."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
