# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Let a child of the supervisor do what may take long, so that leases are kept meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


async def in_child(work: Callable[[], Any], within_s: float) -> Any:
    """What `work` returns in a forked child, as JSON can carry it. Whoever calls has to bury the child.

    Raises:
        TimeoutError: it took longer; the child was killed.
        RuntimeError: it failed; the words are its own.
    """
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.set_wakeup_fd(-1)
            for signum in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(signum, signal.SIG_DFL)
            answer = {"is": work()}
        except BaseException as error:  # noqa: BLE001 - this process must never return into the supervisor's code
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(BaseException), os.fdopen(into, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        os._exit(0)
    os.close(into)
    try:
        async with asyncio.timeout(within_s):
            said = await _all_of(out)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        raise
    answer = json.loads(said or '{"error": "it was killed"}')
    if "error" in answer:
        raise RuntimeError(str(answer["error"]))
    return answer["is"]


async def _all_of(descriptor: int) -> bytes:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        return await reader.read()
    finally:
        transport.close()
