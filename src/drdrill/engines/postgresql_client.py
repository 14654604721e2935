# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Clients of PostgreSQL, and the table into which a drill writes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from drdrill.connect import libpq
from drdrill.connect.psycopg import driver
from drdrill.engines.client import ClientSession, first_writer
from drdrill.engines.ledger import LIKE, about, drop_statement, ledger_of, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.libpq import Session
    from drdrill.engines.client import SqlClient
    from drdrill.engines.engine import Address, Outcome
    from drdrill.estate.model import Database

CREATE: Final = "create table {table} (key varchar(200) primary key)"
COMMENT: Final = "comment on table {table} is '{about}'"
INSERT: Final = "insert into {table} (key) values ($1)"
LEDGERS: Final = (
    f"select tablename::text from pg_tables where schemaname = current_schema() and tablename like '{LIKE}'"  # noqa: S608
)
_WRITABLE: Final = "not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off'"
ACCEPTS: Final = f"select {_WRITABLE}"
# A message in the log is the smallest commit there is: it waits for the disk and for the standby like every other, needs no
# table and no right, and leaves no row. `case` keeps a replica from trying, since it would only answer with an error.
COMMIT: Final = f"select case when ({_WRITABLE}) then pg_logical_emit_message(true, 'drdrill', 'probe') end"


# A definite answer of the server, given before the commit: nothing of the statement stays. Everything else is unknown, above
# all what ends a connection (class 08, 57P), a cancel (57014), and 40003, which means "statement completion unknown".
_ROLLED_BACK: Final = frozenset({"40001", "40P01", "25006"})
_CERTAIN_CLASSES: Final = {"statement": ("0A", "22", "23", "42"), "commit": ("23",)}


class PostgreSQLSession(ClientSession):
    """One session with one PostgreSQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def stale(self) -> bool:
        """Whether it can be used no more."""
        return self._session.stale

    async def write(self, table: str, key: str) -> None:
        """One row, one commit."""
        await self._session.rows(INSERT.format(table=plain(table)), (key,))

    async def accepts_writes(self) -> bool:
        """Out of recovery, and not made read-only."""
        ((answer,),) = await self._session.rows(ACCEPTS)
        return answer == "t"

    async def commit(self) -> bool:
        """A message in the log."""
        ((position,),) = await self._session.rows(COMMIT)
        return position is not None

    def close(self) -> None:
        """At once."""
        self._session.close()


class PostgreSQLClient:
    """A client that knows all its members and finds the one that writes.

    Args:
        dsns: for each member what it is reached with, but for the address.
        addresses: in the order in which they are tried at first; later the last writer comes first.
    """

    def __init__(self, dsns: Mapping[str, str], addresses: Mapping[str, Address]) -> None:
        driver()  # Loaded now, and not in the first attempt, whose time runs.
        self._dsns = dsns
        self._addresses = dict(addresses)
        self._last: str | None = None

    async def reach(self, host: str) -> ClientSession:
        """A session with this member, whatever its role."""
        return await self._open(host, writer=False)

    async def writer(self) -> ClientSession:
        """A session with the member that accepts writes."""
        order = sorted(self._addresses, key=lambda host: host != self._last)
        self._last, session = await first_writer({host: partial(self._open, host, writer=True) for host in order})
        return session

    async def _open(self, host: str, *, writer: bool) -> ClientSession:
        return PostgreSQLSession(await libpq.connect(self._dsns[host], self._addresses[host], writer=writer))


class ClientSide:
    """What the engine gives to clients of the database itself, and the tables that they write to."""

    database: Database

    def _at_writer(self, statement: str) -> list[tuple[Any, ...]]:
        """Carry out a statement at the writer, over the management path. Raises WayInFailed."""
        raise NotImplementedError

    def client(self, addresses: Mapping[str, Address]) -> SqlClient:
        """Sessions by libpq, with the account of the members' dsn."""
        return PostgreSQLClient({host: node["dsn"] for host, node in self.database.nodes.items()}, addresses)

    def make_ledger(self, drill: str) -> str:
        """One table, in the schema that comes first in the account's search path."""
        table = ledger_of(drill)
        self._at_writer(CREATE.format(table=table))
        self._at_writer(COMMENT.format(table=table, about=about(table)))
        return table

    def drop_ledger(self, table: str) -> None:
        """A session that still holds the table is waited for, a little."""
        self._at_writer(drop_statement(table))

    def drop_statement(self, table: str) -> str:
        """Fine when it is gone."""
        return drop_statement(table)

    def ledgers(self) -> Sequence[str]:
        """By the beginning of their names."""
        return [str(name) for (name,) in self._at_writer(LEDGERS)]

    def classify(self, phase: Literal["connect", "statement", "commit"], code: str | None) -> Outcome:
        """Phase first: who never connected wrote nothing. Then the SQLSTATE, where it proves a rollback."""
        if phase == "connect":
            return "fail"
        if code is not None and (code in _ROLLED_BACK or code[:2] in _CERTAIN_CLASSES[phase]):
            return "fail"
        return "unknown"
