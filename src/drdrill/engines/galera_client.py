# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Clients of a Galera cluster, and the tables into which a drill writes."""

from __future__ import annotations

import re
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from drdrill.connect import odbc_session
from drdrill.connect.odbc_zygote import Zygote
from drdrill.connect.sql import SqlFailed
from drdrill.engines.client import ClientSession, first_writer
from drdrill.engines.galera_state import STATE, State
from drdrill.engines.ledger import LIKE, about, drop_statement, ledger_of, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.odbc_session import Session
    from drdrill.connect.odbc_string import ConnectionString
    from drdrill.engines.client import SqlClient
    from drdrill.engines.engine import Address, Outcome
    from drdrill.estate.model import Database

_KEYS: Final = "character set ascii collate ascii_bin"
"""Keys are ASCII and compared by their bytes, whatever the database compares by."""
CREATE: Final = (
    "create table {table} (`key` varchar(200) " + _KEYS + " primary key) engine = InnoDB comment = '{about}'"
)
INSERT: Final = "insert into {table} values ({key})"
_PLAIN: Final = re.compile(r"[ -&(-\[\]-~]+")
"""What may stand between quotes as it is: printable ASCII without quotes and backslashes, as all keys of drills are."""
LEDGERS: Final = (
    f"select table_name from information_schema.tables where table_schema = database() and table_name like '{LIKE}'"  # noqa: S608
)
PROBE: Final = "drdrill_probe"
"""The one table that probes need: a row is put into it and taken out in one transaction, so it is always empty."""
PROBE_TABLE: Final = (
    f"create table if not exists {PROBE} (id bigint primary key) engine = InnoDB "
    "comment = 'drdrill: always empty; its probes commit here, and make it again when it is gone'"
)
# Galera replicates no commit that changes nothing, and has no message of its own as PostgreSQL has. A row that comes and goes in
# one transaction is a write set like any other: replicated, certified, committed to disk. One statement, one round trip.
COMMIT: Final = (
    f"begin not atomic start transaction; insert into {PROBE} values ({{n}}); "  # noqa: S608
    f"delete from {PROBE} where id = {{n}}; commit; end"
)
_NO_TABLE: Final = "42S02/1146"
_READ_ONLY: Final = frozenset({1290, 1792, 1836})

# A definite answer of the server, given before anything was committed. Everything else is unknown, above all what the client
# library says of a lost connection (2006, 2013), and 1180, an error during COMMIT.
_NOT_PREPARED: Final = 1047
_ROLLED_BACK: Final = frozenset({1213, 1020})
_REJECTED: Final = frozenset({1044, 1045, 1049, 1054, 1062, 1064, 1142, 1143, 1146, 1406, _NOT_PREPARED}) | _READ_ONLY


class GaleraSession(ClientSession):
    """One session with one member.

    Args:
        session: of a client.
        table: one that a client may read, so that reading is really tried; None: only the member's word is asked for.
    """

    def __init__(self, session: Session, table: str | None) -> None:
        self._session = session
        # A member without quorum tells its state and refuses every table, as it does to clients.
        self._asks = STATE if table is None else f"{STATE} union all (select 'ROW', 1 from {table} limit 1)"  # noqa: S608

    @property
    def stale(self) -> bool:
        """Whether it can be used no more."""
        return self._session.stale

    async def write(self, table: str, key: str) -> None:
        """One row, one commit."""
        if _PLAIN.fullmatch(key):
            # Half of the processor time that a parameter takes, which the driver prepares and describes each time.
            await self._session.rows(INSERT.format(table=plain(table), key=f"'{key}'"))
        else:
            await self._session.rows(INSERT.format(table=plain(table), key="?"), (key,))

    async def accepts_writes(self) -> bool:
        """In a component with quorum, ready, and not made read-only. Reads a row as well: whoever cannot be read raises."""
        return State.of(await self._session.rows(self._asks)).accepts

    async def commit(self) -> bool:
        """A row that comes and goes. Its table is made when it is not there, by several at once; what that undoes is repeated."""
        statement = COMMIT.format(n=secrets.randbits(62))
        again = 2
        while True:
            try:
                await self._session.rows(statement)
            except SqlFailed as error:
                again -= 1
                if again >= 0 and error.code == _NO_TABLE:
                    await self._session.rows(PROBE_TABLE)
                elif again < 0 or number(error.code) not in _ROLLED_BACK:
                    self.close()  # The transaction may be open still, and a write that came next would only be a part of it.
                    if number(error.code) in _READ_ONLY:
                        return False
                    raise
            else:
                return True

    def close(self) -> None:
        """At once."""
        self._session.close()


