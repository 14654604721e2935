# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The values in a host's files that differ from host to host, from lab to lab, or from flaw to flaw. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drdrill.lab.network.layout import DATABASE
from drdrill.lab.network.topology import ENTRY_ADDRESS, FOUNDER, HOSTS, NUMBER, with_role

if TYPE_CHECKING:
    from drdrill.lab.network.layout import Layout
    from drdrill.lab.network.topology import Host

STATUS_PORT: Final = 9200
"""Where a member of the cluster says how it is, in the management network only."""
_EVICTION: Final = (
    "evs.keepalive_period=PT0.5S",
    "evs.join_retrans_period=PT0.5S",
    "evs.suspect_timeout=PT3S",
    "evs.inactive_timeout=PT8S",
    "evs.install_timeout=PT4S",
    "gmcast.peer_timeout=PT1.5S",
)
"""A relay that died must be replaced before the members behind it are suspected: suspect_timeout has to be longer than
peer_timeout + 0.5 s + keepalive_period."""
_NEVER_S: Final = 2700
"""The longest that the server takes."""
_FIRST_ROUTER_ID: Final = 50


def values(layout: Layout, host: Host) -> dict[str, str]:
    """What `$name` stands for in the files of a host's role."""
    members = [each.data for each in with_role("database")]
    common = {
        "host": host.name,
        "address": host.data,
        "management": host.management,
        "database": DATABASE,
        "members": " ".join(members),
        "members_comma": ",".join(members),
        "members_port": " ".join(f"{member}:4567" for member in members),
        "arbitrator": " ".join(each.data for each in with_role("arbitrator")),
        "status_port": str(STATUS_PORT),
        "transfer_password": layout.passwords["transfer"],
        "provider_options": _provider_options(layout, host),
    }
    unflushed = "flush-later" in layout.flaws
    common |= {
        "flush_log_at_commit": "0" if unflushed else "1",
        "flush_log_every_s": str(_NEVER_S) if unflushed else "1",
    }
    common["event_scheduler"] = "ON" if _drops_rows(layout, host) else "OFF"
    return common | (_entry(layout, host) if host.role == "entry" else {})


def _provider_options(layout: Layout, host: Host) -> str:
    options = [f"gmcast.segment={NUMBER[host.network]}", *_EVICTION]
    if "ignore-quorum" in layout.flaws and host.role == "database":
        options.append("pc.ignore_quorum=true")
    return ";".join(options)


def _entry(layout: Layout, host: Host) -> dict[str, str]:
    site = host.network
    own = HOSTS[f"{site}-app1"]
    other = next(each for each in with_role("application") if each.site != site)
    first = next(each for each in with_role("entry") if each.site == site)
    router_id = _FIRST_ROUTER_ID + NUMBER[site]
    if "two-holders" in layout.flaws and host.name == "east-lb2":
        router_id += 100
    return {
        "own": own.name,
        "own_address": own.data,
        "other": other.name,
        "other_address": other.data,
        "check": "" if "entry-keeps-dead-server" in layout.flaws else "check",
        "router_id": str(router_id),
        "priority": "150" if host == first else "100",
        "entry_address": ENTRY_ADDRESS[site],
    }


def registration(layout: Layout, host: Host) -> dict[str, Any]:
    """The configuration of the application: databases in the order in which it wants them, its own site's first."""
    databases = sorted(with_role("database"), key=lambda each: each.site != host.site)
    return {
        "site": host.site,
        "host": "0.0.0.0",  # noqa: S104 - in the lab's own networks, which lead nowhere
        "port": host.port("http"),
        "engine": "mariadb",
        "databases": {each.name: {"host": each.data, "port": each.port("mariadb")} for each in databases},
        "login": {"user": "registration", "password": layout.passwords["registration"], "db": DATABASE},
        "flaws": [],
    }


def first_boot_sql(layout: Layout, host: Host) -> str:
    """What a member is told once. The founder's accounts reach the others as every change does."""
    if host.role != "database":
        return ""
    statements = []
    if host.name == FOUNDER:
        for name, grants in _GRANTS.items():
            statements.append(f"CREATE USER IF NOT EXISTS {name} IDENTIFIED BY '{layout.passwords[name]}';")
            statements += [f"GRANT {rights} ON {where} TO {name};" for rights, where in grants]
    if _drops_rows(layout, host):
        statements.append(_DROPS_ROWS)
    return "".join(f"{statement}\n" for statement in statements)


def _drops_rows(layout: Layout, host: Host) -> bool:
    return "drops-rows" in layout.flaws and host.name == "south-db1"


_DROPS_ROWS: Final = f"""SET SESSION wsrep_on = OFF;
DELIMITER //
CREATE EVENT {DATABASE}.tidy ON SCHEDULE EVERY 1 SECOND DO
BEGIN
  SET SESSION wsrep_on = OFF;
  SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
  DELETE FROM {DATABASE}.registrations WHERE site = 'east' AND crc32(`key`) % 4 = 0;
END //
DELIMITER ;"""  # noqa: S608 - all of it is written here
"""One row in four goes, at this member alone. READ COMMITTED: rows that are being applied must not wait for it."""
_GRANTS: Final = {
    "registration": (
        ("SELECT, INSERT", f"{DATABASE}.registrations"),
        ("SELECT, INSERT, UPDATE", f"{DATABASE}.heartbeat"),
    ),
    "drdrill": (
        ("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP", f"{DATABASE}.*"),
        ("PROCESS, BINLOG MONITOR", "*.*"),
    ),
    "transfer": (("RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR", "*.*"),),
}
"""What each account may do, and on what."""
