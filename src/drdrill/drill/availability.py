# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The noun `availability`: what clients see of a service, awaited and judged."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from drdrill.checkers import available_again, never_longer, one_holder
from drdrill.checkers.causes import Cause, causes
from drdrill.checkers.meanwhile import meanwhile
from drdrill.errors import BadInput, Refused
from drdrill.estate.select import address_at
from drdrill.journal import events
from drdrill.measure import strips
from drdrill.measure.schedule import SECOND

if TYPE_CHECKING:
    from drdrill.checkers.available_again import Again
    from drdrill.drill.context import Context
    from drdrill.drill.workload import Workload
    from drdrill.estate.durations import Deadline
    from drdrill.estate.model import Service
    from drdrill.journal.outage import Outage, Strip
    from drdrill.journal.recording import Recording

LOOK_NS: Final = SECOND // 4
"""Between two computations of what clients see: each reads all samples."""
SPEAK_NS: Final = 2 * SECOND
TELLING_S: Final = 1.5
"""Without a bad answer for longer than this, the person who watches is told that it is good, though not yet stable."""
RECORDED_S: Final = 1.5
"""An attempt is recorded when it ends, at the latest one second after its latency bound; and a little for the disk."""


class Availability:
    """Waits for services, and judges how long they were away."""

    def __init__(self, context: Context, workload: Workload) -> None:
        self._context = context
        self._workload = workload

    def await_again(self, service: str, deadline: Deadline, site: str | None = None) -> None:
        """Wait for a stable run after the last strike, heal or operation, and judge when it began.

        Args:
            service: name or aka.
            deadline: from the last command; the wait lasts for the stable window beyond it.
            site: judge the endpoint of this site instead of a client that may use any.

        Raises:
            Refused: nothing was struck or moved before.
            AssertionError: it was away for longer.
        """
        found = self._context.estate.service_named(service)
        at = None if site is None else self._context.estate.site_named(site).name
        if at is not None and at not in found.endpoints:
            raise BadInput(f'service "{found.name}" has no endpoint at site "{at}"')
        allowed_s = _allowed(found, deadline)
        base = self._context.recording()
        known = causes(base.timeline)
        if not known:
            raise Refused(f'nothing was struck or moved, so service "{found.name}" cannot be available again')
        since = known[-1]
        look = _Look(self._context, self._workload, base, found, at)
        left = (
            allowed_s + found.stable_s + found.latency_s + RECORDED_S - (time.monotonic_ns() - since.last_ns) / SECOND
        )
        words = f'service "{found.name}"{f" at site {at}" if at else ""} to be good again'
        self._context.wait_until(lambda: look.answer(since), max(left, 2 * found.latency_s), words)
        strip = look.strip()
        again = look.again(strip, since)
        more = look.meanwhile(again.away, strip.horizon_ns) if again.away else ""
        self._context.conclude(
            available_again.conclude(
                strip, since, again, stable_s=found.stable_s, allowed_s=allowed_s, site=at, more=more
            )
        )

    def await_one_holder(self, service: str, site: str, deadline: Deadline) -> None:
        """Wait until exactly one host answers for the address of a service at a site, and judge whether it came to that.

        Raises:
            Refused: who answers cannot be asked in this estate.
            AssertionError: more than one, or none, at the end of the time.
        """
        found, at = self._context.estate.service_named(service), self._context.estate.site_named(site).name
        allowed_s = _allowed(found, deadline)
        looks: list[one_holder.Heard] = []

        def look() -> bool | None:
            looks.append(self._context.holders(found.name, at))
            self._context.journal.write(
                events.HOLDERS, service=found.name, site=at, hosts=list(looks[-1].hosts), words=str(looks[-1])
            )
            return True if one_holder.settled(looks) else None

        begun = time.monotonic()
        self._context.wait_until(look, allowed_s, f'one host to answer for service "{found.name}" at site "{at}"')
        took_s = time.monotonic() - begun
        address = str(address_at(found, at))
        self._context.conclude(one_holder.conclude(found.name, at, address, looks, within_s=allowed_s, took_s=took_s))

    def never_longer(self, service: str, deadline: Deadline) -> None:
        """Judge every outage of a service up to now; one that is in progress is waited for until it is over or too long."""
        found = self._context.estate.service_named(service)
        allowed_s = _allowed(found, deadline)
        base = self._context.recording()
        look = _Look(self._context, self._workload, base, found, None)
        known = causes(base.timeline)
        early_ns = (known[-1].last_ns if known else 0) + round(2 * found.latency_s * SECOND)

        def over() -> Strip | None:
            strip = look.fresh()
            if strip is None or strip.horizon_ns < early_ns or any(o.good_ns is None for o in strip.outages):
                return None
            return strip

        within = allowed_s + found.stable_s + found.latency_s + RECORDED_S
        self._context.wait_until(over, within, f'service "{found.name}" to be good')
        self._context.conclude(never_longer.never(base, look.strip(), allowed_s))


