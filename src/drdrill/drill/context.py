# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a noun (workload, availability, consistency, operations) may use of the drill that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.checkers.one_holder import Heard
    from drdrill.checkers.verdict import Judgement
    from drdrill.connect.capabilities import Vantages
    from drdrill.engines.engine import Engine
    from drdrill.estate.model import Estate
    from drdrill.journal.journal import Journal
    from drdrill.journal.recording import Recording

T = TypeVar("T")


class Context(Protocol):
    """The drill, as its nouns see it. `drill.drill.Drill` is the one implementation."""

    id: str
    estate: Estate
    journal: Journal
    folder: Path
    """The drill's own folder: journal, data/, report."""

    def engine(self, database: str) -> Engine:
        """The engine of a database (canonical name)."""

    def holders(self, service: str, site: str) -> Heard:
        """Who answers for the address of a service at a site now (canonical names), or why nobody can tell."""

    def vantages(self) -> Vantages:
        """Where clients stand. Raises Unreachable."""

    def wait_until(self, look: Callable[[], T | None], deadline_s: float, words: str) -> T | None:
        """Call `look` until it gives something or the deadline has passed (then None). Feeds every open hold meanwhile.

        `words` is what the terminal shows while it waits: `service "registration" to be good again`. Raises Aborted when a
        renewal fails or something that is watched trips, KeyboardInterrupt when the drill is told to stop.
        """

    def feed(self) -> None:
        """Renew every open hold whose time has come, from within work that waits for nothing. Raises what `wait_until` raises."""

    def conclude(self, judgement: Judgement) -> None:
        """Record the verdict of a sentence. A fail raises AssertionError with its message; an unknown is remembered."""

    def recording(self) -> Recording:
        """Everything on disk up to now."""

    def say(self, words: str) -> None:
        """One line for the person who watches."""

    def phase(self) -> str:
        """The index of the running step as text, or "end"."""

    def struck(self) -> bool:
        """Whether anything was struck or moved yet."""
