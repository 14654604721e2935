# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the plan of a scenario on this estate, found before anything is touched."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.registry import Ways
from drdrill.drill import limits
from drdrill.drill.drill_noun import past_fencing_s
from drdrill.drill.guards.copies import last_copy_gone
from drdrill.drill.guards.votes import majority_gone
from drdrill.drill.lacking import struck_by
from drdrill.drill.ledgers import cannot_be_written
from drdrill.drill.named import names_in
from drdrill.drill.operations import drained_by
from drdrill.drill.reach import reach_for
from drdrill.drill.restraints import SAY, needed_s
from drdrill.drill.time_limits import Clock
from drdrill.errors import BadInput, DrdrillError
from drdrill.estate.durations import Deadline
from drdrill.estate.select import candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drdrill.drill.call import Call
    from drdrill.estate.model import Estate, Service
    from drdrill.faults.fault import Fault, Targets


@dataclass
class _Plan:
    """A scenario as far as it was read: what is broken at this sentence, and for how long it was held on purpose."""

    estate: Estate
    open: list[tuple[Fault, Targets]] = field(default_factory=list)
    held_s: float = 0.0
    drill_s: float = 0.0
    whole: bool = True
    text: str = ""
    """The sentence that is looked at, as it is written."""


def findings(estate: Estate, calls: Sequence[Call], *, whole: bool = True) -> list[str]:
    """One complete sentence for each thing that is wrong, with file:line; empty when nothing is.

    Unknown names, what a fault refuses, limits, a heal without its strike, durations that are laxer than the objective.
    Touches nothing.

    Args:
        estate: what exists and what is promised.
        calls: of one scenario, in order.
        whole: whether these are all of its calls. If not, what is broken where is not known and no matter.
    """
    plan = _Plan(estate, whole=whole)
    return [f"{call.where}: {words}" for call in calls for words in _of(plan, call)]


def _of(plan: _Plan, call: Call) -> Iterator[str]:
    key, plan.text = (call.noun, call.verb), call.text
    try:
        for kind, name in names_in(call):
            if kind in _NAMED:
                _NAMED[kind](plan.estate, name)
        if check := _CHECKS.get(key):
            yield from check(plan, *call.args, **call.kwargs)
    except BadInput as error:
        yield str(error)


_NAMED: Final[dict[str, Callable[[Estate, str], object]]] = {
    "site": lambda estate, name: estate.site_named(name),
    "service": lambda estate, name: estate.service_named(name),
    "database": lambda estate, name: estate.database_named(name),
    "campus": lambda estate, name: estate.sites_of(name),
}


def _strike(plan: _Plan, fault: Fault, *, quorum_loss: bool = False) -> Iterator[str]:
    targets = fault.candidates(plan.estate)
    refusal = fault.refuses(plan.estate)
    # One of several candidates will be struck, so the least that can happen is counted: the first one that may be.
    one_of = [targets] if targets.sites or not fault.takes_down else [_only(targets, host) for host in targets.hosts]
    refused = [_refused(plan, fault, option, quorum_loss=quorum_loss) for option in one_of]
    least = next((option for option, words in zip(one_of, refused, strict=True) if not words), one_of[0])
    refusal = refusal or (refused[0] if all(refused) else None)
    if refusal:
        yield f"{fault.title}: {refusal}"
    plan.open.append((fault, least))
    plan.held_s = 0.0


def _only(targets: Targets, host: str) -> Targets:
    return replace(targets, hosts=(host,))


def _refused(plan: _Plan, fault: Fault, targets: Targets, *, quorum_loss: bool) -> str | None:
    """Why this strike would be refused, as far as the estate file tells; guards ask the estate itself before each strike."""
    down = [t for f, t in plan.open if f.takes_down]
    words = limits.against(plan.estate, fault, targets, down, quorum_loss=quorum_loss)
    if words or quorum_loss or not fault.takes_down:
        return words
    gone = {host for t in (*down, targets) for host in t.hosts}
    lost = majority_gone(plan.estate, gone) or last_copy_gone(plan.estate, gone)
    return (
        lost
        and f"{lost}; if that is what this drill is about, its sentence ends in `{SAY}`, and limits.quorum_loss is true"
    )


