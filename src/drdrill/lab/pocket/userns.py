# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Steps into a user namespace and runs a command there: `python -m drdrill.lab.pocket.userns COMMAND...`.

PostgreSQL refuses to run as uid 0. Inside, the same user has another number, one that has an entry in the password file
(initdb looks it up); files, interpreter and checkout stay what they are.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from pathlib import Path
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000


def stand_in() -> int | None:
    """A uid other than 0 that has an entry in the password file: nobody's if there is one. None: there is none."""
    known = {entry.pw_uid: entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0}
    return next((uid for uid, name in known.items() if name == "nobody"), next(iter(known), None))


def enter() -> None:
    """Enter a new user namespace as `stand_in()`. Raises OSError where the kernel or the container refuses."""
    uid, gid, inside = os.geteuid(), os.getegid(), stand_in()
    if inside is None:
        raise OSError("no uid but 0 has an entry in the password file")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside} {gid} 1")


def main() -> None:
    """Enter, then become the command."""
    try:
        enter()
    except OSError as error:
        sys.exit(f"user namespaces are refused here: {error}")
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - our own argument list, no shell


if __name__ == "__main__":
    main()
