# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a measuring process is told to do, as data: made from the estate by the runner, read by the worker. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.estate.model import Database, Estate, Service

CONNECTIONS: Final = 16
SLOWEST_HZ: Final = 10.0
"""Fewer writes a second could not tell an outage of a second from the pauses between writes."""
CLAIMS_HZ: Final = 5.0
LONGEST_S: Final = 20.0
"""A write is watched for the larger of this and twice the RTO: then its outcome is unknown for good."""


def deadline_s(service: Service) -> float:
    """How long an unanswered write is watched."""
    return max(LONGEST_S, 2 * service.rto_s)


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


def claims_spec(estate: Estate, database: Database) -> dict[str, Any]:
    """A worker that samples who claims to be the writer of a database."""
    return {
        "role": "claims",
        "stream": f"claims-{database.name}",
        "database": database.name,
        "estate_file": str(estate.path),
        "rate_hz": CLAIMS_HZ,
    }
