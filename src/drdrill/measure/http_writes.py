# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Writes through a service, by HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from drdrill.journal.records import Done
from drdrill.measure import http
from drdrill.measure.writes import Told

if TYPE_CHECKING:
    from collections.abc import Mapping


def classify(status: int, body: bytes, key: str, ok: int) -> tuple[Done, str]:
    """What an answer says about its write.

    409 with our own key is ok: we never repeat a write and no other has this key, so a proxy on the way repeated it, and the
    first try succeeded. Any other 4xx is a refusal. Everything else leaves open what happened behind the answer.
    """
    if status == ok:
        return Done.OK, ""
    if status == 409 and key.encode() in body:  # noqa: PLR2004 - HTTP Conflict
        return Done.OK, "409 with our own key"
    return (Done.FAIL if 400 <= status < 500 else Done.UNKNOWN), f"HTTP {status}"  # noqa: PLR2004 - 4xx


class HttpWay:
    """The `Way` of a service.

    Args:
        spec: see `specs.write_spec`.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._target = http.Target.of(spec["address"])

    async def connect(self) -> http.Connection:
        """A fresh connection."""
        return await http.connect(self._target)

    async def write(self, connection: http.Connection, key: str) -> Told:
        """One request, one answer."""
        path = self._spec["path"].replace("{key}", quote(key, safe=""))
        body = self._spec["body"].replace("{key}", key).encode()
        asked = http.request(self._target, self._spec["method"], path, body, self._spec["content_type"], keep=True)
        try:
            async with asyncio.timeout(self._spec["deadline_s"]):
                answer = await http.exchange(connection, asked)
        except TimeoutError:
            connection.close()
            return Told(Done.UNKNOWN, 0, "no answer")
        except (OSError, EOFError, http.Malformed) as error:
            connection.close()
            return Told(Done.UNKNOWN, 0, type(error).__name__)
        outcome, note = classify(answer.status, answer.body, key, self._spec["ok"])
        if not answer.keep:
            connection.close()
            return Told(outcome, answer.status, note)
        return Told(outcome, answer.status, note, connection)
