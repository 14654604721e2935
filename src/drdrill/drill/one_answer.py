# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One question to one endpoint, before a drill: does it answer as it promises? Measuring does not happen here."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.estate.model import HttpProbe


@dataclass(frozen=True)
class Answer:
    """What came back. `wrong` says what is wrong with it, or is None."""

    wrong: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


def ask(url: str, probe: HttpProbe, within_s: float) -> Answer:
    """Ask once, on a fresh connection, within this many seconds. Never raises for what the endpoint does."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=within_s)
    try:
        connection.request(probe.method, parts.path.rstrip("/") + probe.path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read(1_000_000)
        headers = {k.lower(): v for k, v in response.getheaders()}
    except (OSError, http.client.HTTPException) as error:
        return Answer(f"{url} does not answer within {within_s:g} s ({error or type(error).__name__})")
    finally:
        connection.close()
    if response.status != probe.expect_status:
        return Answer(f"{url}{probe.path} answers {response.status}, not {probe.expect_status}", headers)
    if probe.expect_json is not None and not _holds(body, probe.expect_json):
        return Answer(
            f"{url}{probe.path} answers {body[:80]!r}, which does not contain {dict(probe.expect_json)}", headers
        )
    return Answer(None, headers)


def _holds(body: bytes, expected: Mapping[str, Any]) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and all(found.get(k) == v for k, v in expected.items())
