# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The noun `consistency`: what became of the writes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drdrill.checkers import divergence, lost_write, no_ack_while_cut, split_brain
from drdrill.checkers.causes import causes
from drdrill.checkers.check import END, Case
from drdrill.checkers.ledger import databases
from drdrill.checkers.refused_write_present import judge as refused_write_present
from drdrill.checkers.verdict import Judgement, Verdict
from drdrill.drill.readback import Readback
from drdrill.errors import DrdrillError
from drdrill.journal import events

if TYPE_CHECKING:
    from drdrill.drill.context import Context
    from drdrill.drill.workload import Workload
    from drdrill.estate.durations import Deadline
    from drdrill.estate.model import Database

SETTLE_S: Final = 2.0
"""What a member that follows always gets to apply the last writes, whatever is left of a deadline."""
AT_END_S: Final = 10.0
"""What members get at the end of a drill, which has waited for them already."""
ENOUGH_S: Final = 5.0
"""How long `acknowledges no write while it is isolated` waits for enough writes to be sent inside the cut."""


class Consistency:
    """Reads back what was written, and judges it."""

    def __init__(self, context: Context, workload: Workload) -> None:
        self._context = context
        self._workload = workload
        self._readback = Readback(context)

    def no_ack_while_cut(self, site: str, campus: str = "") -> None:
        """Assert that this site acknowledged nothing that was sent there during its cut, or that of a campus, up to now.

        Raises:
            AssertionError: it did.
        """
        name = self._context.estate.site_named(site).name
        cut = self._context.estate.sites_of(campus) if campus else ()

        def enough() -> Judgement | None:
            judged = no_ack_while_cut.acknowledged(self._context.recording(), name, cut, campus)
            return judged if int(judged.counts["sent"]) >= no_ack_while_cut.FEWEST else None

        judged = self._context.wait_until(enough, ENOUGH_S, f"enough writes to be sent at site {name}")
        self._context.conclude(judged or no_ack_while_cut.acknowledged(self._context.recording(), name, cut, campus))

    def no_split_brain(self, database: str) -> None:
        """Assert that this database was written on one side of every cut only, up to now."""
        found = self._context.estate.database_named(database)
        self._context.conclude(split_brain.never_on_both_sides(self._context.recording(), found.name))

    def none_lost(self) -> None:
        """Pause the writers, read back every readable member of every database, and assert that no acknowledged write is gone."""
        written = databases(self._context.recording())
        if not written:
            words = "Nothing was written in this drill, so no write could be lost and nothing is proven."
            self._context.conclude(Judgement(lost_write.NAME, "no acknowledged write is lost", Verdict.UNKNOWN, words))
        with self._workload.pause():
            for name in written:
                database = self._context.estate.databases[name]
                self._readback.read(database, self._context.phase(), database.recovery_s)
                self._judge_lost(name)

    def _judge_lost(self, database: str) -> None:
        recording, phase = self._context.recording(), self._context.phase()
        for judged in refused_write_present(Case(recording, (), phase)):
            self._context.conclude(judged)
        self._context.conclude(lost_write.lost(recording, database, phase))

    def await_same(self, database: str, deadline: Deadline) -> None:
        """Wait until every member has what the writer has, then pause the writers and compare row by row.

        The time counts from the last command of the strike, heal or operation before.

        Raises:
            AssertionError: a member did not get there in time, or members differ.
        """
        found = self._context.estate.database_named(database)
        allowed_s = deadline.seconds if deadline.seconds is not None else found.recovery_s
        known = causes(self._context.recording().timeline)
        since = known[-1].last_ns if known else time.monotonic_ns()
        left = max(SETTLE_S, allowed_s - (time.monotonic_ns() - since) / 1e9)
        behind = self._readback.until_settled(found, tuple(found.nodes), left)
        if behind:
            self._context.conclude(self._not_there(found, behind, allowed_s))
            return
        with self._workload.pause():
            self._readback.read(
                found, self._context.phase(), SETTLE_S + max(0.0, allowed_s - (time.monotonic_ns() - since) / 1e9)
            )
            self._context.conclude(divergence.same(self._context.recording(), found.name, self._context.phase()))

    def _not_there(self, database: Database, behind: dict[str, tuple[bool | None, str]], allowed_s: float) -> Judgement:
        """A member that surely lacks something has failed; one that did not answer is unknown."""
        verdict = Verdict.FAIL if any(answer is False for answer, _ in behind.values()) else Verdict.UNKNOWN
        said = "; ".join(f"{member}: {words}" for member, (_, words) in behind.items())
        some = f"{len(behind)} of {len(database.nodes)} members"
        words = f'After {allowed_s:g} s, {some} of database "{database.name}" have not everything: {said}.'
        title = f'every replica of database "{database.name}" holds the same data'
        counts: dict[str, int | float | str] = {
            "database": database.name,
            "members": len(database.nodes),
            "behind": len(behind),
        }
        return Judgement(divergence.NAME, title, verdict, words, counts, tuple(behind))

    def read_back_at_end(self) -> None:
        """Stop the writing and read back every database for what is judged over the whole drill. Does not resume."""
        written = databases(self._context.recording())
        if not written:
            return
        self._workload.hold_back()
        for name in written:
            database = self._context.estate.databases[name]
            try:
                self._readback.read(database, END, min(AT_END_S, database.recovery_s))
            except DrdrillError as error:
                self._context.journal.write(events.NOTE, words=f"database {name} could not be read back: {error}")
