# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""As it was before: what an estate looks like, and what differs between two looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.connect.capabilities import STRIKING, Look
from drdrill.drill.holders import held_once
from drdrill.errors import DrdrillError
from drdrill.faults.limits import recover_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.connect.registry import Ways
    from drdrill.engines.engine import Engine
    from drdrill.estate.model import Estate


@dataclass(frozen=True)
class Picture:
    """One look at an estate.

    Args:
        hosts: whether each is up with everything that should run on it; empty where nobody can be asked.
        databases: whether the members of each are in step.
        writers: who writes to each, or None.
        holds: what is struck and in force, whoever struck it, and those who could not be asked.
        addresses: whether exactly one host answers for each address that several take turns with.
    """

    hosts: Mapping[str, Look] = field(default_factory=dict)
    databases: Mapping[str, Look] = field(default_factory=dict)
    writers: Mapping[str, str | None] = field(default_factory=dict)
    holds: Mapping[str, Look] = field(default_factory=dict)
    addresses: Mapping[str, Look] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was. `certain` is False where it only could not be told."""

    what: str
    before: str
    after: str
    command: str | None
    certain: bool

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return {"what": self.what, "before": self.before, "after": self.after, "command": self.command}

    def __str__(self) -> str:
        return f"{self.what}: before: {self.before}; now: {self.after}"


def look(estate: Estate, ways: Ways, engine: Callable[[str], Engine]) -> Picture:
    """Look at everything once. What cannot be looked at answers None; nothing is raised for it."""
    inventory = ways.inventory()
    silent = {host: Look(None, "nobody can be asked") for host in estate.hosts}
    hosts = _asked(lambda: dict(inventory.states()), silent) if inventory else {}
    databases: dict[str, Look] = {}
    writers: dict[str, str | None] = {}
    for name in estate.databases:
        databases[name] = _asked(lambda name=name: engine(name).in_step(), Look(None, "it could not be asked"))  # type: ignore[misc]
        writers[name] = _asked(lambda name=name: engine(name).writer(), None)  # type: ignore[misc]
    return Picture(hosts, databases, writers, open_holds(ways), held_once(estate, ways))


def open_holds(ways: Ways) -> dict[str, Look]:
    """Every hold that is in force, by whoever: False; a way in that does not answer: None."""
    holds: dict[str, Look] = {}
    for capability in STRIKING:
        for way in ways.every(capability):
            try:
                holds |= {hold: Look(False, f"a strike on {capability} is in force") for hold in way.holds()}
            except (DrdrillError, OSError) as error:
                holds[f"{capability} through {way.name}"] = Look(None, str(error))
    return holds


def _asked(question: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return question()
    except (DrdrillError, OSError) as error:
        if isinstance(otherwise, Look):
            return Look(None, str(error))
        if isinstance(otherwise, dict):
            return {name: Look(None, str(error)) for name in otherwise}
        return otherwise


def differences(estate: Estate, before: Picture, after: Picture) -> list[Difference]:
    """What was well before and is not now. A writer that moved is no difference: `moved` says it."""
    found: list[Difference] = []
    command = recover_command(estate)
    looked = (
        ("host", before.hosts, after.hosts),
        ("database", before.databases, after.databases),
        ("address of service", before.addresses, after.addresses),
    )
    for kind, then, now in looked:
        for name, was in then.items():
            seen = now.get(name, Look(None, "it was not seen"))
            if was.answer is True and seen.answer is not True:
                found.append(Difference(f"{kind} {name}", was.words, seen.words, None, seen.answer is False))
    for hold, seen in after.holds.items():
        if hold not in before.holds:
            found.append(Difference(f"hold {hold}", "not there", seen.words, command, seen.answer is False))
    return found


def moved(before: Picture, after: Picture) -> list[str]:
    """Writers that are elsewhere now: reported, and not residual."""
    return [
        f"the writer of database {name} was {was} and is {after.writers.get(name) or 'nobody'} now"
        for name, was in before.writers.items()
        if was != after.writers.get(name)
    ]
