# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Was a database written on both sides of a cut, or did two members claim to be its writer?

Two definitions, each alone is enough. Acknowledged on both sides of a cut, later than the fencing time after it: a write that
was sent and acknowledged then, on each side (all times of one machine; clocks of several machines bring a bound of their
own). Or two members claim to be the writer for longer than the fencing time; shorter overlaps are listed, they fail nothing.
Members that agree on every commit are of one component and may all write; what must not be is that two components write.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from drdrill.checkers.check import Case, seconds, some
from drdrill.checkers.ledger import databases
from drdrill.checkers.overlaps import Overlap, overlaps
from drdrill.checkers.sides import in_force, proven_in_force, side, writers_at
from drdrill.checkers.verdict import Judgement, Verdict, worst
from drdrill.journal import events
from drdrill.journal.records import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.journal.recording import Recording, Stream

NAME: Final = "split_brain"
MOST_APART_NS: Final = 3_000_000_000
"""Rounds of questions may be so far apart: a silent member is given up after 2 s."""


def judge(case: Case) -> Iterable[Judgement]:
    """One judgement for each database that was written to or watched."""
    watched = (e.data["database"] for e in case.recording.journal.of(events.MEMBERS_WATCHED))
    for database in dict.fromkeys((*databases(case.recording), *watched)):
        yield never_on_both_sides(case.recording, database)


def never_on_both_sides(recording: Recording, database: str) -> Judgement:
    """Whether database `database` was written on one side of every cut only, and had one writer at a time, up to now."""
    promised = recording.about.get("objectives", {}).get("databases", {}).get(database, {})
    fencing_ns = round(promised.get("fencing_s", 0.0) * 1e9)
    title = f'database "{database}" is never written on both sides of a cut'
    parts = [*_acknowledgements(recording, database, fencing_ns), *_claims(recording, database, fencing_ns)]
    counts: dict[str, int | float | str] = {"database": database, "fencing_s": fencing_ns / 1e9}
    saw: Counter[str] = Counter()
    for part in parts:
        counts |= part.counts
        saw.update(part.saw)
    if not parts:
        words = (
            f'Nobody watched the members of database "{database}", and it was not written to on both sides of a cut.'
        )
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts)
    verdict = worst(p.verdict for p in parts)
    words = " ".join(p.message for p in sorted(parts, key=lambda p: p.verdict is not verdict))
    return Judgement(NAME, title, verdict, words, counts, tuple(w for p in parts for w in p.witnesses), saw)


def _acknowledgements(recording: Recording, database: str, fencing_ns: int) -> Iterable[Judgement]:
    """The first definition, for each cut that had writers on both sides."""
    for strike in recording.timeline.strikes:
        inside = writers_at(recording, strike.sites, inside=True, database=database)
        outside = writers_at(recording, strike.sites, inside=False, database=database)
        begin, end = in_force(strike)
        if not (inside and outside and begin + fencing_ns < end):
            continue
        if not proven_in_force(strike):
            words = f"It is not proven that {strike.title}, so writes on both sides of it say nothing."
            yield Judgement(NAME, "", Verdict.UNKNOWN, words)
            continue
        window = (begin + fencing_ns, end)
        here, there = side(recording, inside, window), side(recording, outside, window)
        counts: dict[str, int | float | str] = {
            "acknowledged_inside": len(here.sure),
            "acknowledged_outside": len(there.sure),
        }
        saw = {"operations": here.sent + there.sent}
        both = f"{len(here.sure)} of {here.sent} sent at {', '.join(strike.sites)} and {len(there.sure)} of {there.sent} elsewhere"
        if here.sure and there.sure:
            words = (
                f'Database "{database}" was written on both sides while {strike.title}: more than {seconds(fencing_ns)} after the '
                f"cut, writes were acknowledged on each side ({both})."
            )
            yield Judgement(NAME, "", Verdict.FAIL, words, counts, tuple(k for k, _ in (*here.sure, *there.sure)), saw)
        elif (here.sure or here.early) and (there.sure or there.early):
            words = f"While {strike.title}, answers came on both sides so near to the fencing time that it cannot be told ({both})."
            yield Judgement(NAME, "", Verdict.UNKNOWN, words, counts, saw=saw)
        elif here.sent or there.sent:
            words = (
                f"More than {seconds(fencing_ns)} after {strike.title}, one side at most acknowledged writes ({both})."
            )
            yield Judgement(NAME, "", Verdict.PASS, words, counts, saw=saw)


