# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""MariaDB Galera Cluster: every member of the component with the quorum accepts writes, and has each before it is acknowledged.

There is no writer to find. What can go wrong is that members of two components accept writes, so a claim says of which
component it is. All is asked over the management path, which no fault cuts: a member behind a cut link still answers.

One reading of one member proves nothing: a host that was frozen says `Synced` from memory for about a second after it thawed,
before it learns that the others went on without it. So members are in step when all of them tell the same configuration, it
stays so, and each has applied what any of them had committed when the look began. Not "has nothing to apply": a cluster that is
written to is never seen so for long.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, Literal

from drdrill.connect.capabilities import Look
from drdrill.connect.odbc import Connection
from drdrill.connect.odbc_string import ConnectionString
from drdrill.connect.odbc_zygote import Zygote
from drdrill.engines.asking import ANSWER_S, CLAIM_S, Asking, Sampling, closed
from drdrill.engines.engine import Claimed, Engine, Member
from drdrill.engines.galera_client import ClientSide, quoted
from drdrill.engines.galera_state import MANAGEMENT, STATE, State, apart, behind
from drdrill.errors import BadInput, DrdrillError, Refused, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.estate.model import Database, Estate

STABLE_S: Final = 2.0
"""How long one configuration has to stay in step before it is believed."""
AGAIN_S: Final = 0.2
"""Between two looks at whether it stays so."""
SETTLE_S: Final = 2.0
"""How long a member may take to apply what was committed when the look began. A healthy one needs milliseconds."""


