# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A lean HTTP/1.1 client for measuring: no pool, no redirects, no retries, no cookies, nothing that hides an answer.

Why not aiohttp: measured on two cores with 100 fresh connections a second, it needs 600 us of processor time for each
request and 0.2 s to import in every worker process, this client 390 us and nothing beyond asyncio; and a library that
may repeat a request by itself must not stand between a write and its outcome.
"""

from __future__ import annotations

import asyncio
import errno
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

LARGEST: Final = 1 << 20
"""Bytes of an answer that are read. A probe or an acknowledgement is a few hundred."""

OURS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors of this machine. They break the instrument and say nothing of the service, so a worker ends with them."""


class Malformed(Exception):
    """What came back is no HTTP."""


@dataclass(frozen=True)
class Target:
    """Where requests go."""

    host: str
    port: int
    tls: bool
    authority: str
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """From an http or https URL. Raises ValueError for any other."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url} is no http or https URL")
        tls = parts.scheme == "https"
        authority = parts.netloc.rpartition("@")[2]
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, authority, parts.path.rstrip("/"))


@dataclass(frozen=True)
class Answer:
    """One answer. `headers` have lower case names; `keep` says whether the connection can be used again."""

    status: int
    headers: dict[str, str]
    body: bytes
    keep: bool


@dataclass(frozen=True)
class Connection:
    """One connection, open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def stale(self) -> bool:
        """Whether the other side has closed it, or sent what nobody asked for."""
        return self.reader.at_eof() or self.writer.is_closing() or self.reader.exception() is not None

    def close(self) -> None:
        """At once, without a goodbye that could wait for a dead peer."""
        self.writer.transport.abort()


async def connect(target: Target) -> Connection:
    """Open a connection. Raises OSError; the caller sets the deadline."""
    return Connection(*await asyncio.open_connection(target.host, target.port, ssl=_context() if target.tls else None))


@functools.cache
def _context() -> ssl.SSLContext:
    """One for all connections of a worker: reading the certificates of the machine takes longer than many round trips."""
    import ssl  # noqa: PLC0415 - only where an endpoint speaks TLS

    return ssl.create_default_context()


def request(target: Target, method: str, path: str, body: bytes = b"", kind: str = "", *, keep: bool = False) -> bytes:
    """The bytes of a request."""
    lines = [
        f"{method} {target.path}{path} HTTP/1.1",
        f"Host: {target.authority}",
        "User-Agent: drdrill",
        "Accept: */*",
    ]
    if body or method not in {"GET", "HEAD"}:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    if not keep:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def exchange(connection: Connection, asked: bytes) -> Answer:
    """Send a request and read its answer.

    Raises:
        Malformed: what came back is no HTTP.
        OSError, EOFError: the connection broke; whether the request was carried out is unknown.
    """
    connection.writer.write(asked)
    await connection.writer.drain()
    try:
        return await _answer(connection.reader, head_only=asked.startswith(b"HEAD "))
    except asyncio.LimitOverrunError as error:
        raise Malformed(f"headers longer than {error.consumed} bytes") from error
    except (ValueError, IndexError) as error:
        raise Malformed(str(error)) from error


async def _answer(reader: asyncio.StreamReader, *, head_only: bool) -> Answer:
    status, version, headers = await _head(reader)
    while 100 <= status < 200:  # noqa: PLR2004 - interim answers, RFC 9110 section 15.2
        status, version, headers = await _head(reader)
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    if head_only or status in {204, 304}:
        return Answer(status, headers, b"", keep)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Answer(status, headers, await _chunks(reader), keep)
    if "content-length" in headers:
        return Answer(status, headers, await reader.readexactly(_size(headers["content-length"], 10)), keep)
    return Answer(status, headers, await reader.read(LARGEST), keep=False)


async def _head(reader: asyncio.StreamReader) -> tuple[int, str, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, status = lines[0].split(" ", 2)[:2]
    if not version.startswith("HTTP/1."):
        raise Malformed(f"the answer begins with {lines[0][:40]!r}")
    pairs = (line.split(":", 1) for line in lines[1:] if line)
    return int(status), version, {name.strip().lower(): value.strip() for name, value in pairs}


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A chunked body, RFC 9112 section 7.1; extensions and trailers are read and dropped."""
    body = b""
    while size := _size((await reader.readuntil(b"\r\n")).split(b";")[0].decode("latin-1"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
        if len(body) > LARGEST:
            raise Malformed(f"the answer is longer than {LARGEST} bytes")
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return body


def _size(text: str, base: int) -> int:
    size = int(text.strip(), base)
    if not 0 <= size <= LARGEST:
        raise Malformed(f"the answer says that it has {size} bytes")
    return size
