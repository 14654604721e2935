# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The write ledger of one database against what its members held at one readback. Pure; three checks read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.journal import events
from drdrill.journal.records import Done, intents_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.journal.recording import Recording


@dataclass(frozen=True)
class Ledger:
    """Writes by outcome, and rows by member.

    Args:
        acknowledged: key -> when its acknowledgement arrived, of every write acknowledged before the reading began.
        refused: keys of the writes that surely did not happen.
        unknown: keys of the writes of which nothing is known, those whose outcome was never recorded included.
        unsent: how many were due and not sent: no connection was free, or this machine was too late.
        held: member -> the keys found there.
        unread: member -> why it could not be read.
        rate_hz: writes a second, of the slowest writer.
    """

    acknowledged: Mapping[str, int]
    refused: frozenset[str]
    unknown: frozenset[str]
    unsent: int
    held: Mapping[str, frozenset[str]]
    unread: Mapping[str, str]
    rate_hz: float

    @property
    def anywhere(self) -> frozenset[str]:
        """The keys on any readable member."""
        return frozenset().union(*self.held.values())

    @property
    def saw(self) -> dict[str, int]:
        """How much a check that leans on this ledger looked at: writes that ended or may have, rows found, members read."""
        operations = len(self.acknowledged) + len(self.refused) + len(self.unknown)
        return {"operations": operations, "rows": len(self.anywhere), "replicas": len(self.held)}

    def unread_words(self) -> str:
        """A sentence about the members that could not be read, or nothing."""
        return "".join(f" {member} could not be read: {why}." for member, why in self.unread.items())


def databases(recording: Recording) -> tuple[str, ...]:
    """Every database that was written to."""
    found = (e.data["database"] for e in recording.journal.of(events.WRITES_STARTED))
    return tuple(dict.fromkeys(d for d in found if d))


def ledger(recording: Recording, database: str, phase: str) -> Ledger:
    """The ledger of a database up to the readback of a phase; without one nothing is held and nobody was unread."""
    reads = [e.data for e in recording.journal.of(events.READBACK)]
    reads = [r for r in reads if r["database"] == database and r["phase"] == phase]
    held, unread = {}, {}
    for read in reads:
        keys = recording.keys.get((phase, read["member"]))
        if read["readable"] and keys is not None:
            held[read["member"]] = keys
        else:
            unread[read["member"]] = read["words"] if not read["readable"] else "the file of its keys is gone"
    before = min((r["at_ns"] for r in reads if r["member"] in held), default=None)
    writers = [e.data for e in recording.journal.of(events.WRITES_STARTED) if e.data["database"] == database]
    return _filled(recording, writers, before, held, unread)


def _filled(
    recording: Recording,
    writers: list[dict[str, Any]],
    before_ns: int | None,
    held: dict[str, frozenset[str]],
    unread: dict[str, str],
) -> Ledger:
    acknowledged: dict[str, int] = {}
    refused, unknown, unsent = set(), set(), 0
    for writer in writers:
        prefix = writer["prefix"]
        intents = recording.streams.get(intents_of(writer["stream"]))
        open_ = {f"{prefix}{n}" for n in intents.records["seq"].tolist()} if intents else set()
        operations = recording.streams.get(writer["stream"])
        for seq, done, outcome in _rows(operations):
            key = f"{prefix}{seq}"
            if before_ns is not None and done > before_ns:
                continue
            open_.discard(key)
            match outcome:
                case Done.OK:
                    acknowledged[key] = done
                case Done.FAIL:
                    refused.add(key)
                case Done.UNSENT:
                    unsent += 1
                case _:
                    unknown.add(key)
        unknown |= open_
    rate = min((w["rate_hz"] for w in writers), default=0.0)
    return Ledger(acknowledged, frozenset(refused), frozenset(unknown), unsent, held, unread, rate)


def _rows(operations: Any) -> Any:
    if operations is None:
        return ()
    found = operations.records
    return zip(found["seq"].tolist(), found["done"].tolist(), found["outcome"].tolist(), strict=True)
