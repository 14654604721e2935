# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What makes the shared root into one host of a lab: names, keys, units, and the configuration of its role.

Written into the host's own layer before its first boot and never again: a power cycle keeps the disk. The texts are in
`files/ROLE`, where they lie as they will on the host; `$name` in them stands for one of `host_values.values`.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from drdrill.lab.network import host_values
from drdrill.lab.network.settle import ENGINEER
from drdrill.lab.network.topology import FOUNDER, HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.lab.network.layout import Layout
    from drdrill.lab.network.topology import Host

_FILES: Final = Path(__file__).with_name("files")
_UNITS: Final = {
    "database": ("mariadb.service", "member-status.socket"),
    "arbitrator": ("garb.service",),
    "application": ("registration.service",),
    "entry": ("haproxy.service", "keepalived.service"),
}
"""What starts on a role's hosts, beside sshd."""
_PRIVATE: Final = {"/etc/mysql/mariadb.conf.d/99-transfer.cnf": "mysql"}
"""Files of `files/ROLE` with a secret in them, and who may read them."""
_APPLICATION: Final = ("__init__", "lab/__init__", "lab/registration", "lab/sessions", "lab/mariadb_sessions")
"""The modules of ours that an application host runs, as they are in the drdrill that raises the lab."""


@dataclass(frozen=True)
class File:
    """A file on a host. `owner` is an account of the root; None is root."""

    text: str | bytes
    mode: int = 0o644
    owner: str | None = None


@dataclass(frozen=True)
class Symlink:
    """A symbolic link on a host."""

    to: str


def files(layout: Layout, host: Host) -> dict[str, File | Symlink]:
    """Everything that a host has of its own, by absolute path. Raises OSError when the lab has no keys yet."""
    own: dict[str, File | Symlink] = {
        "/etc/hostname": File(f"{host.name}\n"),
        "/etc/hosts": File("127.0.0.1 localhost\n" + "".join(f"{each.data} {each.name}\n" for each in HOSTS.values())),
        "/etc/machine-id": File(f"{uuid.uuid5(uuid.NAMESPACE_DNS, host.name).hex}\n"),
    }
    own |= _keys(layout, host)
    own |= _of_role(layout, host)
    for unit in ("ssh.service", *_UNITS.get(host.role, ())):
        ours = f"/etc/systemd/system/{unit}"
        wanted = f"/etc/systemd/system/multi-user.target.wants/{unit}"
        own[wanted] = Symlink(ours if ours in own else f"/lib/systemd/system/{unit}")
    if host.name == FOUNDER:
        own["/etc/mysql/first-boot.env"] = File("_WSREP_NEW_CLUSTER=--wsrep-new-cluster\n")
    sql = host_values.first_boot_sql(layout, host)
    if sql:
        own["/etc/mysql/first-boot.sql"] = File(sql, 0o600)
    if host.role == "application":
        package = Path(__file__).parents[2]
        for module in _APPLICATION:
            own[f"/opt/registration/drdrill/{module}.py"] = File((package / f"{module}.py").read_bytes())
        config = json.dumps(host_values.registration(layout, host), indent=1)
        own["/etc/registration.json"] = File(config, 0o600, "www-data")
    return own


def write(root: Path, contents: Mapping[str, File | Symlink]) -> None:
    """Write files into a root, which knows the accounts that they belong to. Raises OSError, KeyError for an unknown account."""
    accounts = dict(_accounts(root))
    for name, file in contents.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if isinstance(file, Symlink):
            path.symlink_to(file.to)
            continue
        data = file.text.encode() if isinstance(file.text, str) else file.text
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        user, group = accounts[file.owner or "root"]
        os.chown(path, user, group)
        path.chmod(file.mode)


def _accounts(root: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for line in (root / "etc/passwd").read_text().splitlines():
        name, _, user, group, *_ = line.split(":")
        yield name, (int(user), int(group))


def _keys(layout: Layout, host: Host) -> dict[str, File | Symlink]:
    private, public = layout.host_key(host.name), layout.host_key(host.name).with_name(f"{host.name}.pub")
    allowed = layout.root_key.with_name(f"{layout.root_key.name}.pub").read_text()
    return {
        "/etc/ssh/ssh_host_ed25519_key": File(private.read_text(), 0o600),
        "/etc/ssh/ssh_host_ed25519_key.pub": File(public.read_text()),
        # Not below the homes: sshd looks at the mode of every folder on the way.
        "/etc/ssh/authorized_keys/root": File(allowed),
        f"/etc/ssh/authorized_keys/{ENGINEER}": File(allowed),
    }


def _of_role(layout: Layout, host: Host) -> Iterator[tuple[str, File | Symlink]]:
    folder = _FILES / host.role
    values = host_values.values(layout, host)
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = f"/{path.relative_to(folder)}"
        if "bin" in path.parts:  # A program has dollars of its own.
            yield name, File(path.read_text(), 0o755)
        else:
            mode = 0o600 if name in _PRIVATE else 0o644
            yield name, File(Template(path.read_text()).substitute(values), mode, _PRIVATE.get(name))
