# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Is this estate drillable? Looked at host by host and way by way, without touching anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.connect.capabilities import STRIKING, Look
from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.baseline import open_holds
from drdrill.drill.estate_noun import answer
from drdrill.drill.holders import held_once
from drdrill.drill.undo_log import UndoLog
from drdrill.engines.registry import engine_for
from drdrill.errors import DrdrillError
from drdrill.estate.select import lock_host, vantage_at
from drdrill.faults.limits import recover_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.estate.model import Estate, Host


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. `good` is None for what only informs, or cannot be told but does not hinder a drill."""

    part: str
    what: str
    good: bool | None
    words: str


def ready(estate: Estate, ways: Ways | None = None) -> Iterator[Line]:
    """Each line as it is found, so that a person sees where it waits. Raises nothing for what the estate answers."""
    ways = ways or Ways(estate)
    yield from _hosts(estate, ways)
    yield from _databases(estate)
    yield from _services(estate, ways)
    yield from _limits(estate, ways)
    yield from _leftovers(estate, ways)


def _hosts(estate: Estate, ways: Ways) -> Iterator[Line]:
    inventory = ways.inventory()
    try:
        states = dict(inventory.states()) if inventory else {}
    except (DrdrillError, OSError) as error:
        yield Line("hosts", "inventory", good=False, words=str(error))
        states = {}
    for name, host in estate.hosts.items():
        look = states.get(name, Look(None, "nobody can be asked whether it is up"))
        found = {c: _way(ways, c, name) for c in STRIKING if host.ways.get(c)}
        wrong = _wrong(found)
        missing = [c for c in STRIKING if not host.ways.get(c) and _concerns(c, host)]
        # A way in that nobody answers says so for the host, the links and the power alike: once is enough.
        words = [look.words] if look.answer is not None or not wrong else []
        words += [*wrong, *(f"no way in for {c}, so no fault that needs it can strike it" for c in missing)]
        words += [f"{c} through {words}" for c, (good, words) in found.items() if good]
        good = False if wrong or look.answer is False else look.answer
        yield Line("hosts", f"{name} ({host.role}{f', {host.site}' if host.site else ''})", good, "; ".join(words))


def _concerns(capability: str, host: Host) -> bool:
    """Whether any fault that needs this can mean this host. Routers are what links are made of; probe hosts keep their power."""
    if host.site is None or (capability == "entry" and host.role != "entry"):
        return False
    return capability not in {"router": ("links", "freeze"), "probe": ("power", "freeze")}.get(host.role, ())


def _wrong(found: Mapping[str, tuple[bool, str]]) -> list[str]:
    """What is wrong with the ways in of a host, each reason once: `links, power: the supervisor does not answer`."""
    reasons: dict[str, list[str]] = {}
    for capability, (good, words) in found.items():
        if not good:
            reasons.setdefault(words, []).append(capability)
    return [f"{', '.join(capabilities)}: {words}" for words, capabilities in reasons.items()]


def _way(ways: Ways, capability: str, host: str) -> tuple[bool, str]:
    try:
        way = ways.first(capability, [host])
        look = way.ready([host])
    except (DrdrillError, OSError) as error:
        return False, str(error)
    return look.answer is True, way.name if look.answer is True else look.words


def _databases(estate: Estate) -> Iterator[Line]:
    for name, database in estate.databases.items():
        try:
            engine = engine_for(estate, name)
        except DrdrillError as error:
            yield Line("databases", name, good=False, words=str(error))
            continue
        try:
            for member in engine.members():
                where = f"{name} on {member.host} ({member.role})"
                yield Line("databases", where, member.healthy, member.words)
            look = engine.in_step()
            yield Line("databases", name, look.answer is True, look.words)
            if database.rpo_s == 0 and not any(m.synchronous for m in engine.members()):
                words = "the estate promises to lose nothing, and no member is a synchronous standby"
                yield Line("databases", name, good=None, words=words)
        except (DrdrillError, OSError) as error:
            yield Line("databases", name, good=False, words=str(error))
        finally:
            engine.close()


def _services(estate: Estate, ways: Ways) -> Iterator[Line]:
    client = vantage_at(estate, None)
    for service in estate.services.values():
        for site, url in service.endpoints.items():
            here = client or vantage_at(estate, site)
            try:
                wrong = answer(ways.vantages(), service, site, here) if here else "no vantage point can ask it"
            except (DrdrillError, OSError) as error:
                wrong = str(error)
            words = wrong or f"{url} answers {here} as it promises"
            yield Line("services", f"{service.name} at {site}", wrong is None, words)
        if service.write is None:
            yield Line(
                "services", service.name, good=None, words="no `write:`, so no acknowledged write can be followed"
            )
    for name, look in held_once(estate, ways).items():
        yield Line("services", f"address of {name}", look.answer is True, look.words)


def _limits(estate: Estate, ways: Ways) -> Iterator[Line]:
    limits = estate.limits
    words = (
        f"{limits.sites_down} site and {limits.hosts_down} hosts at once, each for at most {limits.longest_fault_s:g} s"
    )
    yield Line("limits", "what may be struck", good=None, words=words)
    host = lock_host(estate)
    if host is None:
        words = (
            "only drills of this machine are kept apart; `lock: HOST` names a host with a shell that all runners reach"
        )
        yield Line("limits", "lock", good=None, words=words)
        return
    try:
        look = ways.shell([host]).ready([host])
    except (DrdrillError, OSError) as error:
        look = Look(False, str(error))
    needed = estate.lab is None or estate.lock is not None
    yield Line(
        "limits", "lock", look.answer is True or (None if not needed else False), f"kept on {host}: {look.words}"
    )


def _leftovers(estate: Estate, ways: Ways) -> Iterator[Line]:
    try:
        reading = UndoLog(state.folder(estate.name)).read()
    except DrdrillError as error:
        yield Line("left", "undo log", good=False, words=str(error))
        return
    for entry in reading.entries:
        yield Line("left", entry.undo.title, good=False, words=f"still open: {recover_command(estate)}")
    for words in reading.findings:
        yield Line("left", "undo log", good=False, words=words)
    known = {entry.undo.hold for entry in reading.entries}
    for hold, look in open_holds(ways).items():
        if hold not in known:
            yield Line("left", hold, good=False, words=look.words)
