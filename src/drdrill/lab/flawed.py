# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's own software as it should not be: one class for each flaw of an application or an entry.

They stand apart so that the honest software has no branch in which it lies.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from aiohttp import web

from drdrill.lab.entry import Entry
from drdrill.lab.registration import Registration
from drdrill.lab.sessions import TakenError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

_EARLY_S: Final = 0.5
_TRIES: Final = 4
"""With 2 s for each, a stall of the length of a lost standby's time-out is outlasted."""


class EarlyAcknowledgement(Registration):
    """Answers before it has committed. What is still on its way when the database goes is gone, and was confirmed."""

    async def store(self, key: str) -> None:
        """Return at once."""
        task = asyncio.create_task(self._later(key))
        later.add(task)
        task.add_done_callback(later.discard)

    async def _later(self, key: str) -> None:
        await asyncio.sleep(_EARLY_S)
        with contextlib.suppress(UnavailableError, TakenError):
            await super().store(key)


later: Final[set[asyncio.Task[None]]] = set()
"""Commits that are still to come; a task that nobody holds may vanish."""


class GreenHealth(Registration):
    """Is healthy, whatever happens."""

    async def healthz(self, _request: web.Request) -> web.Response:
        """Ready, and nobody was asked."""
        return web.json_response({"ready": True, "site": self.site})


class RetryWithoutKey(Registration):
    """Repeats what was not acknowledged in time, as if it had not happened. The table has no key that would say that it has."""

    async def store(self, key: str) -> None:
        """Try until it is acknowledged, or four times."""
        for left in reversed(range(_TRIES)):
            try:
                return await super().store(key)
            except UnavailableError:
                if not left:
                    raise
        return None


class EntryWithoutHealthCheck(Entry):
    """Never asks anybody, so its own site's application gets everything."""

    async def watch(self, app: int) -> None:
        """Look at nothing, for ever."""
        del app
        await asyncio.Event().wait()


_REGISTRATIONS: Final[dict[str, type[Registration]]] = {
    "early-acknowledgement": EarlyAcknowledgement,
    "green-health": GreenHealth,
    "retry-without-key": RetryWithoutKey,
}


def registration(flaws: Iterable[str]) -> type[Registration]:
    """The application with these flaws; names of flaws of other parts of the lab are none of it."""
    bases = tuple(_REGISTRATIONS[name] for name in flaws if name in _REGISTRATIONS)
    return type("Flawed", (*bases, Registration), {})


def entry(flaws: Iterable[str]) -> type[Entry]:
    """The entry with these flaws."""
    return EntryWithoutHealthCheck if "entry-without-health-check" in flaws else Entry
