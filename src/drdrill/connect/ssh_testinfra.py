# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""testinfra's SSH backend over our own connection: its modules (Service, Socket, File ...) with our host keys and deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drdrill.connect.ssh import SshShell


def infra(shell: SshShell, host: str) -> Any:
    """The host as testinfra knows one. What its modules run, they run as root where the estate says how.

    Args:
        shell: runs the commands. Raises Unreachable, WayInFailed out of every module.
        host: the name of the host in the estate file.
    """
    from testinfra.backend.ssh import SshBackend  # type: ignore[import-untyped]  # noqa: PLC0415 - a vendor's, late
    from testinfra.host import Host  # type: ignore[import-untyped]  # noqa: PLC0415 - a vendor's, late

    class OurBackend(SshBackend):  # type: ignore[misc]
        def run(self, command: str, *args: str, **kwargs: Any) -> Any:
            del kwargs
            line = self.quote(command, *args)
            ran = shell.run(self.hostname, line, root=True)
            return self.result(ran.status, line.encode(), ran.out.encode(), ran.err.encode())

    return Host(OurBackend(host, controlpersist=0))
