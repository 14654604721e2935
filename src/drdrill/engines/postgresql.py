# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL with streaming replication, moved by Patroni where the estate names its REST interface.

Who may write is asked of PostgreSQL itself, not of Patroni. `/primary` says who holds the leader key as far as that Patroni
knows, and a Patroni that is cut off, hung or gone says the wrong thing or nothing, while the PostgreSQL beside it goes on
acknowledging. `pg_is_in_recovery()` and `transaction_read_only` are what the next INSERT will meet. Both are asked over the
management path, which no fault cuts, so a member behind a frozen link still answers: that is how a split brain is seen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.capabilities import Look
from drdrill.connect.patroni import Patroni
from drdrill.connect.psycopg import Connection, driver
from drdrill.engines.asking import ANSWER_S, CLAIM_S, Asking, Sampling, closed
from drdrill.engines.engine import Claimed, Engine, Member
from drdrill.engines.postgresql_client import ClientSide
from drdrill.engines.postgresql_questions import CLAIM, STANDBYS, STATE, TOLD, told_to_lag
from drdrill.errors import BadInput, DrdrillError, Refused, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.estate.model import Database, Estate

SETTLE_S: Final = 1.0
"""How long a look waits for a replica to reach a position that the writer has just passed: replaying is not instant."""
SWITCH_S: Final = 60.0
CANDIDATE_S: Final = 10.0


@dataclass(frozen=True)
class _State:
    """One member's own word: replica or not, where in the log (bytes), on which timeline (None: it follows nobody)."""

    replica: bool
    at: int
    timeline: int | None


