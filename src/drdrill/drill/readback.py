# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Reads back, from each member, the keys of the rows that this drill wrote; through the Engine protocol only."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from drdrill.errors import DrdrillError, WayInFailed
from drdrill.journal import events
from drdrill.journal.recording import DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.drill.context import Context
    from drdrill.estate.model import Database

FEED_ROWS: Final = 1000
"""So many rows are read between two looks at the leases of what is broken meanwhile."""
POSITION_S: Final = 2.0
"""How long members are measured against one position of the writer."""

MOST_REPEATED: Final = 50
"""Keys that are there more than once and are written down by name; all of them are counted."""

Behind = dict[str, tuple[bool | None, str]]
"""Members that have not everything, or are not known to: the answer and its words."""


class Readback:
    """Reads the members of databases."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def read(self, database: Database, phase: str, settle_s: float) -> None:
        """Read every member on the serving side that can be read, once it has applied what the writer has.

        The writers are paused. A member that does not get there in `settle_s` is read all the same: what it lacks is then a
        finding. While a fault is open, members at its sites and on its hosts are not read: they may be what is cut off.
        """
        struck = self._struck(database)
        serving = [member for member in database.nodes if member not in struck]
        behind = self.until_settled(database, serving, settle_s)
        for member in database.nodes:
            if member in struck:
                self._tell(database, member, phase, readable=False, words=f"not read while {struck[member]}")
            else:
                self._read_one(database, member, phase, behind.get(member))

    def until_settled(self, database: Database, members: Sequence[str], within_s: float) -> Behind:
        """Wait until all these members have applied what the writer has now; those that have not."""
        engine = self._context.engine(database.name)
        behind: Behind = {}
        position, asked = "", 0.0

        def look() -> bool | None:
            nonlocal position, asked
            behind.clear()
            try:
                # Under writes the position of now is always a little ahead of every replica, so one is kept for a while;
                # but not for ever: a writer that moves begins a new history.
                if time.monotonic() - asked > POSITION_S:
                    position, asked = engine.position(), time.monotonic()
            except WayInFailed as error:
                behind.update(dict.fromkeys(members, (None, f"the writer cannot be asked: {error}")))
                return None
            for member in members:
                settled = engine.settled(member, position)
                if settled.answer is not True:
                    behind[member] = (settled.answer, settled.words)
            return None if behind else True

        self._context.wait_until(look, within_s, f"the members of database {database.name} to have everything")
        return behind

    def _struck(self, database: Database) -> dict[str, str]:
        """The members that an open fault may have cut off, with its title."""
        estate = self._context.estate
        struck: dict[str, str] = {}
        for strike in self._context.recording().timeline.strikes:
            if strike.healed_ns is None:
                for member in database.nodes:
                    if member in strike.hosts or estate.hosts[member].site in strike.sites:
                        struck[member] = strike.title
        return struck

    def _read_one(self, database: Database, member: str, phase: str, behind: tuple[bool | None, str] | None) -> None:
        engine = self._context.engine(database.name)
        look = engine.readable(member)
        if look.answer is not True:
            self._tell(database, member, phase, readable=False, words=look.words)
            return
        at_ns = time.monotonic_ns()
        tables = [(t.name, t.key) for t in database.tables.values()] + self._ledgers(database)
        prefix = f"{self._context.id}/"
        rows = ((table, key) for table, column in tables for key in engine.keys(member, table, column, prefix))
        seen: Counter[tuple[str, str]] = Counter()
        while True:
            # A big table takes longer to read than a lease lasts.
            self._context.feed()
            try:
                some = tuple(islice(rows, FEED_ROWS))
            except DrdrillError as error:
                self._tell(database, member, phase, readable=False, words=str(error))
                return
            if not some:
                break
            seen.update(some)
        found = {key for _, key in seen}
        # Twice in one table; a write that belongs into two tables is once in each.
        repeated = {key: times for (_, key), times in seen.items() if times > 1}
        text = "".join(f"{key}\n" for key in sorted(found)).encode()
        name = f"{DATA}/keys-{phase}-{database.name}-{member}.txt"
        (self._context.folder / DATA).mkdir(exist_ok=True)  # A drill that wrote nothing has none.
        (self._context.folder / name).write_bytes(text)
        words = "read" if behind is None else f"read although it has not everything: {behind[1]}"
        self._tell(
            database, member, phase, readable=True, words=words, rows=len(found), at_ns=at_ns, keys_file=name,
            digest=hashlib.sha256(text).hexdigest(), repeated_total=len(repeated),
            repeated=dict(sorted(repeated.items())[:MOST_REPEATED]),
        )  # fmt: skip

    def _ledgers(self, database: Database) -> list[tuple[str, str]]:
        """The tables that this drill made in the database for its own writes, with their key columns."""
        made = (e.data for e in self._context.recording().journal.of(events.LEDGER_MADE))
        return [(m["table"], m["key"]) for m in made if m["database"] == database.name]

    def _tell(self, database: Database, member: str, phase: str, *, readable: bool, words: str, **more: object) -> None:
        told = {"rows": 0, "digest": None, "keys_file": None, "at_ns": time.monotonic_ns(), **more}
        site = self._context.estate.hosts[member].site
        self._context.journal.write(
            events.READBACK,
            database=database.name,
            member=member,
            site=site,
            readable=readable,
            words=words,
            phase=phase,
            **told,
        )
