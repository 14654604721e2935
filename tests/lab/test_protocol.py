# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from drdrill.lab import protocol
from drdrill.lab.protocol import BadRequest

HOSTS = dict.fromkeys(("a", "b"))
GOOD: dict[str, Any] = {
    "hold": "h", "drill": "d", "lease_s": 3, "hard_end_s": 600, "links": {"pairs": [["a", "b"]], "state": "frozen"},
}  # fmt: skip


def test_a_message_is_one_line_and_comes_back_the_same():
    line = protocol.encode({"do": "hello", "text": "a\nb"})
    assert line.count(b"\n") == 1
    assert protocol.decode(line) == {"do": "hello", "text": "a\nb"}


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b"3"])
def test_a_line_that_is_no_object_is_refused(line: bytes):
    with pytest.raises(BadRequest):
        protocol.decode(line)


def test_a_strike_is_read():
    strike = protocol.strike_of(GOOD, HOSTS, HOSTS)
    assert (strike.kind, strike.pairs, strike.hosts, strike.lease_s) == ("links", (("a", "b"),), (), 3.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hold": ""}, '"hold" must be a text'),
        ({"lease_s": 0}, '"lease_s" must be a positive number'),
        ({"lease_s": True}, '"lease_s"'),
        ({"hard_end_s": None}, '"hard_end_s"'),
        ({"links": {"pairs": [["a", "x"]], "state": "frozen"}}, "no host 'x'; it has a, b"),
        ({"links": {"pairs": [["a", "a"]], "state": "frozen"}}, "to itself"),
        ({"links": {"pairs": [["a"]], "state": "frozen"}}, "no pair"),
        ({"links": {"pairs": [], "state": "frozen"}}, '"pairs" must be a list'),
        ({"links": {"pairs": [["a", "b"]], "state": "slow"}}, '"state": "frozen"'),
        ({"links": None}, 'either "links" or "power"'),
        ({"power": {"hosts": ["a"]}}, 'either "links" or "power"'),
        ({"links": None, "power": {"hosts": ["x"]}}, "no host 'x'"),
        ({"links": None, "power": {"hosts": []}}, '"power" must be'),
        ({"links": None, "freeze": {"hosts": ["x"]}}, "no host 'x'"),
        ({"links": None, "freeze": ["a"]}, '"freeze" must be'),
        ({"links": None, "power": {"hosts": ["a"]}, "freeze": {"hosts": ["a"]}}, 'or "freeze"'),
    ],
)
def test_a_wrong_strike_is_told_what_is_wrong(change: dict[str, Any], words: str):
    with pytest.raises(BadRequest, match=words):
        protocol.strike_of(GOOD | change, HOSTS, HOSTS)
