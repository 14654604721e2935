# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the hosts of the network lab are made of: Debian packages, what is left out of them, and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from drdrill.errors import LabError

PACKAGES: Final = (
    *("usr-is-merged", "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "procps"),
    *("iproute2", "iputils-ping", "nftables"),
    *("mariadb-server", "mariadb-backup", "socat", "galera-4", "galera-arbitrator-4"),
    *("haproxy", "keepalived"),
    *("python3", "python3-aiohttp", "python3-aiomysql"),
)
"""mariadb-backup and socat are for full transfers between members."""
_UNUSED: Final = (
    *("aria_*", "myisam*", "innochecksum", "perror", "replace", "resolve_stack_dump", "mariadbd-safe-helper"),
    *(f"mariadb-{tool}" for tool in ("binlog", "import", "show", "conv", "plugin", "tzinfo-to-sql", "waitpid")),
    *(f"mariadb-{tool}" for tool in ("check", "upgrade", "dump")),
)
"""Programs of 5 MB each that nobody here calls."""
LEFT_OUT: Final = (
    *(f"/usr/share/{folder}/*" for folder in ("doc", "man", "info", "locale", "zoneinfo")),
    "/usr/lib/*/gconv/*",
    # Scripts of the packages themselves make do with perl-base.
    *("/usr/share/perl/*", "/usr/lib/*/perl/*"),
    *(f"/usr/bin/{program}" for program in _UNUSED),
)
"""Patterns of dpkg's path-exclude."""
_APT: Final = Path("/etc/apt")


def release(os_release: Path = Path("/etc/os-release")) -> str:
    """The code name of this machine's release, which the hosts get as well. Raises LabError where it has none."""
    for line in os_release.read_text().splitlines() if os_release.exists() else ():
        name, _, value = line.partition("=")
        if name == "VERSION_CODENAME" and value.strip('"'):
            return value.strip('"')
    raise LabError(
        f"{os_release} names no VERSION_CODENAME: the network lab makes its hosts from the packages of this machine's own "
        "release; run it on Debian 12 or newer, or in a container of it"
    )


def sources(name: str, apt: Path = _APT) -> list[Path]:
    """The machine's own apt sources that name this release; what others name would mix releases. Raises LabError for none."""
    listed = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    files = [path for path in listed if path.suffix in {".list", ".sources"} and path.is_file()]
    found = [path for path in files if name in path.read_text(errors="replace")]
    if not found:
        raise LabError(
            f"no file of {apt}/sources.list.d and no {apt}/sources.list names {name!r}: the network lab takes its packages from "
            "the machine's own sources; add one for this release"
        )
    return found
