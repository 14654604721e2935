# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The members of databases in the picture: what clients were told by them, and what they say of themselves. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.journal import events
from drdrill.reports import strips
from drdrill.reports.drawing import Axis, Bracket, Group, Strip
from drdrill.reports.segments import segments_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from drdrill.journal.recording import Recording


def claims(recording: Recording, axis: Axis) -> Iterator[Group]:
    """What each member of a database said of itself over the management path, which no fault cuts."""
    words = {
        strips.NO: "does not claim to be the writer",
        strips.YES: "claims to be the writer",
        strips.SILENT: "silent",
    }
    for event in recording.journal.of(events.MEMBERS_WATCHED):
        stream = recording.streams.get(event.data["stream"])
        members = event.data["members"]
        cells = alone = [strips.NOTHING] * len(members)
        if stream is not None and len(stream.records):
            rates = [_rate(stream.records, n) for n in range(len(members))]
            cells = [strips.claims(stream.records, n, rate) for n, rate in enumerate(rates)]
            alone = [strips.claims(strips.apart(stream.records), n, rate) for n, rate in enumerate(rates)]
        brackets = _two_at_once(recording, axis, event.data["database"], alone)
        rows = [
            Strip("claims", member, "", segments_of(own, axis, words, None), brackets if member == members[0] else ())
            for member, own in zip(members, cells, strict=True)
        ]
        yield Group(f"Who says it is the writer of {event.data['database']}", tuple(rows))


def _two_at_once(recording: Recording, axis: Axis, database: str, cells: Sequence[strips.Cells]) -> tuple[Bracket, ...]:
    """Where two members of different components claimed it at the same time, with the verdict of the check on it.

    How long exactly, the check says.
    """
    told = [e.data for e in recording.journal.of(events.CHECK) if e.data["check"] == "split_brain"]
    verdict = next((d["verdict"] for d in reversed(told) if d["counts"].get("database") == database), "unknown")
    return tuple(
        Bracket(
            axis.at(run.from_ns),
            axis.at(run.to_ns),
            "two at once",
            verdict,
            f"two members claimed to be the writer of {database}, in the answers from {axis.stamp(run.from_ns)} to "
            f"{axis.stamp(run.to_ns)}; for how long at least and at most stands under Checks",
        )
        for run in strips.together(cells, strips.YES)
    )


def probed(recording: Recording, axis: Axis) -> Iterator[Group]:
    """What clients were told by each member of a database at its own address: it commits, it only reads, or nothing."""
    words = {
        strips.NO: "can be read, does not commit",
        strips.YES: "can be read and commits",
        strips.SILENT: "no answer in time",
    }
    started = [e.data for e in recording.journal.of(events.MEMBERS_PROBED)]
    for database in dict.fromkeys(s["database"] for s in started):
        own = [s for s in started if s["database"] == database]
        rows = []
        for vantage, member in dict.fromkeys((s["vantage"], s["member"]) for s in own):
            told = {s["question"]: s for s in own if (s["vantage"], s["member"]) == (vantage, member)}
            seen = {q: _asked(recording, told.get(q)) for q in ("read", "write")}
            cells = strips.answers(seen["read"], seen["write"])
            rows.append(Strip("claims", f"{vantage} \u2192 {member}", "", segments_of(cells, axis, words, None)))
        yield Group(f"Who commits to {database}", tuple(rows))


def _asked(recording: Recording, probe: Mapping[str, Any] | None) -> strips.Cells:
    stream = recording.streams.get(probe["stream"]) if probe else None
    return strips.NOTHING if stream is None or probe is None else strips.attempts(stream.records, probe["rate_hz"])


def _rate(records: npt.NDArray[np.void], member: int) -> float:
    due = np.sort(records["due"][records["member"] == member])
    gap = float(np.median(np.diff(due))) if len(due) > 1 else 2e8
    return 1e9 / max(gap, 1.0)
