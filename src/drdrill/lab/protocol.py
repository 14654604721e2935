# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The supervisor's protocol, version 1: what a runner may ask of a lab, and what it is answered.

One JSON object per line on a Unix socket that only its owner can open (mode 0600). Each line is answered by one line. Every
answer has `ok`; when it is false, `error` is a sentence that says what was wrong and what would be right. All moments are
CLOCK_MONOTONIC nanoseconds of the machine (`*_ns`); leases and what is left of them are seconds (`*_s`).

    {"do": "hello"}
        -> lab, protocol, version, pid, started_ns, sites, hosts {name: {site, role, services: [...]}}, vantages {name: site},
           links: how the links are made ("user-space", "nftables on each host"), flaws: [...], notes: [...], folder
    {"do": "strike", "hold": ID, "drill": ID, "lease_s": 3.0, "hard_end_s": 600,
     "links": {"pairs": [[a, b], ...], "state": "frozen"}  |  "power": {"hosts": [...]}  |  "freeze": {"hosts": [...]}}
        -> hold, lease_s (the one that it really got), first_ns, last_ns (of the command)
        The client chooses the hold's name and has it on disk before it asks. Asked again while the hold is open, the answer
        is the same; the name of an ended hold is refused. `hard_end_s` is never extended.
    {"do": "renew", "hold": ID, "lease_s": 30}
        -> state: held (left_s) | lapsed (at_ns) | healed (at_ns) | revoked | unknown. It only ever extends.
    {"do": "heal", "hold": ID}
        -> state: healed | lapsed (at_ns) | unknown; first_ns, last_ns (of the command). Ends this one hold;
           for power it returns once the processes were started, for freeze once they go on.
    {"do": "revoke", "drill": ID}       -> no hold of that drill can be renewed any more
    {"do": "holds", "drill": ID?}       -> holds: [{hold, drill, kind, pairs | hosts, state, left_s, hard_left_s,
                                                    struck_ns, ended_ns}]; state: open | healed | lapsed
    {"do": "links", "pairs": [...]?}    -> links: {"a>b": {state, bytes, connections, refused}}
        Bytes are counted where they leave the proxy: a frozen link that holds bytes back has not carried them.
    {"do": "hosts", "health": true?}    -> hosts: {name: {site, role, on, processes, ready, missing: [...], frozen, stopped, woke}}
        `frozen`: an open hold keeps it so, and it was not off since; `stopped`: how many of its processes stand still;
        `woke`: how many ran all the same since the strike, and were stopped again.
    {"do": "address", "from": HOST | VANTAGE, "url": "http://east-entry1/"}  |  {..., "host": HOST, "service": NAME}
        -> host, port (and url): how `from` reaches that service. Services: http, pg, rest, echo, as the host has them; of a
           URL the scheme says which (postgresql:// is pg).
    {"do": "place", "host": HOST}       -> netns: the path by which root steps into that host's networks
        pid: of its PID 1, as the supervisor has it. Only of a lab whose hosts have networks of their own.
    {"do": "audit"}                     -> looks, last_ns, seen, unexplained: [...], unseen: [...]
    {"do": "down"}                      -> the lab ends; nothing of it is left when this is answered

A link is an ordered pair of hosts. Its state is the worst of its open holds. Links from and to a host without power are
frozen from just before the power goes until its processes were started again, so nobody hears a goodbye and no port refuses.
A freeze stops every process of a host where it stands (SIGSTOP). Its links stay open, and the kernel goes on accepting
connections and bytes for it, as it does for any stopped process: nobody answers. A power cut of the host ends the freeze.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL: Final = 1
SOCKET: Final = "supervisor.sock"
LONGEST_LINE: Final = 1 << 20
"""Bytes of one line at most. A cut of every pair of a hundred hosts is about 300 kB."""

Pair = tuple[str, str]
_KINDS: Final[tuple[Literal["links", "power", "freeze"], ...]] = ("links", "power", "freeze")


class BadRequest(ValueError):
    """A request that cannot be served. Its message becomes the answer's `error`."""


@dataclass(frozen=True)
class Strike:
    """A checked `strike`: exactly one of `pairs` (links) and `hosts` (power, freeze) has something in it."""

    hold: str
    drill: str
    kind: Literal["links", "power", "freeze"]
    pairs: tuple[Pair, ...]
    hosts: tuple[str, ...]
    lease_s: float
    hard_end_s: float


def encode(message: Mapping[str, Any]) -> bytes:
    """One message as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The message of one line.

    Raises:
        BadRequest: it is no JSON object.
    """
    try:
        message = json.loads(line)
    except ValueError as error:
        raise BadRequest(f"the line is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise BadRequest("the line is JSON, but not an object")
    return message


def text(message: Mapping[str, Any], key: str) -> str:
    """A non-empty text out of a message. Raises BadRequest."""
    value = message.get(key)
    if not isinstance(value, str) or not value:
        raise BadRequest(f'"{key}" must be a text, and is {value!r}')
    return value


def seconds(message: Mapping[str, Any], key: str) -> float:
    """A positive number of seconds out of a message. Raises BadRequest."""
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e7:  # noqa: PLR2004 - 115 days
        raise BadRequest(f'"{key}" must be a positive number of seconds, and is {value!r}')
    return float(value)


def pairs_of(value: Any, hosts: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Ordered pairs of two different known hosts. Raises BadRequest, which names the first wrong one."""
    if not isinstance(value, list) or not value:
        raise BadRequest('"pairs" must be a list of [from, to]')
    found: list[Pair] = []
    for item in value:
        if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - a pair
            raise BadRequest(f"{item!r} is no pair of hosts: write [from, to]")
        for host in item:
            known_host(host, hosts)
        if item[0] == item[1]:
            raise BadRequest(f"{item[0]!r} to itself is no link")
        found.append((item[0], item[1]))
    return tuple(dict.fromkeys(found))


def known_host(host: Any, hosts: Mapping[str, Any]) -> str:
    """The host, if the lab has it. Raises BadRequest."""
    if not isinstance(host, str) or host not in hosts:
        raise BadRequest(f"the lab has no host {host!r}; it has {', '.join(hosts)}")
    return host


def strike_of(message: Mapping[str, Any], linked: Mapping[str, Any], powered: Mapping[str, Any]) -> Strike:
    """A `strike`, checked against the ends that links can have and the hosts that have power. Raises BadRequest."""
    named: list[Literal["links", "power", "freeze"]] = [k for k in _KINDS if message.get(k) is not None]
    if len(named) != 1:
        raise BadRequest('a strike names either "links" or "power" or "freeze"')
    kind = named[0]
    pairs: tuple[Pair, ...] = ()
    hosts: tuple[str, ...] = ()
    if kind == "links":
        links = message["links"]
        if not isinstance(links, dict) or links.get("state") != "frozen":
            raise BadRequest('"links" must be {"pairs": [[from, to], ...], "state": "frozen"}')
        pairs = pairs_of(links.get("pairs"), linked)
    else:
        listed = message[kind].get("hosts") if isinstance(message[kind], dict) else None
        if not isinstance(listed, list) or not listed:
            raise BadRequest(f'"{kind}" must be {{"hosts": [...]}}')
        hosts = tuple(dict.fromkeys(known_host(host, powered) for host in listed))
    return Strike(
        hold=text(message, "hold"),
        drill=text(message, "drill"),
        kind=kind,
        pairs=pairs,
        hosts=hosts,
        lease_s=seconds(message, "lease_s"),
        hard_end_s=seconds(message, "hard_end_s"),
    )
