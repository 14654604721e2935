# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""testinfra's SSH backend over our own connection: its modules (Service, Socket, File ...) with our host keys and deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from testinfra.backend.ssh import SshBackend  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from testinfra.backend.base import CommandResult  # type: ignore[import-untyped]

    from drdrill.connect.ssh import SshShell


class OurBackend(SshBackend):  # type: ignore[misc]
    """One host of the estate.

    Args:
        shell: runs the commands.
        host: the name of the host in the estate file.
    """

    def __init__(self, shell: SshShell, host: str) -> None:
        super().__init__(host, controlpersist=0)
        self._shell = shell

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a command of a module as root. Raises Unreachable, WayInFailed."""
        del kwargs
        line = self.quote(command, *args)
        ran = self._shell.run(self.hostname, line, root=True)
        return self.result(ran.status, line.encode(), ran.out.encode(), ran.err.encode())
