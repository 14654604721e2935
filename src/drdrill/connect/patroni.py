# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Patroni's REST interface, over plain HTTP with an end to each wait."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Answer:
    """What Patroni said: the HTTP status, and its words as JSON values or text."""

    status: int
    body: Any


class Patroni:
    """One member's Patroni.

    Args:
        url: where it listens: `http://127.0.0.1:8008`, or `http://NAME:PASSWORD@...` where changes need an account.
        what: whom that is, for messages.
    """

    def __init__(self, url: str, what: str) -> None:
        self.what = what
        self._parts = urlsplit(url)

    def get(self, path: str, within_s: float = 2.0) -> Answer:
        """Ask. Raises WayInFailed when nobody answers."""
        return self._ask("GET", path, None, within_s)

    def post(self, path: str, data: Mapping[str, Any], within_s: float) -> Answer:
        """Tell. Raises WayInFailed when nobody answers; what was told may have happened then."""
        return self._ask("POST", path, json.dumps(data), within_s)

    def synchronous_mode(self) -> bool:
        """Whether the cluster promises a synchronous standby; False too when nobody answers."""
        return bool(self._told("/config").get("synchronous_mode"))

    def synchronous(self) -> set[str]:
        """The standbys that Patroni counts as synchronous: a moment after PostgreSQL does, and only these may be moved to."""
        members = self._told("/cluster").get("members", ())
        return {str(m.get("name")) for m in members if str(m.get("role")) in {"sync_standby", "quorum_standby"}}

    def _told(self, path: str) -> Mapping[str, Any]:
        """What it says, as far as it is a mapping; nothing when nobody answers."""
        try:
            body = self.get(path).body
        except WayInFailed:
            return {}
        return body if isinstance(body, dict) else {}

    def _account(self) -> dict[str, str]:
        if self._parts.username is None:
            return {}
        account = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
        return {"Authorization": f"Basic {base64.b64encode(account.encode()).decode()}"}

    def _ask(self, method: str, path: str, data: str | None, within_s: float) -> Answer:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=within_s)
        try:
            headers = {"Content-Type": "application/json"} if data else {}
            connection.request(method, path, data, headers | self._account())
            response = connection.getresponse()
            text = response.read(4_000_000).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            words = error or type(error).__name__
            raise WayInFailed(f"{self.what}: Patroni does not answer {method} {path} ({words})") from error
        finally:
            connection.close()
        try:
            return Answer(response.status, json.loads(text))
        except ValueError:
            return Answer(response.status, text.strip())
