# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The SSH keys of one lab: root's, and one for each host, so that host keys are verified as on any estate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from drdrill.lab.folder import write_private
from drdrill.lab.network.topology import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.lab.network.layout import Layout

_REST: Final = """Host *
  User root
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {known}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 3
"""


def make(layout: Layout) -> None:
    """Write `id`, `keys/HOST`, each with its public half, `known_hosts` and `ssh_config` into the lab's folder."""
    (layout.folder / "keys").mkdir(mode=0o700, exist_ok=True)
    _pair(layout.root_key, "root of the lab")
    known = "".join(f"{host.management} {_pair(layout.host_key(host.name), host.name)}\n" for host in HOSTS.values())
    write_private(layout.folder / "known_hosts", known)
    names = "".join(f"Host {host.name}\n  HostName {host.management}\n" for host in HOSTS.values())
    rest = _REST.format(key=layout.root_key, known=layout.folder / "known_hosts")
    write_private(layout.ssh_config, names + rest)


def _pair(path: Path, owner: str) -> str:
    """A new key at `path` and its public half beside it. The public half."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode())
    write_private(path.with_name(path.name + ".pub"), f"{public} {owner}\n")
    return public