class PostgreSQL(ClientSide, Engine):
    """One PostgreSQL cluster. `nodes` give `dsn`, and `patroni` where switchovers are to be possible."""

    name = "postgresql"
    consistency = "read committed; a commit is acknowledged once the synchronous standby has it, while there is one"

    def __init__(self, estate: Estate, database: Database) -> None:
        self.database = database
        self._site = {host: estate.hosts[host].site for host in database.nodes}
        for host, node in database.nodes.items():
            if "dsn" not in node:
                raise BadInput(f"{estate.path}: node {host} of database {database.name} needs a `dsn`")
        # Two connections a member: a slow look must not make a member seem silent to whoever samples its claims.
        self._ask = {host: Connection(node["dsn"], host) for host, node in database.nodes.items()}
        self._claim = {host: Connection(node["dsn"], host) for host, node in database.nodes.items()}
        self._asking = Asking(database.nodes, "ask")
        self._sampling: Sampling[bool] = Sampling(database.nodes, "claim")
        self._patroni = {
            host: Patroni(node["patroni"], host) for host, node in database.nodes.items() if node.get("patroni")
        }

    # --- looking ------------------------------------------------------------------------------------------------------

    def _state(self, host: str) -> _State:
        ((replica, at, timeline),) = self._ask[host].rows(STATE, within_s=ANSWER_S)
        return _State(bool(replica), int(at or 0), None if timeline is None else int(timeline))

    def _standbys(self, writer: str) -> dict[str, str]:
        return {str(name): str(sync) for name, sync in self._ask[writer].rows(STANDBYS, within_s=ANSWER_S)}

    def members(self) -> Sequence[Member]:
        """Every member, from its own SQL; synchronous as the writer sees it."""
        states = self._asking.everybody(self._state)
        writers = [host for host, s in states.items() if isinstance(s, _State) and not s.replica]
        standbys: dict[str, str] = {}
        if len(writers) == 1:
            answer = self._asking.one(writers[0], lambda: self._standbys(writers[0]))
            standbys = {} if isinstance(answer, DrdrillError) else answer
        writer = states[writers[0]] if len(writers) == 1 else None
        return [self._member(host, state, writer, standbys.get(host)) for host, state in states.items()]

    def _member(
        self, host: str, state: _State | DrdrillError, writer: _State | DrdrillError | None, sync: str | None
    ) -> Member:
        site = self._site[host]
        if not isinstance(state, _State):
            return Member(host, site, "unknown", healthy=False, in_step=None, lag_bytes=None, words=str(state))
        if not state.replica:
            return Member(host, site, "writer", True, True, None, f"it accepts writes, timeline {state.timeline}")
        if not isinstance(writer, _State):
            return Member(host, site, "replica", True, None, None, "it is a replica, and there is no single writer")
        lag = max(0, writer.at - state.at)
        follows = state.timeline == writer.timeline
        words = f"it follows timeline {state.timeline}" if state.timeline else "it follows nobody"
        words += f" and is {lag} bytes behind; replication is {sync or 'not seen by the writer'}"
        return Member(host, site, "replica", True, follows and lag == 0, lag, words, sync in {"sync", "quorum"})

    def writer(self) -> str | None:
        """The one host whose PostgreSQL is out of recovery."""
        found = [claimed.host for claimed in self.claims(ANSWER_S) if claimed.accepts]
        return found[0] if len(found) == 1 else None

    def claims(self, within_s: float = CLAIM_S) -> Sequence[Claimed]:
        """Whether each member accepts writes now: no where nobody listens, silent while its last question has no answer."""
        told = self._sampling.round(self._claims_now, within_s)
        return [Claimed(host, accepts) for host, accepts in told.items()]

    def _claims_now(self, host: str) -> bool:
        try:
            ((claims,),) = self._claim[host].rows(CLAIM, within_s=ANSWER_S)
        except WayInFailed:
            # Where nobody listens nobody claims: a stopped PostgreSQL is a no, and not a silence that may hide a yes. One that
            # is starting up or shutting down refuses no connection and stays silent: its old sessions may go on.
            if self._claim[host].refused():
                return False
            raise
        return bool(claims)

    def readable(self, host: str) -> Look:
        """Whether it answers a SELECT."""
        answer = self._asking.one(host, lambda: self._state(host))
        return Look(False, str(answer)) if isinstance(answer, DrdrillError) else Look(True, f"{host} answers")

    def keys(self, host: str, table: str, column: str, prefix: str) -> Iterator[str]:
        """Every key with this prefix, from one snapshot, in the order of its bytes."""
        sql = driver().sql
        name = sql.Identifier(*table.split("."))
        question = sql.SQL(
            'select {c}::text from {t} where starts_with({c}::text, %s) order by {c}::text collate "C"'
        ).format(c=sql.Identifier(column), t=name)
        connection = Connection(self.database.nodes[host]["dsn"], host)
        try:
            for (key,) in connection.stream(question, (prefix,)):
                yield str(key)
        finally:
            connection.close()

    # --- in step ------------------------------------------------------------------------------------------------------

    def position(self) -> str:
        """The writer's timeline and flushed position: `3:50364416`. Every acknowledged write lies before it."""
        writer = self.writer()
        if writer is None:
            raise WayInFailed(f"database {self.database.name} has no single writer now")
        state = self._asking.one(writer, lambda: self._state(writer))
        if isinstance(state, DrdrillError):
            raise state
        return f"{state.timeline}:{state.at}"

    def settled(self, host: str, since: str) -> Look:
        """Whether it is on that timeline and has applied everything up to that position."""
        timeline, at = (int(part) for part in since.split(":"))
        state = self._asking.one(host, lambda: self._state(host))
        if isinstance(state, DrdrillError):
            return Look(None, str(state))
        if state.timeline != timeline:
            return Look(False, f"{host} is on timeline {state.timeline or 'none'}, the writer on {timeline}")
        missing = max(0, at - state.at)
        words = f"{host} lacks {missing} bytes of the log"
        if missing:
            words += self._told_to_lag(host)
        return Look(missing == 0, words, {"missing_bytes": missing})

    def _told_to_lag(self, host: str) -> str:
        """Why a member that lacks something does not hurry: somebody told it not to."""
        answer = self._asking.one(host, lambda: self._ask[host].rows(TOLD, within_s=ANSWER_S))
        return "" if isinstance(answer, DrdrillError) else told_to_lag(answer)

    def in_step(self) -> Look:
        """One writer, and every other member on its timeline with all that was written when this look began."""
        members = self.members()
        silent = [m for m in members if m.role == "unknown"]
        writers = [m.host for m in members if m.role == "writer"]
        if silent or len(writers) != 1:
            words = "; ".join(m.words for m in silent) or f"writers: {', '.join(writers) or 'none'}"
            return Look(False, words, {"members": len(members), "writers": len(writers)})
        try:
            since = self.position()
        except DrdrillError as error:
            return Look(None, str(error))
        late = [
            look.words
            for m in members
            if m.role == "replica" and (look := self._settles(m.host, since)).answer is not True
        ]
        if self._promises_synchronous(writers[0]) and not self._patroni[writers[0]].synchronous():
            late.append("no member is a synchronous standby, and Patroni's synchronous_mode is on")
        counts = {"members": len(members), "writers": 1}
        if late:
            return Look(False, "; ".join(late), counts)
        return Look(True, f"{writers[0]} writes, {len(members) - 1} follow with everything", counts)

    def _settles(self, host: str, since: str) -> Look:
        end = time.monotonic() + SETTLE_S
        while (look := self.settled(host, since)).answer is False and time.monotonic() < end:
            time.sleep(0.05)
        return look

    def _promises_synchronous(self, writer: str) -> bool:
        """Whether the cluster itself promises it. What the estate promises is for the checks to judge."""
        return writer in self._patroni and self._patroni[writer].synchronous_mode()

    def _at_writer(self, statement: str) -> list[tuple[Any, ...]]:
        """Carry out a statement at the writer, over the management path. Raises WayInFailed."""
        writer = self.writer()
        if writer is None:
            raise WayInFailed(f"database {self.database.name} has no single writer now")
        rows = self._asking.one(writer, lambda: self._ask[writer].rows(statement, within_s=ANSWER_S))
        if isinstance(rows, DrdrillError):
            raise rows
        return rows

    def close(self) -> None:
        """Close every connection, each in the thread that uses it, so that none is closed under a question."""
        asked = {host: connection.close for host, connection in self._ask.items()}
        sampled = {host: connection.close for host, connection in self._claim.items()}
        closed([*self._asking.close(asked), *self._sampling.close(sampled)])

    # --- moving -------------------------------------------------------------------------------------------------------

    def switch_over(self, host: str) -> None:
        """Ask Patroni, and wait until that PostgreSQL is out of recovery and no other is."""
        writer = self.writer()
        if writer is None:
            raise Refused(f"database {self.database.name} has no single writer now, so none can be moved")
        if writer == host:
            raise Refused(f"{host} is the writer of database {self.database.name} already")
        if writer not in self._patroni:
            raise Refused(
                f"node {writer} of database {self.database.name} names no `patroni` URL, so it cannot be moved"
            )
        self._await_candidate(writer, host)
        answer = self._patroni[writer].post("/switchover", {"leader": writer, "candidate": host}, SWITCH_S)
        if answer.status >= 300:  # noqa: PLR2004 - HTTP's own border
            raise WayInFailed(f"Patroni refuses to make {host} the writer ({answer.status}): {answer.body}")
        end = time.monotonic() + SWITCH_S
        while self.writer() != host:
            if time.monotonic() > end:
                raise WayInFailed(
                    f"Patroni said that {host} is the writer ({answer.body}), but PostgreSQL there is not"
                )
            time.sleep(0.1)

    def _await_candidate(self, writer: str, host: str) -> None:
        """With synchronous_mode only a standby that Patroni has written down as synchronous may take over."""
        end = time.monotonic() + CANDIDATE_S
        while self._promises_synchronous(writer) and host not in self._patroni[writer].synchronous():
            if time.monotonic() > end:
                raise WayInFailed(
                    f"{host} is no synchronous standby after {CANDIDATE_S:g} s, so it cannot become the writer"
                )
            time.sleep(0.1)
