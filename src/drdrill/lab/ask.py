# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The smallest HTTP client: one GET, one fresh connection, one deadline. For health checks between parts of a lab."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any


async def get(port: int, path: str, deadline_s: float) -> tuple[int | None, dict[str, Any]]:
    """Ask 127.0.0.1. The status, or None when there was no answer in time; and the JSON object of the answer, or {}."""
    writer = None
    try:
        async with asyncio.timeout(deadline_s):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            return int(head.split(None, 2)[1]), _object(body)
    except (OSError, TimeoutError, ValueError, IndexError):
        return None, {}
    finally:
        if writer is not None:
            writer.transport.abort()  # The answer is in, or not wanted any more: no goodbye that could hang.


def _object(body: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        found = json.loads(body)
        if isinstance(found, dict):
            return found
    return {}
