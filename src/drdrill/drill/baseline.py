# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""As it was before: what an estate looks like, and what differs between two looks."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.capabilities import STRIKING, Look
from drdrill.drill import host_looks
from drdrill.drill.holders import held_once
from drdrill.drill.host_looks import HostLook
from drdrill.errors import DrdrillError
from drdrill.faults.limits import recover_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drdrill.connect.capabilities import Server
    from drdrill.connect.registry import Ways
    from drdrill.engines.engine import Engine, Member
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Undo

_AT_ONCE: Final = 8
_WORD: Final = re.compile(r"[\w.-]+")
_UNSEEN: Final = HostLook(words="it was not seen")


@dataclass(frozen=True)
class Picture:
    """One look at an estate.

    Args:
        hosts: whether each is up with everything that should run on it; empty where nobody can be asked.
        databases: whether the members of each are in step.
        writers: who writes to each, or None.
        holds: what is struck and in force, whoever struck it, and those who could not be asked.
        addresses: whether exactly one host answers for each address that several take turns with.
        members: each member of each database, with its role and how far it is behind, in words.
        roles: how many writers, replicas and voters each database has.
        servers: the state of each server behind each entry host.
        running: what hosts with a shell say of themselves.
    """

    hosts: Mapping[str, Look] = field(default_factory=dict)
    databases: Mapping[str, Look] = field(default_factory=dict)
    writers: Mapping[str, str | None] = field(default_factory=dict)
    holds: Mapping[str, Look] = field(default_factory=dict)
    addresses: Mapping[str, Look] = field(default_factory=dict)
    members: Mapping[str, Look] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)
    running: Mapping[str, HostLook] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was. `certain` is False where it only could not be told."""

    what: str
    before: str
    after: str
    command: str | None
    certain: bool
    cause: str = ""
    """The strikes of this drill that it comes from, as far as those tell."""

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "what": self.what,
            "before": self.before,
            "after": self.after,
            "command": self.command,
            "cause": self.cause,
        }

    def __str__(self) -> str:
        return f"{self.what}: before: {self.before}; now: {self.after}" + (f" ({self.cause})" if self.cause else "")


def look(estate: Estate, ways: Ways, engine: Callable[[str], Engine], *, first: bool = False) -> Picture:
    """Look at everything once, all at the same time. What cannot be looked at answers None; nothing is raised for it.

    Args:
        estate: what is looked at.
        ways: its ways in.
        engine: of a database.
        first: ask as well for what only the baseline needs.
    """
    inventory = ways.inventory()
    for capability in (*STRIKING, "shell"):
        ways.every(capability)  # Made here: what is looked at below is looked at in several threads.
    engines = {name: _asked(lambda name=name: engine(name), None) for name in estate.databases}  # type: ignore[misc]
    silent = {host: Look(None, "nobody can be asked") for host in estate.hosts}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        hosts = pool.submit(_asked, lambda: dict(inventory.states()), silent) if inventory else None
        databases = {name: pool.submit(_database, name, found) for name, found in engines.items()}
        holds, addresses = pool.submit(open_holds, ways), pool.submit(held_once, estate, ways)
        servers, running = pool.submit(_servers, estate, ways), pool.submit(host_looks.look, estate, ways, first=first)
        seen = {name: asked.result() for name, asked in databases.items()}
        return Picture(
            hosts.result() if hosts else {},
            {name: one.in_step for name, one in seen.items()},
            {name: one.writer for name, one in seen.items()},
            holds.result(),
            addresses.result(),
            {member: words for one in seen.values() for member, words in one.members.items()},
            {name: one.roles for name, one in seen.items() if one.roles},
            servers.result(),
            running.result(),
        )


@dataclass(frozen=True)
class _Database:
    """One look at one database."""

    in_step: Look
    writer: str | None = None
    members: Mapping[str, Look] = field(default_factory=dict)
    roles: str = ""


def _database(name: str, engine: Engine | None) -> _Database:
    if engine is None:
        return _Database(Look(None, "it could not be asked"))
    in_step = _asked(engine.in_step, Look(None, "it could not be asked"))
    members: Sequence[Member] = _asked(engine.members, ())
    looks = {f"{name} on {m.host}": Look(m.healthy, f"{m.role}; {m.words}") for m in members}
    counts = Counter(m.role for m in members)
    roles = ", ".join(f"{count} {role}" for role, count in sorted(counts.items()))
    return _Database(in_step, _asked(engine.writer, None), looks, roles)


def _servers(estate: Estate, ways: Ways) -> dict[str, str]:
    """The state of each server behind each entry host that can be asked."""
    entries = [name for name, host in estate.hosts.items() if host.role == "entry" and host.ways_in("entry")]

    def ask(host: str) -> dict[str, str]:
        servers: Sequence[Server] = _asked(lambda: ways.entry([host]).servers(host), ())
        return {f"{server.name} behind {host}": server.state for server in servers}

    if not entries:
        return {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {name: state for found in pool.map(ask, entries) for name, state in found.items()}


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
    found = [*_not_well(before, after), *_otherwise(before, after)]
    gone = {difference.what for difference in found}
    for host, then in before.running.items():
        if f"host {host}" in gone:
            continue  # That it is not well is one thing, and told above.
        for what, was, now, certain in host_looks.differences(host, then, after.running.get(host, _UNSEEN)):
            found.append(Difference(what, was, now, None, certain))
    for hold, seen in after.holds.items():
        if hold not in before.holds:
            words, certain = seen.words, seen.answer is False
            found.append(Difference(f"hold {hold}", "not there", words, recover_command(estate), certain))
    return found


def _not_well(before: Picture, after: Picture) -> Iterator[Difference]:
    looked = (
        ("host", before.hosts, after.hosts),
        ("database", before.databases, after.databases),
        ("address of service", before.addresses, after.addresses),
        ("member", before.members, after.members),
    )
    for kind, then, now in looked:
        for name, was in then.items():
            seen = now.get(name, Look(None, "it was not seen"))
            if was.answer is True and seen.answer is not True:
                yield Difference(f"{kind} {name}", was.words, seen.words, None, seen.answer is False)


def _otherwise(before: Picture, after: Picture) -> Iterator[Difference]:
    """What has to be the same, whether it was well or not."""
    for kind, then, now in (
        ("roles of database", before.roles, after.roles),
        ("server", before.servers, after.servers),
    ):
        for name, was in then.items():
            if now.get(name, was) != was:
                yield Difference(f"{kind} {name}", was, now[name], None, certain=True)


def with_causes(found: Sequence[Difference], undos: Sequence[Undo]) -> list[Difference]:
    """The same, each with the strikes of this drill that concern the host that it names. Pure."""
    told = []
    for difference in found:
        words = set(_WORD.findall(difference.what))
        titles = dict.fromkeys(undo.title for undo in undos if undo.hold in words or words & set(undo.hosts))
        told.append(replace(difference, cause=f"after {'; '.join(titles)}" if titles else ""))
    return told


def moved(before: Picture, after: Picture) -> list[str]:
    """Writers that are elsewhere now: reported, and not residual."""
    return [
        f"the writer of database {name} was {was} and is {after.writers.get(name) or 'nobody'} now"
        for name, was in before.writers.items()
        if was != after.writers.get(name)
    ]
