# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the pocket lab can run on this machine: said in one sentence, with what to do, before anything is touched."""

from __future__ import annotations

import os
import platform
import pwd
import subprocess
import sys
from typing import Final

from drdrill.errors import LabError, MissingExtra
from drdrill.lab.pocket.node import floor_can_be_lifted
from drdrill.lab.pocket.postgresql import programs

_PACKAGES: Final = {
    "patroni": "patroni[raft]",
    "pysyncobj": "patroni[raft]",
    "cryptography": "cryptography",  # pysyncobj's, once its votes have a password.
    "psycopg": "psycopg[binary]",
}
_LIBRARY = (2, 28)
"""The glibc that the wheel of PostgreSQL was built for."""


def check() -> list[str]:
    """Look at the machine.

    Returns:
        The prefix of every command of the lab: empty, or one that steps into a user namespace.

    Raises:
        LabError: something is missing here, and what to do about it.
        MissingExtra: the extra `lab` is not installed.
    """
    _check_platform()
    _check_packages()
    return _user()


def ttl_here() -> tuple[int, str | None]:
    """The ttl of the lab's cluster, and why it is not the short one."""
    from drdrill.lab.pocket.postgresql import PUBLISHED_TTL, SHORT_TTL  # noqa: PLC0415 - only whoever raises the lab pays

    if floor_can_be_lifted():
        return SHORT_TTL, None
    return PUBLISHED_TTL, (
        f"this Patroni does not let its timers be shortened: a failover takes about 22 s instead of 8 s (ttl {PUBLISHED_TTL})"
    )


def _check_platform() -> None:
    if sys.platform != "linux":
        raise LabError(
            f"the pocket lab needs Linux (it finds out who calls from /proc), and this is {platform.system()}: "
            "run it in a Linux container or virtual machine"
        )
    name, version = platform.libc_ver()
    have = tuple(int(part) for part in version.split(".")[:2]) if version else ()
    if name != "glibc" or have < _LIBRARY:
        raise LabError(
            f"the pocket lab's PostgreSQL needs glibc {'.'.join(map(str, _LIBRARY))} or later, and this system has "
            f"{name or 'another C library'} {version}: use a Debian, Ubuntu, Fedora or similar image instead of Alpine"
        )
    if sys.version_info < (3, 11):  # noqa: UP036 - a checkout may be run by an older one than the package allows
        raise LabError(f"the pocket lab needs Python 3.11 or later, and this is {platform.python_version()}")


def _check_packages() -> None:
    import importlib.util  # noqa: PLC0415 - only whoever raises the lab pays

    programs()
    for module, package in _PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(package, "lab", "the pocket lab")


def _user() -> list[str]:
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = None
    if uid != 0 and name:
        return []
    prefix = [sys.executable, "-P", "-m", "drdrill.lab.pocket.userns"]
    tried = subprocess.run([*prefix, sys.executable, "-S", "-c", ""], capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        return prefix
    why = tried.stderr.strip().splitlines()[-1] if tried.stderr.strip() else "no reason given"
    if uid == 0:
        raise LabError(
            f"PostgreSQL does not run as root, and the pocket lab cannot step aside into a user namespace ({why}): "
            "run it as an ordinary user, or allow user namespaces (docker: --security-opt seccomp=unconfined)"
        )
    raise LabError(
        f"uid {uid} has no entry in the password file, which initdb needs, and {why}: "
        f"add one (echo 'drill:x:{uid}:{os.getegid()}::/tmp:/bin/sh' >> /etc/passwd) or run as a user that has one"
    )
