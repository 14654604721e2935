# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What drills will do to an estate, before anything is touched: a pure function from compiled sentences and an estate to a record.

    sentences, calls, file hashes  +  estate  ->  Plan  ->  as JSON  ->  digest

The digest is the SHA-256 of everything that the JSON says, so whoever signs it has signed what they read. No place of a file is
in it, only its name, line and hash: the plan of a checkout is the plan of another.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.registry import WAYS_IN
from drdrill.drill.canonical import digest, plain
from drdrill.drill.hold import LEASE_S
from drdrill.drill.lacking import struck_by
from drdrill.drill.planned_estate import parts
from drdrill.drill.planned_parts import guards as installed
from drdrill.drill.planned_parts import versions as known
from drdrill.errors import BadInput
from drdrill.faults.entry_drained import EntryDrained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from drdrill.drill.call import Call
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Targets

VERSION: Final = 1
"""Of what the JSON says."""


@dataclass(frozen=True)
class Written:
    """One sentence as it is written, with the calls that it was compiled to and file:line of its step function."""

    text: str
    where: str
    step: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One scenario as it is written."""

    title: str
    where: str
    sentences: tuple[Written, ...]


@dataclass(frozen=True)
class Strike:
    """One fault that a sentence puts into force.

    Args:
        title: its sentence.
        fault: its name.
        words: what the sentence says of it, as data.
        hosts: every host that could be struck.
        sites: the sites that go as a whole.
        why: why these.
        most: how many hosts are struck at once.
        ways: by capability, the ways in that may be used.
        alone: those of them that keep no lease where the fault is.
        takes_down: whether what is struck is down.
    """

    title: str
    fault: str
    words: Mapping[str, Any]
    hosts: tuple[str, ...]
    sites: tuple[str, ...]
    why: str
    most: int
    ways: Mapping[str, tuple[str, ...]]
    alone: tuple[str, ...]
    takes_down: bool

    @property
    def healer(self) -> str:
        """Who heals it when the drill dies: "target" or "guardian"."""
        return "guardian" if self.alone else "target"


@dataclass(frozen=True)
class Sentence:
    """One sentence, what it strikes, and what else it moves, in words."""

    written: Written
    strikes: tuple[Strike, ...] = ()
    moves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drill:
    """One scenario, and how many hosts are struck by it at once at most."""

    title: str
    where: str
    sentences: tuple[Sentence, ...]
    most: int

    @property
    def strikes(self) -> tuple[Strike, ...]:
        """In their order."""
        return tuple(strike for sentence in self.sentences for strike in sentence.strikes)


@dataclass(frozen=True)
class Plan:
    """Everything that will be done.

    Args:
        estate: what of it decides what is struck, as data.
        drills: in the order in which they run.
        files: the name and the SHA-256 of each feature and of each file with a step.
        longest_s: the hard end of every fault.
        needed: how many persons have to approve.
        keys: who may, with their public keys.
        guards: the names of those that are asked before each strike.
        versions: of drdrill and of what offers parts of it.
    """

    estate: Mapping[str, Any]
    drills: tuple[Drill, ...]
    files: tuple[tuple[str, str], ...]
    longest_s: float
    needed: int
    keys: Mapping[str, str]
    guards: tuple[str, ...]
    versions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {
            "version": VERSION,
            "versions": dict(self.versions),
            "estate": dict(self.estate),
            "files": [list(pair) for pair in self.files],
            "lease_s": LEASE_S,
            "longest_s": self.longest_s,
            "guards": list(self.guards),
            "approvals": {"needed": self.needed, "keys": dict(self.keys)},
            "drills": [_drill(drill) for drill in self.drills],
        }

    @property
    def digest(self) -> str:
        """What an approval is bound to."""
        return digest(self.as_json())


def plan(
    estate: Estate,
    scenarios: Iterable[Scenario],
    files: Mapping[str, str],
    leased: Callable[[str, str], bool] | None = None,
    *,
    guards: Sequence[str] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Plan:
    """What these scenarios would do to this estate. Touches nothing.

    Args:
        estate: what exists.
        scenarios: compiled.
        files: path -> SHA-256 of each file that has a part in it.
        leased: whether the strikes of a way in, by capability and name, end by themselves where the fault is; asked of the
            registered ones when None.
        guards: the names of those that are asked; those that are installed when None.
        versions: of what is installed; looked up when None.

    Raises:
        BadInput: a name that the estate does not have.
    """
    approvals = estate.approvals
    return Plan(
        estate=parts(estate),
        drills=tuple(_planned(estate, scenario, leased or registered) for scenario in scenarios),
        files=tuple(sorted((PurePath(path).name, sha) for path, sha in files.items())),
        longest_s=estate.limits.longest_fault_s,
        needed=approvals.needed if approvals else int(estate.production),
        keys=dict(approvals.keys) if approvals else {},
        guards=tuple(installed() if guards is None else guards),
        versions=known() if versions is None else dict(versions),
    )


def registered(capability: str, name: str) -> bool:
    """Whether the strikes of this way in end by themselves where the fault is; not, of one that cannot be loaded here."""
    with contextlib.suppress(BadInput):
        return bool(getattr(WAYS_IN.load(f"{capability}.{name}"), "leased", False))
    return False


def fault_words(fault: Fault) -> dict[str, Any]:
    """A fault as data: two are the same when this is the same. Its title tells apart what is no dataclass."""
    return {"fault": fault.name, "title": fault.title, **plain(fault)}


def _planned(estate: Estate, scenario: Scenario, leased: Callable[[str, str], bool]) -> Drill:
    sentences: list[Sentence] = []
    open_now: list[tuple[Fault, Targets, int]] = []
    most = 0
    for written in scenario.sentences:
        strikes: list[Strike] = []
        moves: list[str] = []
        for call in written.calls:
            _end(estate, call, open_now)
            fault = struck_by(estate, call)
            if fault is not None:
                targets = fault.candidates(estate)
                strikes.append(_strike(estate, fault, targets, leased))
                open_now.append((fault, targets, strikes[-1].most))
                most = max(most, _at_once(open_now))
            elif (call.noun, call.verb) == ("operations", "switch_over"):
                moves.append(moved(estate, *call.args))
        sentences.append(Sentence(written, tuple(strikes), tuple(moves)))
    return Drill(scenario.title, scenario.where, tuple(sentences), most)


def _end(estate: Estate, call: Call, open_now: list[tuple[Fault, Targets, int]]) -> None:
    """A heal, or a planned move that takes the place of an earlier one."""
    if (call.noun, call.verb) == ("drill", "heal"):
        kind, site = (*call.args, call.kwargs.get("site", ""))[:2]
        at = estate.site_named(site).name if site else ""
        open_now[:] = [o for o in open_now if not (isinstance(o[0], kind) and (not at or at in o[1].sites))]
    fault = struck_by(estate, call)
    if isinstance(fault, EntryDrained):
        gone = [o for o in open_now if isinstance(o[0], EntryDrained) and o[0].service == fault.service]
        open_now[:] = [o for o in open_now if o not in gone]


def _at_once(open_now: Sequence[tuple[Fault, Targets, int]]) -> int:
    """How many hosts are struck now at most: no host is counted twice."""
    every = {host for _, targets, _ in open_now for host in targets.hosts}
    return min(len(every), sum(most for _, _, most in open_now))


def _strike(estate: Estate, fault: Fault, targets: Targets, leased: Callable[[str, str], bool]) -> Strike:
    ways: dict[str, tuple[str, ...]] = {}
    for capability in sorted(fault.needs):
        offered = [estate.hosts[host].ways_in(capability) for host in targets.hosts]
        # What several hosts share is used for all of them; where that is nothing, each single host has its own.
        shared = [name for name in offered[0] if all(name in names for names in offered)]
        ways[capability] = tuple(shared or dict.fromkeys(name for names in offered for name in names))
    alone = tuple(f"{c} through {name}" for c, names in ways.items() for name in names if not leased(c, name))
    most = min(len(targets.hosts), fault.most or len(targets.hosts))
    words = fault_words(fault)
    why, down = targets.why, fault.takes_down
    return Strike(fault.title, fault.name, words, targets.hosts, targets.sites, why, most, ways, alone, down)


def moved(estate: Estate, service: str, site: str) -> str:
    """What a switchover does where a single writer is moved, in words."""
    found, at = estate.service_named(service), estate.site_named(site).name
    members = [host for host in estate.databases[str(found.database)].nodes if estate.hosts[host].site == at]
    return f"the writer of database {found.database} moves to {' or '.join(members)}, and stays there"


def _drill(drill: Drill) -> dict[str, Any]:
    told = {"title": drill.title, "where": _name(drill.where), "most_at_once": drill.most}
    return {**told, "sentences": [_sentence(sentence) for sentence in drill.sentences]}


def _sentence(sentence: Sentence) -> dict[str, Any]:
    written = sentence.written
    calls = [[call.noun, call.verb, plain(call.args), plain(call.kwargs)] for call in written.calls]
    told = {"text": written.text, "where": _name(written.where), "step": _name(written.step), "calls": calls}
    strikes = [{**plain(strike), "heals": strike.healer} for strike in sentence.strikes]
    return {**told, "strikes": strikes, "moves": list(sentence.moves)}


def _name(where: str) -> str:
    """file:line without the folder, which is another one on another machine."""
    return PurePath(where).name