class GaleraClient:
    """A client that knows some members, and writes to the first of them that accepts writes.

    Args:
        strings: for each member what it is reached with, but for the address.
        addresses: in the order in which they are tried.
        table: one that a client may read.

    Raises:
        BadInput: there is no driver.
    """

    def __init__(
        self, strings: Mapping[str, ConnectionString], addresses: Mapping[str, Address], table: str | None
    ) -> None:
        self._zygote = Zygote()  # Now, and not in the first attempt, whose time runs.
        for host in addresses:
            strings[host].text(self._zygote.drivers())
        self._strings = strings
        self._addresses = dict(addresses)
        self._table = table

    async def reach(self, host: str) -> ClientSession:
        """A session with this member, whatever its state."""
        session = await odbc_session.connect(self._zygote, self._strings[host], self._addresses[host])
        return GaleraSession(session, self._table)

    async def writer(self) -> ClientSession:
        """A session with a member that accepts writes."""
        _, session = await first_writer({host: partial(self._accepting, host) for host in self._addresses})
        return session

    async def _accepting(self, host: str) -> ClientSession:
        session = await self.reach(host)
        accepts = False
        try:
            accepts = await session.accepts_writes()
        finally:
            if not accepts:
                session.close()
        if not accepts:
            raise SqlFailed("session is read-only: the member accepts no writes")
        return session


class ClientSide:
    """What the engine gives to clients of the database itself, and the tables that they write to."""

    database: Database
    _strings: Mapping[str, ConnectionString]

    def _at_writer(self, statement: str) -> list[list[Any]]:
        """Carry out a statement at a member that accepts writes, over the management path. Raises WayInFailed."""
        raise NotImplementedError

    def client(self, addresses: Mapping[str, Address]) -> SqlClient:
        """Sessions over ODBC, with the account of the members' dsn."""
        tables = [quoted(table.name) for table in self.database.tables.values()]
        return GaleraClient(self._strings, addresses, tables[0] if tables else None)

    def make_ledger(self, drill: str) -> str:
        """One table, in the database of the dsn."""
        table = ledger_of(drill)
        self._at_writer(CREATE.format(table=table, about=about(table)))
        return table

    def drop_ledger(self, table: str) -> None:
        """On every member of the component at the same time."""
        self._at_writer(drop_statement(table))

    def drop_statement(self, table: str) -> str:
        """Fine when it is gone."""
        return drop_statement(table)

    def ledgers(self) -> Sequence[str]:
        """By the beginning of their names."""
        return [str(name) for (name,) in self._at_writer(LEDGERS)]

    def classify(self, phase: Literal["connect", "statement", "commit"], code: str | None) -> Outcome:
        """Phase first: who never connected wrote nothing. Then the server's number, where it proves that nothing stays."""
        if phase == "connect":
            return "fail"
        found = number(code)
        if found in _ROLLED_BACK or (phase == "statement" and found in _REJECTED):
            return "fail"
        return "unknown"


def number(code: str | None) -> int | None:
    """The server's own number in a code `SQLSTATE/NUMBER`."""
    told = (code or "").rpartition("/")[2]
    return int(told) if told.isdigit() and code != told else None


def quoted(name: str) -> str:
    """A name of a table or column, which may have its database before a dot, as it may stand in a statement."""
    return ".".join(f"`{part.replace('`', '``')}`" for part in name.split("."))
