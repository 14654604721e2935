# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Writes directly into a database: one row and one commit each, into the ledger of the drill."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.sql import SqlFailed
from drdrill.journal.records import Done
from drdrill.measure.sql import raise_ours, short
from drdrill.measure.writes import NotConnected, Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.engines.client import ClientSession, SqlClient
    from drdrill.engines.engine import Engine

_OUTCOMES: Final = {"ok": Done.OK, "fail": Done.FAIL, "unknown": Done.UNKNOWN}


class SqlWay:
    """The `Way` of a database.

    Args:
        spec: see `specs.write_to_spec`.
        engine: says what an error means.
        client: opens sessions.
    """

    def __init__(self, spec: Mapping[str, Any], engine: Engine, client: SqlClient) -> None:
        self._spec = spec
        self._engine = engine
        self._client = client

    async def connect(self) -> ClientSession:
        """A session with whoever accepts writes now. Every error here comes before the write was sent."""
        try:
            return await self._client.writer()
        except SqlFailed as error:
            raise_ours(error)
            raise NotConnected(short(error)) from error

    async def write(self, connection: ClientSession, key: str) -> Told:
        """One statement that commits by itself. After any error the session is not used again.

        It is never cancelled: a cancelled commit that waits for its standby is answered with success.
        """
        try:
            async with asyncio.timeout(self._spec["deadline_s"]):
                await connection.write(self._spec["table"], key)
        except TimeoutError:
            connection.close()
            return Told(Done.UNKNOWN, 0, "no answer")
        except SqlFailed as error:
            connection.close()
            return Told(_OUTCOMES[self._engine.classify("statement", error.code)], 0, short(error))
        return Told(Done.OK, 0, "", connection)
