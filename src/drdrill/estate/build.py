# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From the checked parts of an estate file to the records that everything else reads. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.estate import model

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.schema import DatabasePart, EstatePart, HostPart, ServicePart

_CAPABILITIES = ("shell", "power", "links", "freeze", "entry")


def build(part: EstatePart, path: Path) -> model.Estate:
    """The estate of a file without findings."""
    return model.Estate(
        name=part.estate,
        lab=part.lab,
        enter=part.enter,
        production=part.production,
        ssh=model.Ssh(part.ssh.config, part.ssh.sudo),
        lock=part.lock,
        path=path,
        sites={n: model.Site(n, s.campus, s.votes_only, s.aka, s.networks) for n, s in part.sites.items()},
        vantage={n: model.Vantage(n, v.at, v.site, v.host) for n, v in part.vantage.items()},
        hosts={n: _host(n, h) for n, h in part.hosts.items()},
        services={n: _service(n, s) for n, s in part.services.items()},
        databases={n: _database(n, d) for n, d in part.databases.items()},
        limits=model.Limits(part.limits.sites_down, part.limits.hosts_down, part.limits.longest_fault),
    )


def _host(name: str, part: HostPart) -> model.Host:
    ways = {c: tuple(getattr(part, c)) for c in _CAPABILITIES if getattr(part, c)}
    return model.Host(name, part.role, part.site, ways, part.votes, part.address)


def _service(name: str, part: ServicePart) -> model.Service:
    probe, write = part.probe, part.write
    return model.Service(
        name=name,
        endpoints=dict(part.endpoints),
        probe=model.HttpProbe(probe.method, probe.path, probe.expect.status, probe.expect.contains, probe.rate),
        rto_s=part.rto,
        latency_s=part.latency,
        stable_s=part.stable,
        hosts={role: tuple(hosts) for role, hosts in part.hosts.items()},
        database=part.database,
        served_by_header=part.served_by.header,
        served_by_writer=part.served_by.writer,
        write=model.HttpWrite(write.path, write.body, write.method, write.ok, write.content_type) if write else None,
        aka=part.aka,
    )


def _database(name: str, part: DatabasePart) -> model.Database:
    return model.Database(
        name=name,
        engine=part.engine,
        nodes={host: dict(node) for host, node in part.nodes.items()},
        tables={t: model.Table(t, table.key) for t, table in part.tables.items()},
        rpo_s=part.rpo,
        fencing_s=part.fencing,
        recovery_s=part.recovery,
        write=part.write if part.write == "writer" else dict(part.write),
        aka=part.aka,
        latency_s=part.latency,
    )
