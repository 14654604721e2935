# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The negative control of the probes: before anything is struck, each of them is shown answers that it must call bad.

A probe that takes every answer for right is the cheapest way to a green drill. So each stream of a worker gets a twin that is
pointed at a server of our own on the loopback interface, which answers wrongly on purpose, and what the twin writes down
is looked at: a sample that is called good there makes the whole stream unbelievable. It runs beside the first real attempts and
costs a few milliseconds of work; silence takes the time that a probe gives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drdrill.journal.records import SAMPLE_PACK, Seen
from drdrill.measure.probes import Probe
from drdrill.measure.schedule import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LATENCY_S: Final = 0.2
"""The bound of a twin: silence is called silence one second after it."""
_RATE_HZ: Final = 0.5
_PATIENCE_S: Final = 5.0
"""An attempt of a twin ends after 1.2 s at the latest; the rest is for a machine that is busy."""
_OTHER_BODY: Final = b'{"drdrill": "a wrong answer on purpose"}'


async def controls(streams: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each stream that speaks HTTP: which wrong answers it was shown, and which of them it called good.

    Gives {stream, shown[], believed[]}, in words: `HTTP 503`, `HTTP 200 with another body`, `no answer`, `a refused connection`.
    """
    return list(await asyncio.gather(*(_control(s) for s in streams if s.get("expect_status") is not None)))


async def _control(stream: Mapping[str, Any]) -> dict[str, Any]:
    seen = await asyncio.gather(*(_shown(stream, words, answer) for words, answer in _wrong(stream).items()))
    shown = [words for words, _ in seen]
    return {"stream": stream["stream"], "shown": shown, "believed": [words for words, good in seen if good]}


def _wrong(stream: Mapping[str, Any]) -> dict[str, bytes | None]:
    """Answers that this stream must call bad, by their words. b"" is a server that says nothing, None one that is not there."""
    wanted, body = int(stream["expect_status"]), json.dumps(stream.get("expect_json")).encode()
    status = 503 if wanted != 503 else 500  # noqa: PLR2004 - unavailable, or a server's error
    found: dict[str, bytes | None] = {f"HTTP {status}": _answer(status, body)}
    if stream.get("expect_json") is not None:
        found[f"HTTP {wanted} with another body"] = _answer(wanted, _OTHER_BODY)
    return {**found, "no answer": b"", "a refused connection": None}


def _answer(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} On Purpose\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


async def _shown(stream: Mapping[str, Any], words: str, answer: bytes | None) -> tuple[str, bool]:
    """Whether a twin of this stream wrote down that this answer was good."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            await reader.readuntil(b"\r\n\r\n")
            if answer:
                writer.write(answer)
                await writer.drain()
            else:
                await reader.read()  # Until the probe gives up.
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        if answer is None:
            server.close()
        with tempfile.TemporaryDirectory() as folder:
            return words, await _believed(stream, Path(folder), port)
    finally:
        server.close()


class _Kept:
    """Takes the place of a stream on disk: the first record that is written to it."""

    def __init__(self) -> None:
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def write(self, records: bytes) -> None:
        """Keep it, and let go whoever waits."""
        if not self.first.done():
            self.first.set_result(records)


async def _believed(stream: Mapping[str, Any], folder: Path, port: int) -> bool:
    """One attempt of a twin, by the code that makes every attempt. One that writes nothing down is believed nothing either."""
    twin = {**stream, "address": f"http://127.0.0.1:{port}", "latency_s": _LATENCY_S}
    probe: Any = Probe(twin, folder, Grid(time.monotonic_ns(), _RATE_HZ))
    probe.sink = kept = _Kept()
    probing = asyncio.ensure_future(_grouped(probe))
    try:
        async with asyncio.timeout(_PATIENCE_S):
            record = await kept.first
    except TimeoutError:
        return True
    finally:
        probing.cancel()
        await asyncio.wait({probing})
    return bool(SAMPLE_PACK.unpack(record)[4] == Seen.GOOD)


async def _grouped(probe: Any) -> None:
    async with asyncio.TaskGroup() as tasks:
        await probe.run(tasks)
