# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every way in shares that strikes by commands on the hosts: whose shells it uses, and who is asked about which hold."""

from __future__ import annotations

import json
import shlex
from abc import ABC, abstractmethod
from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar, Self

from drdrill.connect.artefacts import Artefact, Sight
from drdrill.connect.capabilities import Ran
from drdrill.connect.leftovers_agent import TAG
from drdrill.connect.many import Many, Order, faults, silent
from drdrill.connect.registry import Ways
from drdrill.errors import BadInput, Unreachable, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.capabilities import Lease
    from drdrill.estate.model import Estate


def leftovers(verb: str, *arguments: str) -> str:
    """The command line that finds, or takes away, what strikes left on a host."""
    program = files("drdrill.connect").joinpath("leftovers_agent.py").read_text()
    return shlex.join(["python3", "-c", program, verb, *arguments])


class OfShells(ABC):
    """A way in that is made of shells.

    Args:
        estate: says which hosts there are, and how each is reached.
        ways: whose shells are used; without any they are our own.
    """

    name: str
    capability: ClassVar[str]
    """What it can do, as hosts of the estate file name it: `links`."""
    leased = True

    def __init__(self, estate: Estate, ways: Ways | None = None) -> None:
        self.estate = estate
        self._own = ways is None
        self._many = Many(ways or Ways(estate))
        self._struck: dict[str, tuple[str, ...]] = {}
        self._drills: dict[str, str] = {}

    @classmethod
    def over(cls, ways: Ways) -> Self:
        """Over the shells that are in use already."""
        return cls(ways.estate, ways)

    def close(self) -> None:
        """End the connections, where they are our own."""
        if self._own:
            self._many.close()

    def supports(self, hosts: Sequence[str]) -> bool:
        """Whether the estate file says how to run commands on all these hosts."""
        return all(host in self.estate.hosts and self.estate.hosts[host].ways_in("shell") for host in hosts)

    def revoke(self, drill: str) -> None:
        """Nobody can renew a hold of this drill any more. Raises WayInFailed when a host that answers refuses, or none answers."""
        answers = self._many.ask([self._revoking(host, drill) for host in self._every()])
        wrong, gone = faults(answers), silent(answers)
        if wrong and (wrong.keys() - gone or gone == answers.keys()):
            raise WayInFailed("; ".join(wrong.values()))

    def holds(self, drill: str | None = None) -> Sequence[str]:
        """The open holds, as the hosts know them.

        Raises:
            Unreachable: a host where this process struck does not answer, or none at all does.
        """
        found, wrong = self._open(self._every())
        struck = {host for hold, hosts in self._struck.items() if drill in {None, self._drills[hold]} for host in hosts}
        if missed := [words for host, words in wrong.items() if host in struck or len(wrong) == len(self._every())]:
            raise Unreachable("; ".join(missed))
        return sorted(hold for hold, owner in found.items() if drill is None or owner in {drill, ""})

    def found(self) -> Sight:
        """Every folder, timer and table of this kind that carries a tag, on every host that answers."""
        answers = self._many.ask([Order(host, leftovers("found", self.capability)) for host in self._every()])
        wrong = faults(answers)
        seen = [
            Artefact(what, tag, drill, host, age_s, in_force)
            for host, ran in answers.items()
            if isinstance(ran, Ran) and host not in wrong
            for what, tag, drill, age_s, in_force in json.loads(ran.out)
        ]
        return Sight(seen, tuple(wrong.values()))

    def remove(self, tag: str) -> None:
        """Heal this hold on every host, and take away what is left of it. Raises WayInFailed, BadInput."""
        if not TAG.fullmatch(tag):
            raise BadInput(f"{tag!r} is no tag of a hold, so nothing is removed")
        self.restore(tag)
        self._many.tell([Order(host, leftovers("remove", self.capability, tag)) for host in self._every()])

    @abstractmethod
    def restore(self, hold: str) -> Lease:
        """End this hold, whatever is left of it; fine when it is gone."""

    @abstractmethod
    def _open(self, hosts: Sequence[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Each open hold with its drill (empty where nobody wrote it down), and why which host could not be asked."""

    @abstractmethod
    def _revoking(self, host: str, drill: str) -> Order:
        """The command that takes the right to renew away from a drill."""

    def _strikes(self, hold: str, drill: str, hosts: Sequence[str]) -> None:
        """Remember where, before it is done."""
        self._struck[hold], self._drills[hold] = tuple(hosts), drill

    def _where(self, hold: str) -> Sequence[str]:
        """The hosts of a hold: those where it was struck, and every host where that was another process."""
        return self._struck.get(hold) or self._every()

    def _every(self) -> Sequence[str]:
        """Every host for which the estate file names this way in."""
        return [name for name, host in self.estate.hosts.items() if self.name in host.ways_in(self.capability)]
