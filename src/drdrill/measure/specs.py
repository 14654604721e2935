# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a measuring process is told to do, as data: made from the estate by the runner, read by the worker. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.engines.engine import Address
    from drdrill.estate.model import Database, Estate, Service

CONNECTIONS: Final = 16
SLOWEST_HZ: Final = 10.0
"""Fewer writes a second could not tell an outage of a second from the pauses between writes."""
CLAIMS_HZ: Final = 5.0
LONGEST_S: Final = 20.0
"""A write is watched for the larger of this and twice the RTO: then its outcome is unknown for good."""


SQL_HZ: Final = 5.0
READ: Final = "read"
WRITE: Final = "write"


def deadline_s(service: Service) -> float:
    """How long an unanswered write is watched."""
    return max(LONGEST_S, 2 * service.rto_s)


def deadline_into_s(estate: Estate, database: Database) -> float:
    """How long an unanswered write into a database is watched: as long as one through any service that stands on it."""
    return max((deadline_s(s) for s in estate.services.values() if s.database == database.name), default=LONGEST_S)


def probe_stream(service: Service, vantage: str, site: str, address: str) -> dict[str, Any]:
    """One stream of probes from a vantage point to the endpoint of a site; `address` is its URL there."""
    return {
        "stream": f"probe-{vantage}-{service.name}-{site}",
        "service": service.name,
        "vantage": vantage,
        "site": site,
        "url": service.endpoints[site],
        "address": address,
        "method": service.probe.method,
        "path": service.probe.path,
        "expect_status": service.probe.expect_status,
        "expect_json": service.probe.expect_json,
        "served_by": service.served_by_header,
        "rate_hz": service.probe.rate_hz,
        "latency_s": service.latency_s,
    }


def probe_spec(streams: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A worker for all streams of one vantage point."""
    return {"role": "probes", "streams": list(streams)}


def write_spec(
    service: Service, site: str, vantage: str, address: str, *, rate_hz: float, drill: str
) -> dict[str, Any]:
    """A worker that writes through a service at one site."""
    assert service.write is not None  # noqa: S101 - the caller has refused a service that cannot be written through
    stream = f"write-{service.name}-{site}"
    return {
        "role": "writes",
        "stream": stream,
        "service": service.name,
        "database": service.database,
        "site": site,
        "vantage": vantage,
        "url": service.endpoints[site],
        "address": address,
        "method": service.write.method,
        "path": service.write.path,
        "body": service.write.body,
        "content_type": service.write.content_type,
        "ok": service.write.ok,
        "rate_hz": rate_hz,
        "latency_s": service.latency_s,
        "deadline_s": deadline_s(service),
        "connections": CONNECTIONS,
        "prefix": f"{drill}/{stream}/",
    }


def member_probe_spec(
    estate: Estate, database: Database, vantage: str, addresses: Mapping[str, Address]
) -> dict[str, Any]:
    """A worker that asks these members, from one vantage point, whether they can be read and whether they commit."""
    streams = [
        {
            "stream": f"probe-{vantage}-{database.name}-{member}-{question}",
            "database": database.name,
            "member": member,
            "question": question,
            "vantage": vantage,
            "site": estate.hosts[member].site,
            "rate_hz": SQL_HZ,
            "latency_s": database.latency_s,
        }
        for member in addresses
        for question in (READ, WRITE)
    ]
    return {"role": "probes", "streams": streams, **_client(estate, database, addresses)}


def write_to_spec(
    estate: Estate,
    database: Database,
    site: str,
    vantage: str,
    addresses: Mapping[str, Address],
    *,
    table: str,
    rate_hz: float,
    drill: str,
) -> dict[str, Any]:
    """A worker that writes into the ledger of a database, from one site."""
    stream = f"write-to-{database.name}-{site}"
    return {
        "role": "writes",
        "stream": stream,
        "service": None,
        "site": site,
        "vantage": vantage,
        "url": None,
        "table": table,
        "rate_hz": rate_hz,
        "latency_s": database.latency_s,
        "deadline_s": deadline_into_s(estate, database),
        "connections": CONNECTIONS,
        "prefix": f"{drill}/{stream}/",
        **_client(estate, database, addresses),
    }


def _client(estate: Estate, database: Database, addresses: Mapping[str, Address]) -> dict[str, Any]:
    return {"database": database.name, "estate_file": str(estate.path), "addresses": dict(addresses)}


def claims_spec(estate: Estate, database: Database) -> dict[str, Any]:
    """A worker that samples who claims to be the writer of a database."""
    return {
        "role": "claims",
        "stream": f"claims-{database.name}",
        "database": database.name,
        "estate_file": str(estate.path),
        "rate_hz": CLAIMS_HZ,
    }
