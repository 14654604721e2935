# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of a database engine: what a drill asks, whoever makes the database.

No engine leaks into a sentence, a step, a fault or a check. An engine is made for one database of the estate and opens its
own connections through the management path, which no fault cuts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.connect.capabilities import Look
    from drdrill.engines.client import SqlClient

Outcome = Literal["ok", "fail", "unknown"]
Address = tuple[str, int]
"""Host and port, as a client at some place reaches a member."""
LEDGER_KEY: Final = "key"
"""The column of a ledger that holds the keys of its writes."""


@dataclass(frozen=True)
class Member:
    """One member as the engine itself sees it.

    `role` is writer, replica, voter or unknown; `in_step` is None where it cannot be told. `lag_bytes` is how far a replica
    is behind; `words` say what was asked and answered.
    """

    host: str
    site: str | None
    role: Literal["writer", "replica", "voter", "unknown"]
    healthy: bool
    in_step: bool | None
    lag_bytes: int | None
    words: str
    synchronous: bool | None = None


class Claimed(NamedTuple):
    """What one member says of itself: whether it accepts writes now (None: silent), and in which component it does.

    Members of one component agree on every commit before it is acknowledged, so that more than one of them may write. Each has
    the same number then, which is not 0. 0: it is a component by itself, and nobody else may write while it does.
    """

    host: str
    accepts: bool | None
    component: int = 0


class Engine(Protocol):
    """One replicated database."""

    name: str
    consistency: str
    """The level that the engine promises to a client, in its own words."""

    def members(self) -> Sequence[Member]:
        """Every member that can hold data, asked at the same time, each within 2 s; a silent one is `unknown`."""

    def writer(self) -> str | None:
        """The one host that claims to be the writer; None when there is none, or more than one."""

    def claims(self) -> Sequence[Claimed]:
        """Quickly, for sampling: each member and whether it claims to accept writes now."""

    def readable(self, host: str) -> Look:
        """Whether this member can be read now."""

    def keys(self, host: str, table: str, column: str, prefix: str) -> Iterator[str]:
        """Every key of this table that begins with `prefix`, in order, from this member. Raises WayInFailed."""

    def in_step(self) -> Look:
        """True: one writer, every other member follows it on its timeline and has everything (lag 0, synchronous if promised)."""

    def settled(self, host: str, since: str) -> Look:
        """Whether this member has applied everything up to the position `since` of `position()`."""

    def position(self) -> str:
        """The writer's current position in its log. Raises WayInFailed."""

    def switch_over(self, host: str) -> None:
        """Planned: make this member the writer, and return once it claims to be. Raises WayInFailed, Refused."""

    def classify(self, phase: Literal["connect", "statement", "commit"], code: str | None) -> Outcome:
        """What a client may conclude from an error: phase first, code second."""

    # --- clients of the database itself ---------------------------------------------------------------------------------

    def client(self, addresses: Mapping[str, Address]) -> SqlClient:
        """A client that reaches the members at these addresses, in this order. Opens nothing yet. Raises BadInput."""

    def make_ledger(self, drill: str) -> str:
        """Make the table for the numbered writes of a drill, beside the data that it stands for; its name.

        Its key column is `LEDGER_KEY`. Returns once the writer has committed it. Raises WayInFailed.
        """

    def drop_ledger(self, table: str) -> None:
        """Drop a ledger; fine when it is gone. Raises WayInFailed."""

    def drop_statement(self, table: str) -> str:
        """What a person can type at the writer, for when dropping fails."""

    def ledgers(self) -> Sequence[str]:
        """Every ledger that any drill left in this database. Raises WayInFailed."""

    def close(self) -> None:
        """Close every connection; whoever asks again opens new ones. An engine that keeps none has nothing to do."""