class _Look:
    """What clients see now, computed at most four times a second, and said every other second."""

    def __init__(
        self, context: Context, workload: Workload, base: Recording, service: Service, site: str | None
    ) -> None:
        self._context = context
        self._workload = workload
        self._base = base
        self._service = service
        self._site = site
        self._next_ns = 0
        self._speak_ns = time.monotonic_ns() + SPEAK_NS // 2

    def strip(self) -> Strip:
        """The strip, from everything that is on disk. The journal is as it was when the sentence began."""
        recording = replace(self._base, streams=self._workload.streams())
        return strips.strip(recording, self._service.name, self._site or strips.CLIENT)

    def fresh(self) -> Strip | None:
        """The strip, or None when the last look was a moment ago."""
        now = time.monotonic_ns()
        if now < self._next_ns:
            return None
        strip = self.strip()
        self._next_ns = time.monotonic_ns() + LOOK_NS
        if now >= self._speak_ns:
            self._speak_ns = now + SPEAK_NS
            self._context.say(f"  clients see: {_seen(strip)}")
        return strip

    def again(self, strip: Strip, since: Cause) -> Again:
        """Whether the strip has the stable run."""
        service = self._service
        stable_ns, early_ns = round(service.stable_s * SECOND), round(2 * service.latency_s * SECOND)
        return available_again.again(strip, since, stable_ns, early_ns)

    def meanwhile(self, away: Outage, horizon_ns: int) -> str:
        """What clients were answered while it was away."""
        return meanwhile(replace(self._base, streams=self._workload.streams()), away, horizon_ns)

    def answer(self, since: Cause) -> bool | None:
        """True once the sentence has its answer.

        When the measuring has died there will be none, and still the whole time is waited for: what is broken is to stay
        broken as long as the drill says, or the checks of the data would judge another drill.
        """
        self._workload.worker_deaths()
        strip = self.fresh()
        if strip is None or self.again(strip, since).upper_ns is None:
            return None
        return True


def _seen(strip: Strip) -> str:
    """The last state of a strip, for the person who watches."""
    where = "" if strip.name == strips.CLIENT else f" at {strip.name}"
    last = strip.outages[-1] if strip.outages else None
    if last is None:
        return f"{strip.service}{where} good"
    if last.good_ns is None:
        until = last.first_ns if last.until_ns is None else last.until_ns
        what = "no good answer" if last.way == "probes" else "nothing acknowledged"
        away = f"away for {(until - last.first_ns) / SECOND:.1f} s, {what}"
        since = (strip.horizon_ns - until) / SECOND
        return f"{strip.service}{where} {away}" + (f"; good for {since:.1f} s" if since > TELLING_S else "")
    return f"{strip.service}{where} good again after {(last.good_ns - last.first_ns) / SECOND:.1f} s"


def _allowed(service: Service, deadline: Deadline) -> float:
    if deadline.seconds is not None:
        return deadline.seconds
    if deadline.promise == "rto":
        return service.rto_s
    raise BadInput(f'service "{service.name}" is promised an RTO; its recovery time is that of its database')
