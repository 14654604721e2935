# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One network lab on this machine: its folder, passwords, flaws and notes, and the files that say so."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from drdrill.estate import state
from drdrill.lab.folder import write_private

if TYPE_CHECKING:
    from pathlib import Path

ESTATE: Final = "network"
DATABASE: Final = "clinical"


@dataclass(frozen=True)
class Layout:
    """One lab.

    Its folder holds `id` and `id.pub` (root's key of all hosts), `keys/HOST` and `keys/HOST.pub` (each host's own), `ssh_config`,
    `known_hosts`, and `HOST.log` (what a host's PID 1 said before its journal was there).
    """

    folder: Path
    passwords: dict[str, str]
    flaws: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def host_key(self, host: str) -> Path:
        """The private key of a host's sshd; the public one is beside it, with `.pub`."""
        return self.folder / "keys" / host

    @property
    def root_key(self) -> Path:
        """The private key with which root may log in to every host."""
        return self.folder / "id"

    @property
    def ssh_config(self) -> Path:
        """The file that ssh and testinfra read to reach the hosts by name."""
        return self.folder / "ssh_config"

    def save(self) -> None:
        """Write `layout.json`, the lab's own, for the owner only."""
        write_private(self.folder / "layout.json", json.dumps(asdict(self) | {"folder": str(self.folder)}, indent=1))

    def publish(self, supervisor: int) -> None:
        """Write `lab.json`, which an estate file may name, for the owner only. `supervisor` is its pid on the machine."""
        named = {f"{name}_password": password for name, password in self.passwords.items()}
        named |= {"ssh_config": str(self.ssh_config), "netns": f"/proc/{supervisor}/ns/net"}
        write_private(self.folder / "lab.json", json.dumps(named, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Layout:
        """Read what `save` wrote. Raises OSError, ValueError."""
        data = json.loads((folder / "layout.json").read_text())
        return cls(folder=folder, passwords=data["passwords"], flaws=tuple(data["flaws"]), notes=tuple(data["notes"]))


def new_passwords() -> dict[str, str]:
    """Fresh passwords for the accounts of the database: the application's, the drills' and the one for full transfers."""
    return {name: secrets.token_urlsafe(18) for name in ("registration", "drdrill", "transfer")}


def lab_folder() -> Path:
    """`${DRDRILL_STATE:-$XDG_STATE_HOME/drdrill}/network/lab`, resolved, whether it exists or not."""
    return (state.folder(ESTATE) / "lab").resolve()