def _heal(plan: _Plan, kind: type[Fault], site: str = "", *, campus: str = "") -> Iterator[str]:
    if site:
        site = plan.estate.site_named(site).name
    meant = [
        (f, t)
        for f, t in plan.open
        if isinstance(f, kind) and (not site or site in t.sites) and (not campus or campus in t.campuses)
    ]
    where = f' at site "{site}"' if site else f' of campus "{campus}"' if campus else ""
    if not plan.whole:
        return
    if not meant:
        yield f"this heals {kind.name}{where}, and none was struck before"
    elif len(meant) > 1:
        yield f"this heals {kind.name}{where}, and {len(meant)} of them are open, so it is not clear which is meant"
    plan.open = [pair for pair in plan.open if pair not in meant]


def _hold(plan: _Plan, seconds: float | Deadline) -> Iterator[str]:
    if not plan.open and plan.whole:
        yield "this holds a fault, and none is open here"
    before_s = plan.held_s
    plan.held_s += (seconds.seconds or 0.0) if isinstance(seconds, Deadline) else seconds
    longest = plan.estate.limits.longest_fault_s
    if plan.held_s >= longest:
        yield f"the fault would be held for {plan.held_s:g} s, and limits.longest_fault of {plan.estate.path} is {longest:g} s"
    plan.drill_s += plan.held_s - before_s
    longest = plan.estate.limits.longest_drill_s
    if plan.drill_s >= longest:
        yield (
            f"faults would be held for {plan.drill_s:g} s in this drill, and limits.longest_drill of {plan.estate.path} is "
            f"{longest:g} s"
        )


def _hold_past_fencing(plan: _Plan, database: str) -> Iterator[str]:
    yield from _hold(plan, past_fencing_s(plan.estate, database))


def _abort_if_away(plan: _Plan, service: str, seconds: float, site: str = "") -> Iterator[str]:
    del seconds
    if site:
        yield from _endpoint(plan.estate, plan.estate.service_named(service), plan.estate.site_named(site).name)


def _within(plan: _Plan, service: str, deadline: Deadline, *_: Any) -> Iterator[str]:
    promised = plan.estate.service_named(service)
    yield from _laxer(plan, deadline, promised.rto_s, f'the RTO of service "{promised.name}"', ("its RTO", "其 RTO"))


_RECOVERY: Final = ("its recovery time", "其恢复时间")


def _recovered(plan: _Plan, database: str, deadline: Deadline) -> Iterator[str]:
    promised = plan.estate.database_named(database)
    yield from _laxer(
        plan, deadline, promised.recovery_s, f'the recovery time of database "{promised.name}"', _RECOVERY
    )


def _baseline(plan: _Plan, deadline: Deadline) -> Iterator[str]:
    longest = max((d.recovery_s for d in plan.estate.databases.values()), default=None)
    if longest is not None:
        yield from _laxer(plan, deadline, longest, "the longest recovery time of its databases", _RECOVERY)


def _laxer(plan: _Plan, deadline: Deadline, promised_s: float, of: str, words: tuple[str, str]) -> Iterator[str]:
    """A deadline that allows more than was promised, and the sentence that says the promise, in its own language."""
    if deadline.seconds is None or deadline.seconds <= promised_s:
        return
    english, chinese = words
    fix = _LENGTH.sub(english if plan.text.isascii() else chinese, plan.text)
    yield (
        f"{deadline.seconds:g} s is laxer than {of}, which is {promised_s:g} s; write `{english}` (`{chinese}`), or a shorter time"
        + (f"\n  type: {fix}" if fix != plan.text else "")
    )


_LENGTH: Final = re.compile(r"\d+(\.\d+)?\s*(ms|s|min|h|毫秒|秒钟|秒|分钟|小时)(?![a-zA-Z])(?=[^\"“”]*$)")
"""The duration that stands behind the last name of a sentence."""


def _again(plan: _Plan, service: str, deadline: Deadline, site: str | None = None) -> Iterator[str]:
    yield from _within(plan, service, deadline)
    if site:
        yield from _endpoint(plan.estate, plan.estate.service_named(service), plan.estate.site_named(site).name)


def _endpoint(estate: Estate, service: Service, site: str) -> Iterator[str]:
    if site not in service.endpoints:
        known = ", ".join(f'"{s}"' for s in service.endpoints)
        yield f'service "{service.name}" has no endpoint at site "{site}" in {estate.path}; it has some at {known}'


