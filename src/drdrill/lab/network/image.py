# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The read-only root that all hosts of the network lab share: built once, kept in the cache under a name that says of what.

    ${XDG_CACHE_HOME:-~/.cache}/drdrill/network-HASH       whole, since it got this name only when it was
                                        network-HASH.new   half-built, removed by the next build
                                        network.lock       held while one builds
                                        network.log        what the last build said

It belongs to root and holds no secret. A root of other packages, files or release has another name, and is removed by the next
build unless a lab still stands on it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drdrill.errors import LabError
from drdrill.lab.folder import usual_modes
from drdrill.lab.network import data_template, packages, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT: Final = 1
"""To be raised when a root has to be built again although nothing that is hashed has changed."""
_NO_PATH: Final = " \t\n,:\\"
"""Signs that have a meaning in the options of an overlay, or are written otherwise in the list of mounts."""
_LINE: Final = 200
"""Characters of another program's message that still can be read as part of a sentence."""


def cached() -> Path | None:
    """The root if it is built, else None. Raises LabError where this machine's release is not known."""
    root = _folder() / f"network-{_name()}"
    return root if root.is_dir() and root.stat().st_uid == 0 else None


def ensure(say: Callable[[str], None]) -> Path:
    """The root, built if it is not there: half a minute, 350 MB. Only root can build.

    Args:
        say: is told in one sentence when it has to be built.

    Raises:
        LabError: it cannot be built here, and why.
    """
    found = cached()
    if found is not None:
        return found
    if os.geteuid() != 0:
        raise LabError(
            "the network lab needs root: its hosts are namespaces of the kernel; run it as root, or with sudo"
        )
    if shutil.which("mmdebstrap") is None:
        raise LabError(
            "the network lab builds the root of its hosts with mmdebstrap, which is not installed: "
            "apt-get install -y --no-install-recommends mmdebstrap, or ./scripts/install-network"
        )
    with _alone(), usual_modes():
        found = cached()  # Somebody else may have built it while we waited.
        return _build(say) if found is None else found


def _build(say: Callable[[str], None]) -> Path:
    folder, release = _folder(), packages.release()
    sources = packages.sources(release)
    root = folder / f"network-{_name()}"
    new = root.with_name(root.name + ".new")
    say("building the root of the network lab's hosts: once, about half a minute")
    try:
        for stale in folder.glob("network-*"):
            if not _in_use(stale):
                shutil.rmtree(stale)
        _install(release, sources, new, folder / "network.log")
        settle.settle(new)
        new.rename(root)
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else None
        words = said.decode(errors="replace").strip() if isinstance(said, bytes) else str(error)
        raise LabError(f"{folder}: the root of the network lab cannot be built: {words}") from error
    finally:
        if new.exists():
            shutil.rmtree(new, ignore_errors=True)
    return root


def _install(release: str, sources: list[Path], new: Path, log: Path) -> None:
    command = [
        *("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(packages.PACKAGES)}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in packages.LEFT_OUT),
        # Made with merged folders from the start; else a program in Perl, with all of Perl, comes along to merge them.
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        # Nothing of it is kept when the machine goes down in the middle, so nothing has to be on the disk before its end.
        "--dpkgopt=force-unsafe-io",
        *(release, str(new), *map(str, sources)),
    ]
    with log.open("wb") as file:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
    if done.returncode:
        errors = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("E: ")]
        why = " | ".join(error[:_LINE] for error in errors[:3]) or f"it ended with status {done.returncode}"
        raise LabError(
            f"mmdebstrap cannot install the packages of the network lab ({why}); all that it said is in {log}"
        )


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").resolve() / "drdrill"


def _name() -> str:
    """Of everything that a root is made from, in 16 hexadecimal digits."""
    made_from = hashlib.sha256(f"{FORMAT} {packages.release()} {platform.machine()}".encode())
    files = sorted(path for path in settle.FILES.rglob("*") if path.is_file())
    for path in (Path(packages.__file__), Path(settle.__file__), Path(data_template.__file__), *files):
        made_from.update(f"{path.name} {path.stat().st_size}\n".encode())
        made_from.update(path.read_bytes())
    return made_from.hexdigest()[:16]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    folder = _folder()
    if any(sign in str(folder) for sign in _NO_PATH):
        raise LabError(
            f"{folder}: a root that hosts stand on can have no space, comma, colon or backslash in its path; set XDG_CACHE_HOME"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "network.lock").open("w")
    except OSError as error:
        raise LabError(
            f"{folder}: the network lab cannot keep its root there ({error.strerror}); set XDG_CACHE_HOME to another folder"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _in_use(root: Path) -> bool:
    """Whether a host stands on it: looked for in the mounts of every process, since a lab's are its own."""
    wanted = f"lowerdir={root},"
    for mounts in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            if wanted in mounts.read_text(errors="replace"):
                return True
    return False
