# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What must be so before a drill begins. Not so is refused, with every reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.drill.baseline import open_holds
from drdrill.drill.holders import held_once
from drdrill.drill.one_answer import ask_from
from drdrill.errors import DrdrillError, Refused
from drdrill.estate.select import vantage_at
from drdrill.faults.limits import recover_command
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.connect.capabilities import Vantages
    from drdrill.connect.registry import Ways
    from drdrill.drill.context import Context
    from drdrill.drill.undo_log import UndoLog
    from drdrill.estate.model import Service


class EstateNoun:
    """The noun `estate`."""

    def __init__(self, context: Context, ways: Ways, log: UndoLog) -> None:
        self._context = context
        self._estate = context.estate
        self._ways = ways
        self._log = log

    def require_healthy(self) -> None:
        """Every host is up, every database in step, every service answers at each of its endpoints, nothing is struck.

        Each address that several hosts take turns with is answered for by exactly one of them.

        Raises:
            Refused: it is not so; every reason.
        """
        reasons = [*self._leftovers(), *self._hosts(), *self._databases(), *self._services(), *self._addresses()]
        if reasons:
            raise Refused("the estate is not healthy: " + "; ".join(reasons))

    def _leftovers(self) -> Iterator[str]:
        own = f"{self._context.id}-"
        reading = self._log.read()
        left = [e.undo.title for e in reading.entries if not e.undo.hold.startswith(own)]
        left += [hold for hold in open_holds(self._ways) if not hold.startswith(own)]
        if left or reading.findings:
            words = [*left, *reading.findings]
            yield f"something of an earlier drill is left ({', '.join(words)}): {recover_command(self._estate)}"

    def _hosts(self) -> Iterator[str]:
        inventory = self._ways.inventory()
        if inventory is not None:
            for host, look in inventory.states().items():
                if look.answer is not True:
                    yield f"host {host}: {look.words}"

    def _databases(self) -> Iterator[str]:
        for name, database in self._estate.databases.items():
            try:
                engine = self._context.engine(name)
                look = engine.in_step()
                if look.answer is not True:
                    yield f"database {name}: {look.words}"
                elif database.rpo_s == 0 and not any(m.synchronous for m in engine.members()):
                    words = (
                        f"database {name} promises to lose nothing, and no member of it is a synchronous standby: "
                        "what it acknowledges can be lost"
                    )
                    self._context.journal.write(events.NOTE, words=words)
                    self._context.say(f"note: {words}")
            except DrdrillError as error:
                yield f"database {name}: {error}"

    def _services(self) -> Iterator[str]:
        client = vantage_at(self._estate, None)
        for service in self._estate.services.values():
            for site in service.endpoints:
                here = client or vantage_at(self._estate, site)
                wrong = answer(self._context.vantages(), service, site, here) if here else "no vantage point can ask it"
                if wrong:
                    yield f"service {service.name} at site {site}: {wrong}"

    def _addresses(self) -> Iterator[str]:
        for name, look in held_once(self._estate, self._ways).items():
            if look.answer is not True:
                yield f"address of service {name}: {look.words}"

    def require_served_by(self, service: str, site: str) -> None:
        """The service is served by this site now.

        Raises:
            Refused: it is served by another, by none, or the estate file does not say how to tell.
        """
        found, wanted = self._estate.service_named(service), self._estate.site_named(site).name
        if found.served_by_writer:
            writer = self._context.engine(found.served_by_writer).writer()
            served = self._estate.hosts[writer].site if writer else None
        elif found.served_by_header:
            client = vantage_at(self._estate, None) or vantage_at(self._estate, wanted)
            served = _header(self._context, found, wanted, client)
        else:
            raise Refused(f"{self._estate.path} does not say how to tell who serves {found.name}; add `served_by:`")
        if served != wanted:
            now = f'by site "{served}"' if served else "by no single site"
            raise Refused(
                f'service "{found.name}" is served {now} now, not by site "{wanted}"; '
                f'bring it there first: service "{found.name}" is switched over to site "{wanted}"'
            )


def answer(vantages: Vantages, service: Service, site: str, vantage: str) -> str | None:
    """What is wrong with one answer of one endpoint, or None. Raises what the vantage point raises."""
    return ask_from(vantages, vantage, service.endpoints[site], service.probe, service.latency_s).wrong


def _header(context: Context, service: Service, site: str, vantage: str | None) -> str | None:
    if vantage is None or site not in service.endpoints:
        return None
    answered = ask_from(context.vantages(), vantage, service.endpoints[site], service.probe, service.latency_s)
    name = answered.headers.get(str(service.served_by_header).lower())
    try:
        return context.estate.site_named(name).name if name else None
    except DrdrillError:
        return name
