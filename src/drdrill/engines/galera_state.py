# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a member of a Galera cluster says of itself, and what that means. Pure but for the question."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ASKED: Final = (
    "CLUSTER_CONF_ID", "CLUSTER_SIZE", "CLUSTER_STATE_UUID", "CLUSTER_STATUS", "INCOMING_ADDRESSES", "LAST_COMMITTED",
    "LOCAL_RECV_QUEUE", "LOCAL_STATE_COMMENT", "READY",
)  # fmt: skip
_NAMES: Final = ", ".join(f"'WSREP_{name}'" for name in _ASKED)
STATE: Final = (
    f"select variable_name, variable_value from information_schema.global_status where variable_name in ({_NAMES}) "  # noqa: S608
    "union all select 'READ_ONLY', @@read_only"
)
"""Answered by a member of no quorum as well, which refuses every question that needs a table."""
MANAGEMENT: Final = ("set session wsrep_sync_wait = 0, wsrep_dirty_reads = 1",)
"""What is asked over the management path is what this member holds: it waits for nobody, and a member without quorum answers."""


@dataclass(frozen=True)
class State:
    """One member's own word.

    Args:
        cluster: the identity of the data: members with another one have never been, or are no more, one cluster.
        conf: the number of the configuration; one more at every change of who belongs to it.
        size: how many belong to it, arbitrators included.
        peers: the addresses of the members with data that belong to it.
        primary: whether its component has the quorum.
        ready: whether it accepts statements.
        comment: `Synced`, `Joiner`, `Donor/Desynced`, `Initialized` ...
        seqno: of the last write set that it has committed.
        queue: how many write sets it has received and not applied.
        read_only: whether it was told to refuse writes.
    """

    cluster: str
    conf: str
    size: int
    peers: tuple[str, ...]
    primary: bool
    ready: bool
    comment: str
    seqno: int
    queue: int
    read_only: bool

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]]) -> State:
        """From the answer to `STATE`. What a server without Galera does not say is as if it belonged to nothing."""
        told = {str(name).upper().removeprefix("WSREP_"): str(value) for name, value in rows}
        return cls(
            cluster=told.get("CLUSTER_STATE_UUID", ""),
            conf=told.get("CLUSTER_CONF_ID", ""),
            size=int(told.get("CLUSTER_SIZE") or 0),
            peers=tuple(sorted(p for p in told.get("INCOMING_ADDRESSES", "").split(",") if p)),
            primary=told.get("CLUSTER_STATUS") == "Primary",
            ready=told.get("READY") == "ON",
            comment=told.get("LOCAL_STATE_COMMENT", "no member of a cluster"),
            seqno=int(told.get("LAST_COMMITTED") or -1),
            queue=int(told.get("LOCAL_RECV_QUEUE") or 0),
            read_only=told.get("READ_ONLY", "0") not in {"0", "OFF"},
        )

    @property
    def accepts(self) -> bool:
        """Whether the next INSERT is taken."""
        return self.primary and self.ready and not self.read_only

    @property
    def synced(self) -> bool:
        """Whether it has caught up with its component."""
        return self.primary and self.ready and self.comment == "Synced"

    @property
    def component(self) -> int:
        """The number of the component that it believes to belong to, never 0.

        Not of the configuration's number alone: both halves of a cluster that goes on without quorum count it up by one.
        """
        whole = f"{self.cluster} {self.conf} {self.size} {' '.join(self.peers)}"
        return zlib.crc32(whole.encode()) or 1

    def __str__(self) -> str:
        if not self.primary:
            return f"it is in no component with a quorum ({self.comment}), and accepts no writes"
        words = f"it is {self.comment} in configuration {self.conf} of {self.size}, at {self.seqno}"
        if self.queue:
            words += f", with {self.queue} write sets to apply"
        if self.read_only:
            words += ", and read-only"
        return words if self.ready else f"{words}, and accepts no statements yet"


def apart(states: Mapping[str, State]) -> list[str]:
    """Why these members do not belong together, in words; empty when all are Synced, accept writes and are of one component.

    What one has yet to apply is not asked here: while anybody writes, a member is caught with a write set in its queue at times.
    """
    found = [f"{host}: {state}" for host, state in states.items() if not state.synced or state.read_only]
    if not found and len({state.component for state in states.values()}) > 1:
        found = [f"{host}: {state}" for host, state in states.items()]
        found.append("so they are not of one component")
    return found


def behind(states: Mapping[str, State], seqno: int) -> list[str]:
    """Who has not committed everything up to this number, in words."""
    late = {host: state for host, state in states.items() if state.seqno < seqno}
    return [f"{host} lacks {seqno - state.seqno} write sets ({state})" for host, state in late.items()]
