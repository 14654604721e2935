# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of a guard: what would be left, asked live before each strike and read again while something is held.

A guard only looks. Its answer is a look: true, this may be struck; false, it may not; None, it cannot be told, which refuses
as well. One file each; a team's own is an entry point in the group `drdrill.guards`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from drdrill.connect.capabilities import Look
from drdrill.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drdrill.drill.asks import Asks
    from drdrill.engines.engine import Member
    from drdrill.estate.model import Estate


_NOBODY: Final = Look(None, "nobody can be asked whether it is up; add `shell:` to it")


@dataclass
class Case:
    """One moment, as guards see it. What was asked once in it is not asked again.

    Args:
        asks: questions to the estate.
        gone: the hosts that are struck, those of the strike in question among them.
        sites: the sites that are struck as a whole.
        new: the hosts of the strike in question; empty while something is only held.
        standpoints: hosts on which the drill itself depends, and why.
        quorum_lost: whether a strike that is in force took the quorum on purpose.
    """

    asks: Asks
    gone: frozenset[str]
    sites: frozenset[str] = frozenset()
    new: tuple[str, ...] = ()
    standpoints: Mapping[str, str] = field(default_factory=dict)
    quorum_lost: bool = False
    _members: dict[str, Sequence[Member]] = field(default_factory=dict, repr=False)

    @property
    def estate(self) -> Estate:
        """All of it."""
        return self.asks.estate

    @cached_property
    def _states(self) -> Mapping[str, Look] | None:
        inventory = self.asks.ways.inventory()
        return None if inventory is None else inventory.states()

    def members(self, database: str) -> Sequence[Member]:
        """Every member of a database, as its engine sees it."""
        if database not in self._members:
            self._members[database] = self.asks.engine(database).members()
        return self._members[database]

    def up(self, hosts: Iterable[str]) -> dict[str, Look]:
        """Whether each of these hosts is up, by its own shell: what serves on it may wait for a failover meanwhile."""
        return {host: self._shell(host) or self._state(host) or _NOBODY for host in hosts}

    def well(self, hosts: Iterable[str]) -> dict[str, Look]:
        """Whether each of them is up with all that should run on it, by whoever knows all hosts; else by its shell."""
        return {host: self._state(host) or self._shell(host) or _NOBODY for host in hosts}

    def _state(self, host: str) -> Look | None:
        return None if self._states is None else self._states.get(host, Look(None, "nobody knows it"))

    def _shell(self, host: str) -> Look | None:
        if not self.estate.hosts[host].ways.get("shell"):
            return None
        try:
            return self.asks.ways.shell([host]).ready([host])
        except DrdrillError as error:
            return Look(None, str(error))


class Guard(Protocol):
    """One reason not to strike."""

    name: ClassVar[str]
    """As in journal and messages: `votes`."""
    lifted: ClassVar[bool] = False
    """Whether its no is lifted by a sentence that expects the loss of quorum, where the estate allows that."""

    def before(self, case: Case) -> Look:
        """Whether the strike may be. Bounded; raises what the estate raises, which refuses."""

    def held(self, case: Case) -> Look | None:
        """Whether what is struck may stay so, by what broke beside it; None when there is nothing to read again."""


def listed(looks: Mapping[str, Look]) -> str:
    """Hosts with what was seen of them."""
    return ", ".join(f"{host} ({look.words})" for host, look in looks.items())
