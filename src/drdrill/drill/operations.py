# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator does on purpose: planned moves, and waiting until a database is in step again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from drdrill.checkers.verdict import Judgement, Verdict
from drdrill.errors import Refused, WayInFailed
from drdrill.faults.entry_drained import EntryDrained
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.connect.capabilities import Look
    from drdrill.drill.context import Context
    from drdrill.estate.durations import Deadline
    from drdrill.estate.model import Database, Estate

SWITCH_WITHIN_S: Final = 60.0
"""How long a planned switchover may take before it is given up; its outage is judged by the RTO, not by this."""


class Operations:
    """The noun `operations`.

    Args:
        context: the drill.
        before_change: called before anything is moved.
        moved: called once something may have been moved.
        strikes: puts into force and ends what a switchover is where no single writer can be moved.
    """

    def __init__(
        self, context: Context, before_change: Callable[[], None], moved: Callable[[], None], strikes: Strikes
    ) -> None:
        self._context = context
        self._strikes = strikes
        self._before_change = before_change
        self._moved = moved
        self._count = 0

    def switch_over(self, service: str, site: str) -> None:
        """Planned: make the member at this site the writer of the service's database. Fine when it is already.

        Where every site serves by itself there is no writer to move: the entries of the other sites are drained, until the
        service is switched over to another site or the drill ends.

        Raises:
            Refused: the service has no writer to move, the site no member to move it to, or the engine will not.
            WayInFailed: it was asked for and did not happen.
        """
        estate = self._context.estate
        found, at = estate.service_named(service), estate.site_named(site).name
        if drain := drained_by(estate, found.name, at):
            self._strikes.switch(drain)
            return
        if found.database is None:
            raise Refused(f'service "{found.name}" names no database, so it has no writer to switch over')
        database = estate.databases[found.database]
        host = _member_at(database, {name: h.site for name, h in estate.hosts.items()}, at)
        self._strikes.may_move(found.name, at)
        engine = self._context.engine(database.name)
        self._before_change()
        title = f'service "{found.name}" is switched over to site "{at}"'
        self._count += 1
        operation = {"operation": "switch-over", "id": f"{self._context.id}-o{self._count}"}
        if engine.writer() == host:
            self._context.say(f"  {host} is the writer already; nothing was moved")
            self._context.journal.write(events.NOTE, words=f"{title}: {host} was the writer already, nothing was moved")
            return
        self._context.say(f"SWITCH {title}: {host} becomes the writer of database {database.name}")
        self._moved()
        self._context.journal.write(events.OPERATION_BEGUN, **operation, title=title, first_ns=time.monotonic_ns())
        try:
            self._run(lambda: engine.switch_over(host), title)
        except BaseException as error:
            words = str(error) or type(error).__name__
            ended = {"last_ns": time.monotonic_ns(), "words": "it did not happen", "error": words}
            self._context.journal.write(events.OPERATION_ENDED, **operation, **ended)
            raise
        words = f"{host} claims to be the writer"
        self._context.journal.write(
            events.OPERATION_ENDED, **operation, last_ns=time.monotonic_ns(), words=words, error=None
        )
        self._context.say(f"  {words}")

    def _run(self, act: Callable[[], None], title: str) -> None:
        """In a thread of its own, so that open holds are fed while the engine moves."""
        done: list[BaseException | None] = []

        def run() -> None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for it
                done.append(error)
            else:
                done.append(None)

        threading.Thread(target=run, daemon=True, name=title).start()
        ended = self._context.wait_until(lambda: True if done else None, SWITCH_WITHIN_S, f"the end of: {title}")
        if ended is None:
            raise WayInFailed(f"{title}: it did not end within {SWITCH_WITHIN_S:g} s")
        if done[0] is not None:
            raise done[0]

    def await_in_step(self, database: str, deadline: Deadline) -> None:
        """Assert that every member follows one writer and has everything, within the time or within its recovery time."""
        found = self._context.estate.database_named(database)
        engine = self._context.engine(found.name)
        within = deadline.seconds if deadline.seconds is not None else found.recovery_s
        looks: list[Look] = []

        def in_step() -> bool | None:
            looks.append(engine.in_step())
            return True if looks[-1].answer is True else None

        begun = time.monotonic()
        self._context.wait_until(in_step, within, f"every member of database {found.name} to be in step")
        took = time.monotonic() - begun
        verdict = {True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.UNKNOWN}[looks[-1].answer]
        words = (
            f"was in step after {took:.1f} s"
            if verdict is Verdict.PASS
            else f"is not known to be in step after {within:g} s"
        )
        if verdict is Verdict.FAIL:
            words = f"is not in step after {within:g} s"
        self._context.conclude(
            Judgement(
                "in_step",
                f"every member of database {found.name} is in step",
                verdict,
                f"Database {found.name} {words}: {looks[-1].words} ({len(looks)} looks at {len(found.nodes)} members).",
                {"members": len(found.nodes), **looks[-1].counts},
                saw={"replicas": len(found.nodes), "looks": len(looks)},
            )
        )


def drained_by(estate: Estate, service: str, site: str) -> EntryDrained | None:
    """What a switchover to this site is where each site serves by itself; None where a single writer is moved."""
    found = estate.service_named(service)
    return None if found.served_by_writer else EntryDrained(found.name, estate.site_named(site).name)


class Strikes(Protocol):
    """What a switchover needs of the drill."""

    def switch(self, fault: EntryDrained) -> None:
        """Put this into force in place of what an earlier switchover of the same service did."""

    def may_move(self, service: str, site: str) -> None:
        """Whether limits and plan allow that this service moves to this site now. Raises Refused when they do not."""


def _member_at(database: Database, sites: dict[str, str | None], site: str) -> str:
    """The member of a database at a site. Raises Refused when there is none."""
    for host in database.nodes:
        if sites[host] == site:
            return host
    raise Refused(f'database "{database.name}" has no member at site "{site}"')