def _claims(recording: Recording, database: str, fencing_ns: int) -> Iterable[Judgement]:
    """The second definition, from the samples of who claims to be the writer."""
    for event in recording.journal.of(events.MEMBERS_WATCHED):
        stream = recording.streams.get(event.data["stream"])
        if event.data["database"] != database or stream is None:
            continue
        heard = int((stream.records["claims"] != Claim.SILENT).sum())
        claimed = int((stream.records["claims"] == Claim.YES).sum())
        asked = len(stream.records)
        counts: dict[str, int | float | str] = {"samples": asked, "silent": asked - heard, "claimed": claimed}
        if not heard:
            words = f'No member of database "{database}" answered when asked whether it is the writer.'
            yield Judgement(NAME, "", Verdict.UNKNOWN, words, counts)
            continue
        found = overlaps(recording, stream)
        yield _overlapping(
            found, fencing_ns, counts, {"samples": heard, "replicas": _answering(stream)}, together=_together(stream)
        )
        yield from _watched_all_the_time(recording, stream, fencing_ns)


def _watched_all_the_time(recording: Recording, stream: Stream, fencing_ns: int) -> Iterable[Judgement]:
    """Who was not asked for longer than the fencing time may have claimed it meanwhile."""
    ends = [e for e in recording.journal.of(events.WORKER_ENDED) if e.data["stream"] == stream.name]
    until = ends[0].t if ends else int(stream.records["done"].max())
    rounds = np.unique(np.concatenate((stream.records["due"], [until])))
    longest = int(np.diff(rounds).max()) if len(rounds) > 1 else 0
    if longest > max(fencing_ns, MOST_APART_NS):
        words = f"For {seconds(longest)} nobody asked the members which of them is the writer."
        yield Judgement(NAME, "", Verdict.UNKNOWN, words, {"longest_unasked_s": round(longest / 1e9, 3)})


def _answering(stream: Stream) -> int:
    """How many members answered at least once."""
    answers = stream.records[stream.records["claims"] != Claim.SILENT]
    return len(np.unique(answers["member"]))


def _together(stream: Stream) -> bool:
    """Whether members claimed it as parts of a component, and not each by itself."""
    records = stream.records
    return "component" in (records.dtype.names or ()) and bool((records["component"] != 0).any())


def _overlapping(
    found: list[Overlap],
    fencing_ns: int,
    counts: dict[str, int | float | str],
    saw: dict[str, int],
    *,
    together: bool,
) -> Judgement:
    listed = tuple(str(overlap) for overlap in found)
    counts["overlaps"] = len(found)
    asked = f"({some(saw['samples'], 'answer')} of {some(saw['replicas'], 'member')})"
    if not found:
        words = f"At most one member claimed to be the writer at a time {asked}."
        if together:
            words = f"All members that accepted writes at the same time were of one component {asked}."
        return Judgement(NAME, "", Verdict.PASS, words, counts, saw=saw)
    two = "Two members of different components" if together else "Two members"
    counts["longest_overlap_s"] = round(max(o.most_ns for o in found) / 1e9, 3)
    if any(o.least_ns > fencing_ns for o in found):
        words = f"{two} claimed to be the writer for longer than {seconds(fencing_ns)} {asked}: {'; '.join(listed)}."
        return Judgement(NAME, "", Verdict.FAIL, words, counts, listed, saw)
    if any(o.most_ns > fencing_ns for o in found):
        words = f"{two} may have claimed to be the writer for longer than {seconds(fencing_ns)} {asked}: {'; '.join(listed)}."
        return Judgement(NAME, "", Verdict.UNKNOWN, words, counts, listed, saw)
    words = (
        f"{two} claimed to be the writer, but never for longer than {seconds(fencing_ns)} {asked}: {'; '.join(listed)}."
    )
    return Judgement(NAME, "", Verdict.PASS, words, counts, listed, saw)
