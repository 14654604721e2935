# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The append-only, hash-chained record of a drill: written as it happens, readable after any crash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from drdrill.errors import BadInput, Unrecorded
from drdrill.journal.clock import Clock, Watch
from drdrill.journal.events import CLOCK, JOURNAL_TORN, NOTE, ROUTINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "journal.jsonl"
GUARDIANS = "guardian.jsonl"
"""The guardian's own journal, in the drill's folder."""
GENESIS = "0" * 64
ROOM: Final = 1 << 20
"""Bytes that a journal keeps aside while the drill runs. A disk that fills up in the middle still takes the end: heal, judgement,
comparison, report."""


@dataclass(frozen=True)
class Event:
    """One line of a journal. `t` is CLOCK_MONOTONIC in nanoseconds."""

    n: int
    t: int
    wall: str
    kind: str
    data: dict[str, Any]
    hash: str


def digest(line: dict[str, Any]) -> str:
    """SHA-256 of a line without its own hash, as canonical JSON (sorted keys, no spaces, UTF-8)."""
    body = {k: v for k, v in line.items() if k != "hash"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """Writes one journal. Every event is in the file when `write` returns, and on the disk (fsync) but for `events.ROUTINE`.

    Other events are a few hundred in a drill, so a sync for each costs less than a question which of them mattered. The routine
    comes for each hold every few seconds, for as long as a fault is held.

    Args:
        folder: the drill's folder; made if it is not there.
        clock: the base that gives events their wall time.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.clock = clock or Clock.now()
        self.lost: list[str] = []
        """The kinds of the events that could not be written after `best_effort`."""
        self._told = 0
        self._must = True
        self._watch = Watch()
        self._lock = threading.RLock()
        # Number of the next event, hash of the last, size of the file: one attribute, so that no signal finds half of it.
        self._end = (0, GENESIS, 0)
        self._fd = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._room = _reserved(folder)

    def write(self, kind: str, **data: Any) -> Event:
        """Append one event, after a `clock` event when a clock of this machine jumped.

        Raises:
            Unrecorded: the disk is full or gone; the drill must abort, since what is not recorded did not happen.
        """
        with self._lock:
            try:
                if jump := self._watch.look():
                    self._append(CLOCK, {**asdict(jump), "words": jump.words})
                return self._append(kind, data)
            except OSError as error:
                self._give_room()
                if self._must:
                    raise Unrecorded(
                        f"the journal {self.folder / FILE_NAME} takes no event any more ({error.strerror or error}), and what is "
                        "not recorded did not happen: make room there, or name another folder with --drill-out"
                    ) from error
                return self._as_well_as_can_be(kind, data)

    def best_effort(self) -> None:
        """From now on a full disk stops nothing: the drill ends, and nothing is worth more than its heal."""
        self._must = False

    def _as_well_as_can_be(self, kind: str, data: dict[str, Any]) -> Event:
        """Once more, with the room that was kept aside; or note that the event is lost."""
        with contextlib.suppress(OSError):
            return self._append(kind, data)
        self.lost.append(kind)
        t = time.monotonic_ns()
        return Event(-1, t, self.clock.wall(t).isoformat(timespec="microseconds"), kind, data, "")

    def _append(self, kind: str, data: dict[str, Any]) -> Event:
        if untold := self.lost[self._told :]:
            words = f"{len(untold)} events before this one could not be written: {', '.join(dict.fromkeys(untold))}"
            self._put(NOTE, {"words": words})
            self._told += len(untold)
        return self._put(kind, data)

    def _put(self, kind: str, data: dict[str, Any]) -> Event:
        self._catch_up()
        n, prev, size = self._end
        t = time.monotonic_ns()
        wall = self.clock.wall(t).isoformat(timespec="microseconds")
        line: dict[str, Any] = {"n": n, "t": t, "wall": wall, "kind": kind, "data": data, "prev": prev}
        line["hash"] = digest(line)
        text = json.dumps(line, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"
        raw = text.encode()
        if os.write(self._fd, raw) != len(raw):
            os.ftruncate(self._fd, size)
            raise OSError("it took only a part of an event; is the disk full?")
        if kind not in ROUTINE:
            os.fsync(self._fd)
        self._end = (n + 1, str(line["hash"]), size + len(raw))
        return Event(n, t, wall, kind, data, str(line["hash"]))

    def _give_room(self) -> None:
        room, self._room = self._room, -1
        if room >= 0:
            os.close(room)

    def _catch_up(self) -> None:
        """Find the end of the file, where it is not where we left it.

        Ctrl-C and SIGTERM raise between any two instructions, also after an event was written and before we took note of it.
        Then the file knows better. A file that somebody tore is cut back to its last whole event, so that what follows can be
        read; the tear is an event of its own, with which no drill can be met.
        """
        size = os.fstat(self._fd).st_size
        if size == self._end[2]:
            return
        known = self._end[0]
        raw = (self.folder / FILE_NAME).read_bytes()
        reading = read(self.folder)
        whole = raw.rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(self._fd, whole)
        if reading.broken:  # What we wrote last is all that we know; the break is seen by whoever reads.
            self._end = (*self._end[:2], whole)
            return
        last = reading.events[-1] if reading.events else None
        self._end = (last.n + 1, last.hash, whole) if last else (0, GENESIS, 0)
        gone = max(0, known - self._end[0])
        if gone or whole < size:
            lost = f"{gone} of the {known} events that had been written are gone" if gone else "no event is gone"
            words = (
                f"the journal was torn while the drill ran: {size - whole} bytes of no whole event were cut, and {lost}"
            )
            self._put(JOURNAL_TORN, {"words": words, "gone": gone, "cut": size - whole})

    def close(self) -> None:
        """Close the file; nothing is pending."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
            self._give_room()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reserved(folder: Path) -> int:
    """A file of `ROOM` bytes without a name, so that it is gone with its process, whatever ends that. -1: it cannot be had."""
    try:
        with tempfile.TemporaryFile(dir=folder) as room:
            os.posix_fallocate(room.fileno(), 0, ROOM)
            return os.dup(room.fileno())
    except OSError:
        return -1


@dataclass(frozen=True)
class Reading:
    """What a journal file holds.

    `torn` says what was cut from the tail of a file whose writer died, or None. `broken` says where the chain does not
    hold, or None; the events before that place are still given, those after it are not.
    """

    events: tuple[Event, ...]
    torn: str | None = None
    broken: str | None = None

    def of(self, *kinds: str) -> Iterator[Event]:
        """The events of these kinds, in order."""
        return (e for e in self.events if e.kind in kinds)

    def last(self, kind: str) -> Event | None:
        """The last event of a kind, or None."""
        return next((e for e in reversed(self.events) if e.kind == kind), None)


def read(folder: Path, name: str = FILE_NAME) -> Reading:
    """Read the journal in a drill's folder, or the guardian's beside it.

    Raises:
        BadInput: there is none.
    """
    path = folder / name
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{path}: no journal can be read there ({error.strerror}); name the folder of a drill"
        ) from error
    events: list[Event] = []
    prev = GENESIS
    lines = raw.split(b"\n")
    torn = f"{len(lines[-1])} bytes of an unfinished event were cut from the end" if lines[-1] else None
    for number, text in enumerate(lines[:-1], 1):
        try:
            line = json.loads(text)
            good = line["prev"] == prev and line["hash"] == digest(line)
            event = Event(line["n"], line["t"], line["wall"], line["kind"], line["data"], line["hash"])
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            return Reading(tuple(events), torn, f"{path}:{number}: this line is not what was written")
        events.append(event)
        prev = event.hash
    return Reading(tuple(events), torn)
