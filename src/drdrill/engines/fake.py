# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A database in memory, on top of the fake estate: every member holds every row, and the next one up is the writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from drdrill.connect.capabilities import Look
from drdrill.connect.fake_world import World
from drdrill.engines.engine import Claimed, Engine, Member, Outcome
from drdrill.errors import BadInput, Refused, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.engines.client import SqlClient
    from drdrill.engines.engine import Address
    from drdrill.estate.model import Database, Estate


class FakeEngine(Engine):
    """Fails over in no time, loses nothing."""

    name = "fake"
    consistency = "every member holds every acknowledged row"

    def __init__(self, estate: Estate, database: Database) -> None:
        self.estate = estate
        self.database = database
        self.world = World.of(estate)

    def _up(self) -> list[str]:
        with self.world.looking("engine.up"):
            off = self.world.off_hosts()
        return [host for host in self.database.nodes if host not in off]

    def writer(self) -> str | None:
        """The writer; when it is off, the next member that is up takes over for good."""
        up = self._up()
        current = self.world.writers.get(self.database.name, next(iter(self.database.nodes)))
        if current not in up and up:
            current = up[0]
        self.world.writers[self.database.name] = current
        return current if current in up else None

    def members(self) -> Sequence[Member]:
        """Every member, from the world."""
        writer, up = self.writer(), self._up()
        return [self._member(host, writer, host in up) for host in self.database.nodes]

    def _member(self, host: str, writer: str | None, up: bool) -> Member:
        role: Literal["writer", "replica", "unknown"] = (
            "unknown" if not up else "writer" if host == writer else "replica"
        )
        words = "it is up" if up else "it is off"
        return Member(
            host, self.estate.hosts[host].site, role, up, up or None, 0 if up else None, words, up and host != writer
        )

    def claims(self) -> Sequence[Claimed]:
        """Each member, and None for one that is off."""
        writer, up = self.writer(), self._up()
        return [Claimed(host, host == writer if host in up else None) for host in self.database.nodes]

    def readable(self, host: str) -> Look:
        """Whether it is up."""
        up = host in self._up()
        return Look(up, f"{host} is {'up' if up else 'off'}")

    def keys(self, host: str, table: str, column: str, prefix: str) -> Iterator[str]:
        """The rows of the world."""
        del column
        if host not in self._up():
            raise WayInFailed(f"{host} is off, so table {table} cannot be read there")
        return (k for k in sorted(self.world.rows.get(self.database.name, [])) if k.startswith(prefix))

    def in_step(self) -> Look:
        """Whether all members are up."""
        up = self._up()
        missing = [host for host in self.database.nodes if host not in up]
        return Look(not missing, f"{', '.join(missing)} off" if missing else f"{len(up)} members in step")

    def settled(self, host: str, since: str) -> Look:
        """At once."""
        del since
        return self.readable(host)

    def position(self) -> str:
        """The number of rows."""
        if self.writer() is None:
            raise WayInFailed(f"database {self.database.name} has no writer")
        return str(len(self.world.rows.get(self.database.name, [])))

    def switch_over(self, host: str) -> None:
        """At once."""
        if host not in self._up():
            raise WayInFailed(f"{host} is off and cannot become the writer")
        if self.writer() == host:
            raise Refused(f"{host} is the writer of database {self.database.name} already")
        self.world.writers[self.database.name] = host

    def client(self, addresses: Mapping[str, Address]) -> SqlClient:
        """There is none: a database in memory has no address."""
        raise BadInput(f"database {self.database.name} is in memory, so no client reaches {', '.join(addresses)}")

    def make_ledger(self, drill: str) -> str:
        """A name in the world."""
        if self.writer() is None:
            raise WayInFailed(f"database {self.database.name} has no writer")
        table = f"ledger_{drill}"
        self.world.ledgers.setdefault(self.database.name, []).append(table)
        return table

    def drop_ledger(self, table: str) -> None:
        """Out of the world."""
        if self.writer() is None:
            raise WayInFailed(f"database {self.database.name} has no writer")
        left = self.world.ledgers.get(self.database.name, [])
        self.world.ledgers[self.database.name] = [name for name in left if name != table]

    def drop_statement(self, table: str) -> str:
        """There is none to type."""
        return f"drop {table}"

    def ledgers(self) -> Sequence[str]:
        """What the world has."""
        return tuple(self.world.ledgers.get(self.database.name, []))

    def classify(self, phase: Literal["connect", "statement", "commit"], code: str | None) -> Outcome:
        """A refused connection did nothing; whatever else failed may have."""
        del code
        return "fail" if phase == "connect" else "unknown"
