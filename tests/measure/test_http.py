# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from typing import Any

import pytest

from drdrill.journal.records import Done, Seen
from drdrill.measure import http
from drdrill.measure.http_writes import classify
from drdrill.measure.probes import Expected, contains


def answered(raw: bytes, method: str = "GET") -> http.Answer:
    """What the client makes of these bytes, whatever was asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    async def ask() -> http.Answer:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            target = http.Target.of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/base")
            connection = await http.connect(target)
            try:
                async with asyncio.timeout(5):
                    return await http.exchange(connection, http.request(target, method, "/x"))
            finally:
                connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("raw", "status", "body", "keep"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\nhi", 200, b"hi", False),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, b"", True),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
            200, b"abc0123456789", True,
        ),
    ],
)  # fmt: skip
def test_an_answer_is_read_however_its_end_is_told(raw: bytes, status: int, body: bytes, keep: bool):
    found = answered(raw)
    assert (found.status, found.body, found.keep) == (status, body, keep)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_malformed_and_not_a_crash(raw: bytes):
    with pytest.raises(http.Malformed):
        answered(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]
)
def test_a_connection_that_breaks_in_an_answer_is_broken(raw: bytes):
    with pytest.raises((EOFError, OSError)):
        answered(raw)


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "registration"])
def test_only_http_urls_are_targets(url: str):
    with pytest.raises(ValueError, match="no http or https URL"):
        http.Target.of(url)


def test_a_target_keeps_the_path_of_its_url_and_the_authority_without_a_password():
    target = http.Target.of("https://user:secret@east.example/base/")
    assert target == http.Target("east.example", 443, tls=True, authority="east.example", path="/base")
    assert b"GET /base/x HTTP/1.1\r\nHost: east.example\r\n" in http.request(target, "GET", "/x")


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (201, b"", Done.OK),
        (409, b'{"key": "d/w/7", "payload": "same"}', Done.OK),
        (409, b'{"error": "conflict"}', Done.FAIL),
        (400, b"", Done.FAIL),
        (503, b"", Done.UNKNOWN),
        (500, b"", Done.UNKNOWN),
        (200, b"", Done.UNKNOWN),
        (302, b"", Done.UNKNOWN),
    ],
)
def test_only_an_answer_that_says_so_makes_a_write_ok_or_failed(status: int, body: bytes, outcome: Done):
    assert classify(status, body, "d/w/7", 201)[0] is outcome


@pytest.mark.parametrize(
    ("found", "wanted", "good"),
    [
        ({"ready": True, "site": "east"}, {"ready": True}, True),
        ({"ready": False}, {"ready": True}, False),
        ({"ready": 1}, {"ready": True}, False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, True),
        ({"a": {}}, {"a": {"b": 1}}, False),
        ([], {"ready": True}, False),
        (None, {}, False),
    ],
)
def test_an_answer_must_contain_what_is_expected(found: Any, wanted: Any, good: bool):
    assert contains(found, wanted) is good


def test_a_probe_says_what_was_wrong():
    expected = Expected(200, {"ready": True}, "X-Site")
    answer = http.Answer(200, {"x-site": "east"}, b'{"ready": true}', keep=True)
    assert expected.judge(answer) == (Seen.GOOD, "east")
    assert expected.judge(http.Answer(503, {}, b"", keep=True)) == (Seen.WRONG, "HTTP 503")
    assert expected.judge(http.Answer(200, {}, b"<html>", keep=True)) == (Seen.WRONG, "no JSON")
    assert expected.judge(http.Answer(200, {}, b"{}", keep=True)) == (Seen.WRONG, "other JSON")
