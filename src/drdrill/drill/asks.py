# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a drill asks of its estate now: who writes, who answers for an address, how everything looks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from drdrill.drill import baseline
from drdrill.drill.holders import heard
from drdrill.engines.registry import engine_for

if TYPE_CHECKING:
    from drdrill.checkers.one_holder import Heard
    from drdrill.connect.capabilities import Vantages
    from drdrill.connect.registry import Ways
    from drdrill.engines.engine import Engine
    from drdrill.estate.model import Estate


class Asks:
    """Questions to one estate, by ways in and engines that are made once.

    Args:
        estate: loaded, with the addresses of its lab.
        ways: its ways in; closed with the engines.
    """

    def __init__(self, estate: Estate, ways: Ways) -> None:
        self.estate = estate
        self.ways = ways
        self._engines: dict[str, Engine] = {}

    def engine(self, database: str) -> Engine:
        """The engine of a database, made once."""
        name = self.estate.database_named(database).name
        if name not in self._engines:
            self._engines[name] = engine_for(self.estate, name)
        return self._engines[name]

    def writer(self, database: str) -> str | None:
        """Who writes now, for faults that mean the writer."""
        return self.engine(database).writer()

    def holder(self, service: str, site: str) -> str | None:
        """Who answers for the address of a service at a site, for faults that mean its entry host."""
        hosts = self.holders(service, site).hosts
        return hosts[0] if len(hosts) == 1 else None

    def holders(self, service: str, site: str) -> Heard:
        """Who answers for that address now, or why nobody can tell."""
        return heard(self.ways, self.estate.service_named(service), self.estate.site_named(site).name)

    def vantages(self) -> Vantages:
        """Where clients stand."""
        return self.ways.vantages()

    def picture(self, *, first: bool = False) -> baseline.Picture:
        """How the estate looks now; `first` is the one with which all others are compared."""
        return baseline.look(self.estate, self.ways, self.engine, first=first)

    def ask_no_more(self) -> None:
        """Close every connection."""
        for engine in self._engines.values():
            with contextlib.suppress(Exception):
                engine.close()
        self.ways.close()
