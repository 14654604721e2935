# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Estates for tests, made without a file: the pocket's shape over the fake ways in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.connect.fake_world import World
from drdrill.estate.model import Database, Estate, Host, HttpProbe, HttpWrite, Limits, Service, Site, Table, Vantage

if TYPE_CHECKING:
    from pathlib import Path

FAKE = dict.fromkeys(("links", "power", "freeze", "entry", "shell"), ("fake",))


def fake_estate(folder: Path, *, limits: Limits | None = None, name: str = "fake") -> Estate:
    """Two sites that serve, a witness and a client; nothing is struck."""
    hosts = [Host("client", "client", None, FAKE), Host("witness-arb1", "arbitrator", "witness", FAKE, votes=True)]
    for site in ("east", "south"):
        for role, short in (("database", "db1"), ("application", "app1"), ("entry", "entry1")):
            hosts.append(Host(f"{site}-{short}", role, site, FAKE, votes=role == "database"))
    service = Service(
        name="registration",
        endpoints={"east": "http://east-entry1", "south": "http://south-entry1"},
        probe=HttpProbe(path="/healthz"),
        rto_s=15.0,
        latency_s=1.0,
        stable_s=3.0,
        hosts={"application": ("east-app1", "south-app1"), "entry": ("east-entry1", "south-entry1")},
        database="clinical",
        served_by_writer="clinical",
        write=HttpWrite("/registrations", '{"key": "{key}"}'),
    )
    database = Database(
        name="clinical",
        engine="fake",
        nodes={"east-db1": {}, "south-db1": {}},
        tables={"registrations": Table("registrations", "key")},
        rpo_s=0.0,
        fencing_s=5.0,
        recovery_s=2.0,
    )
    estate = Estate(
        name=name,
        sites={
            "east": Site("east", "East", aka=("primary site",)),
            "south": Site("south", "South"),
            "witness": Site("witness", "South", votes_only=True),
        },
        hosts={h.name: h for h in hosts},
        services={"registration": service},
        databases={"clinical": database},
        vantage={
            "client": Vantage("client", "fake"),
            "east": Vantage("east", "fake", "east"),
            "south": Vantage("south", "fake", "south"),
        },
        limits=limits or Limits(hosts_down=3),
        lock="client",
        path=folder / "estate.yaml",
    )
    World.forget(estate)
    return estate


class EastWrites:
    """An engine that says that east-db1 is the writer."""

    def writer(self, database: str) -> str | None:
        del database
        return "east-db1"