class Galera(ClientSide, Engine):
    """One cluster. `nodes` give `dsn`, a connection string of ODBC."""

    name = "galera"
    consistency = (
        "repeatable read at each member; a commit is acknowledged once every member of the component has received it and it "
        "was found to conflict with none before it"
    )

    def __init__(self, estate: Estate, database: Database) -> None:
        self.database = database
        self._site = {host: estate.hosts[host].site for host in database.nodes}
        strings = {}
        for host, node in database.nodes.items():
            where = f"{estate.path}: node {host} of database {database.name}"
            if "dsn" not in node:
                raise BadInput(f"{where} needs a `dsn`")
            strings[host] = ConnectionString(node["dsn"], where)
        self._strings = strings
        self._zygote: Zygote | None = None
        self._making = threading.Lock()
        # Two connections a member: a slow look must not make a member seem silent to whoever samples its claims.
        self._ask = {host: self._connection(host) for host in strings}
        self._claim = {host: self._connection(host) for host in strings}
        self._asking = Asking(strings, "ask")
        self._sampling: Sampling[tuple[bool, int]] = Sampling(strings, "claim")
        self._seen: tuple[int, float] | None = None
        """The component in which all were in step at the last look, and since when."""

    def _connection(self, host: str) -> Connection:
        return Connection(self._processes, self._strings[host], host, MANAGEMENT)

    def _processes(self) -> Zygote:
        with self._making:
            if self._zygote is None:
                self._zygote = Zygote()
            return self._zygote

    # --- looking ------------------------------------------------------------------------------------------------------

    def _state(self, host: str) -> State:
        return State.of(self._ask[host].rows(STATE, within_s=ANSWER_S))

    def members(self) -> Sequence[Member]:
        """Every member, by its own word; in step with the component that has most of them."""
        states = self._asking.everybody(self._state)
        told = [state.component for state in states.values() if isinstance(state, State) and state.primary]
        most = max(told, key=told.count, default=None)
        return [self._member(host, state, most) for host, state in states.items()]

    def _member(self, host: str, state: State | DrdrillError, most: int | None) -> Member:
        if not isinstance(state, State):
            return Member(host, self._site[host], "unknown", False, None, None, str(state))
        role: Literal["writer", "replica"] = "writer" if state.accepts else "replica"
        in_step = state.synced and state.component == most
        shared = state.primary and len(state.peers) > 1
        return Member(host, self._site[host], role, state.synced, in_step, None, str(state), shared)

    def writer(self) -> str | None:
        """The one host that accepts writes. None while more than one does, as they should."""
        found = [claimed.host for claimed in self.claims(ANSWER_S) if claimed.accepts]
        return found[0] if len(found) == 1 else None

    def claims(self, within_s: float = CLAIM_S) -> Sequence[Claimed]:
        """Whether each member accepts writes now: no where nobody listens, silent while its last question has no answer."""
        told = self._sampling.round(self._claims_now, within_s)
        return [Claimed(host, *(said or (None, 0))) for host, said in told.items()]

    def _claims_now(self, host: str) -> tuple[bool, int]:
        try:
            state = State.of(self._claim[host].rows(STATE, within_s=ANSWER_S))
        except WayInFailed:
            # Where nobody listens nobody claims: a stopped server is a no, and not a silence that may hide a yes.
            if self._claim[host].refused():
                return False, 0
            raise
        return state.accepts, state.component if state.accepts else 0

    def readable(self, host: str) -> Look:
        """Whether it tells its state. A member without quorum can be read as well, for what it holds."""
        state = self._asking.one(host, lambda: self._state(host))
        return Look(False, str(state)) if isinstance(state, DrdrillError) else Look(True, f"{host} answers: {state}")

    def keys(self, host: str, table: str, column: str, prefix: str) -> Iterator[str]:
        """Every key with this prefix, from one snapshot, in the order of its bytes."""
        name, like = quoted(column), "".join(f"|{c}" if c in "%_|" else c for c in prefix) + "%"
        order = f"order by cast({name} as binary)"
        question = f"select cast({name} as char) from {quoted(table)} where {name} like ? escape '|' {order}"  # noqa: S608
        connection = self._connection(host)
        try:
            for (key,) in connection.stream(question, (like,)):
                if str(key).startswith(prefix):  # LIKE may take upper and lower case for the same.
                    yield str(key)
        finally:
            connection.close()

    # --- in step ------------------------------------------------------------------------------------------------------

    def in_step(self) -> Look:
        """All members are Synced in one configuration, stay so for `STABLE_S`, and each has what any had when this look began.

        A configuration that was seen so before is not waited for again: whatever happened in between had made another one.
        """
        begun, goal = time.monotonic(), -1
        while True:
            states = self._asking.everybody(self._state)
            known = {host: state for host, state in states.items() if isinstance(state, State)}
            accepting = sum(state.accepts for state in known.values())
            counts = {"members": len(states), "writers": accepting}
            wrong = [str(state) for state in states.values() if not isinstance(state, State)] + apart(known)
            now = time.monotonic()
            if goal < 0:
                goal = max((state.seqno for state in known.values()), default=-1)
            late = behind(known, goal)
            if wrong or (late and now - begun >= SETTLE_S):
                self._seen = None
                return Look(False, "; ".join(wrong or late), counts)
            state = next(iter(known.values()))
            if self._seen is None or self._seen[0] != state.component:
                self._seen = (state.component, now)
            if not late and now - self._seen[1] >= STABLE_S:
                words = f"all {len(known)} members are Synced in configuration {state.conf} of {state.size} and accept writes"
                return Look(True, words, counts)
            time.sleep(AGAIN_S)  # Nothing announces that nothing happens.

    def position(self) -> str:
        """The cluster's identity and the highest number that a member which accepts writes has committed."""
        states = self._asking.everybody(self._state)
        writing = {host: s for host, s in states.items() if isinstance(s, State) and s.accepts}
        if not writing:
            words = "; ".join(f"{host}: {state}" for host, state in states.items())
            raise WayInFailed(f"no member of database {self.database.name} accepts writes now: {words}")
        clusters = {state.cluster for state in writing.values()}
        if len(clusters) > 1 or len({state.component for state in writing.values()}) > 1:
            words = "; ".join(f"{host}: {state}" for host, state in writing.items())
            raise WayInFailed(f"members of several components of database {self.database.name} accept writes: {words}")
        return f"{clusters.pop()}:{max(state.seqno for state in writing.values())}"

    def settled(self, host: str, since: str) -> Look:
        """Whether it is of that cluster and has committed everything up to that number."""
        cluster, _, at = since.rpartition(":")
        state = self._asking.one(host, lambda: self._state(host))
        if isinstance(state, DrdrillError):
            return Look(None, str(state))
        if state.cluster != cluster:
            return Look(False, f"{host} is of cluster {state.cluster or 'none'}, the writers of {cluster}")
        missing = max(0, int(at) - state.seqno)
        return Look(missing == 0, f"{host} lacks {missing} write sets", {"missing_write_sets": missing})

    def _at_writer(self, statement: str) -> list[list[Any]]:
        """At the first member that accepts writes."""
        states = self._asking.everybody(self._state)
        host = next((host for host, s in states.items() if isinstance(s, State) and s.accepts), None)
        if host is None:
            words = "; ".join(f"{host}: {state}" for host, state in states.items())
            raise WayInFailed(f"no member of database {self.database.name} accepts writes now: {words}")
        rows = self._asking.one(host, lambda: self._ask[host].rows(statement, within_s=ANSWER_S))
        if isinstance(rows, DrdrillError):
            raise rows
        return rows

    def close(self) -> None:
        """End every session, each in the thread that uses it, and then the process that makes them."""
        asked = {host: connection.close for host, connection in self._ask.items()}
        sampled = {host: connection.close for host, connection in self._claim.items()}
        closed([*self._asking.close(asked), *self._sampling.close(sampled)])
        with self._making:
            zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close()

    # --- moving -------------------------------------------------------------------------------------------------------

    def switch_over(self, host: str) -> None:
        """There is nothing to move."""
        raise Refused(
            f"every member of database {self.database.name} accepts writes, so {host} writes already and no writer can be moved; "
            "a site is relieved by draining its entry, which is what a switchover of a service without `served_by: {writer: ...}` "
            "does"
        )
