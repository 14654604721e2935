# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What ssh and sudo say when they do not do it, as one sentence each: what, where, what to do. Pure."""

from __future__ import annotations

import re
from typing import Final

_TOOLS: Final = "ssh-keygen -R"
_PASSWORD: Final = re.compile(r"^sudo: (a (terminal|password) is required|no tty present)", re.MULTILINE)
_NOISE: Final = re.compile(r"^(@|\s*$|Warning: Permanently added|Connection to .* closed)|authenticity of host")


def why_not(host: str, where: str, said: str, *, within_s: float, silent: bool) -> str:
    """Why a host cannot be reached.

    Args:
        host: its name in the estate file.
        where: `user@address`, as ssh was told.
        said: what ssh wrote to its standard error.
        within_s: how long it was waited for.
        silent: it was still trying when that was over.
    """
    user, _, address = where.rpartition("@")
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said or "host key has changed" in said:
        return (
            f"{host}: another SSH key answers at {address} than the known one, so it is not talked to; "
            f"if the host was really made anew, take the old key away: {_TOOLS} {address}"
        )
    if "host key is known for" in said or "Host key verification failed" in said:
        return (
            f"{host}: the SSH key of {address} is not known, so it is not talked to; "
            "compare it with the host's own and add it to the known_hosts file"
        )
    if "Permission denied" in said:
        return (
            f"{host}: {address} does not let {user or 'us'} log in by SSH with a key and without a password; "
            "name the key in the file of `ssh: {config: ...}`, or load it into an agent"
        )
    if silent:
        return f"{host}: {address} did not answer by SSH within {within_s:g} s"
    lines = [line.strip() for line in said.splitlines() if not _NOISE.search(line)]
    return f"{host}: no connection by SSH to {address}: {lines[-1] if lines else 'ssh ended without a word'}"


def asks_password(said: str) -> bool:
    """Whether sudo wanted somebody to type a password."""
    return _PASSWORD.search(said) is not None


def sudo_asks(host: str, user: str) -> str:
    """What to do about a sudo that asks for a password."""
    return (
        f"{host}: sudo asks {user or 'the user'} for a password there, and nobody can type it during a drill; "
        f"allow it without one (`{user or 'USER'} ALL=(root) NOPASSWD: ALL` in a file of /etc/sudoers.d), or log in as root"
    )