def _write(plan: _Plan, service: str, rate: float = 25.0) -> Iterator[str]:
    found = plan.estate.service_named(service)
    if found.write is None:
        yield f'{plan.estate.path} does not say how service "{found.name}" is written through; add `write:` to it'
    if rate < LEAST_RATE:
        yield f"{rate:g} writes per second are too few to time an outage by; write at least {LEAST_RATE}"


def _write_to(plan: _Plan, database: str, rate: float = 25.0) -> Iterator[str]:
    lacking = cannot_be_written(plan.estate, plan.estate.database_named(database))
    if lacking:
        yield lacking
    if rate < LEAST_RATE:
        yield f"{rate:g} writes per second are too few to time an outage by; write at least {LEAST_RATE}"


LEAST_RATE: Final = 10
"""As measuring-and-judging says: below it, the gap between two acknowledgements says nothing."""


def _switch(plan: _Plan, service: str, site: str) -> Iterator[str]:
    found, at = plan.estate.service_named(service), plan.estate.site_named(site).name
    if words := limits.untouchable(plan.estate, found.name):
        yield words
    if drain := drained_by(plan.estate, found.name, at):
        drain.candidates(plan.estate)
        if refusal := drain.refuses(plan.estate):
            yield refusal
    elif found.database is None:
        yield f'service "{found.name}" names no database in {plan.estate.path}, so it has no writer to switch over'
    elif not any(plan.estate.hosts[host].site == at for host in plan.estate.databases[found.database].nodes):
        yield f'database "{found.database}" has no member at site "{at}", so service "{found.name}" cannot go there'


def _one_holder(plan: _Plan, service: str, site: str, deadline: Deadline) -> Iterator[str]:
    yield from _within(plan, service, deadline)
    found, at = plan.estate.service_named(service), plan.estate.site_named(site).name
    yield from _endpoint(plan.estate, found, at)
    candidates(plan.estate, "entry", found, at)


_CHECKS: Final[dict[tuple[str, str], Callable[..., Iterator[str]]]] = {
    ("drill", "strike"): _strike,
    ("drill", "heal"): _heal,
    ("drill", "hold_for"): _hold,
    ("drill", "hold_past_fencing"): _hold_past_fencing,
    ("drill", "abort_if_away"): _abort_if_away,
    ("availability", "await_again"): _again,
    ("availability", "never_longer"): _within,
    ("availability", "await_one_holder"): _one_holder,
    ("consistency", "await_same"): _recovered,
    ("operations", "await_in_step"): _recovered,
    ("drill", "await_baseline"): _baseline,
    ("workload", "write_through"): _write,
    ("workload", "write_to"): _write_to,
    ("operations", "switch_over"): _switch,
}


def closed_now(estate: Estate, calls: Sequence[Call], clock: Clock | None = None) -> list[str]:
    """Why none of these drills may begin at this time, or nothing. Faults are only struck inside the windows of the estate."""
    if not any(call.strikes for call in calls):
        return []
    words = limits.outside(estate, (clock or Clock()).now(), needed_s(estate))
    return [words] if words else []


def probe_ways(estate: Estate, calls: Sequence[Call], ways: Ways | None = None) -> list[str]:
    """Try every way in and way back that the faults of these calls need, without harm.

    One complete sentence for each that does not work, with the sentence that needs it; empty when all work.
    """
    ways = ways or Ways(estate)
    seen: set[tuple[str, tuple[str, ...]]] = set()
    found: list[str] = []
    for call in calls:
        fault = struck_by(estate, call)
        if fault is None:
            continue
        try:
            targets = fault.candidates(estate)
            reach = reach_for(ways, fault, targets, drill="probe", hold="probe", lease_s=0.0)
            for capability, way in reach.ways.items():
                if (capability, targets.hosts) in seen:
                    continue
                seen.add((capability, targets.hosts))
                look = way.ready(targets.hosts)
                if look.answer is not True:
                    found.append(f"{call.where}: {fault.title}: {capability} through {way.name}: {look.words}")
        except (DrdrillError, OSError) as error:
            found.append(f"{call.where}: {fault.title}: {error}")
    return found
