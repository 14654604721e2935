# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lock of an estate on the host where every runner sees it, as the text that this host runs. Python 3.7, standard library only.

    python3 -c TEXT    reads one JSON object a line, answers each with one; ends with its input

A lock is a file with its drill, its owner and the time until which it is taken: a lease. It is on disk, so that a host that starts
anew still knows it; how much of its lease is left is not known then, so it is counted from the beginning. All times are this host's
own, since its boot: no runner's clock has a say. Root keeps it for every user, another user for all who log in by that name.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

BASE = Path(
    os.environ.get("DRDRILL_LOCK_FOLDER") or ("/var/lib/drdrill/lock" if os.geteuid() == 0 else ".drdrill/lock")
)


class Wrong(Exception):
    """It cannot be done; the message says why."""


def now() -> float:
    """Seconds since boot, also those of sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot() -> str:
    """Which boot this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def place(told: dict[str, Any]) -> Path:
    """The file of an estate. Raises Wrong."""
    estate = str(told["estate"])
    if not estate or "/" in estate or estate.startswith(".") or not estate.isprintable():
        raise Wrong(f"{estate!r} cannot be the name of an estate")
    return BASE / f"{estate}.json"


def read(told: dict[str, Any]) -> dict[str, Any] | None:
    """The lock of an estate, or None. Raises Wrong when it cannot be told."""
    path = place(told)
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        if found["boot"] != boot():
            found.update(boot=boot(), taken=now(), until=now() + float(found["lease_s"]))
            write(told, found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Wrong(f"{path}: is not what was written ({error}); look whether a drill runs, then remove it")  # noqa: B904 - one sentence is enough
    return found


def write(told: dict[str, Any], found: dict[str, Any]) -> None:
    """Keep it, whole or not at all."""
    path = place(told)
    new = path.with_suffix(".new")
    with new.open("w") as file:
        json.dump(found, file)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def shown(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a runner is told of a lock."""
    if found is None:
        return None
    kept = {key: found[key] for key in ("drill", "owner", "run", "since", "halt", "healing")}
    return {**kept, "age_s": round(now() - found["taken"], 1), "left_s": round(found["until"] - now(), 1)}


def do_take(told: dict[str, Any]) -> dict[str, Any]:
    """Take it, unless another drill has it and that one's lease is not out."""
    found = read(told)
    if found is not None and found["drill"] != told["drill"] and found["until"] > now():
        return {"taken": False, "lock": shown(found)}
    stale = found if found is not None and found["drill"] != told["drill"] else None
    mine = {key: told[key] for key in ("drill", "owner", "run", "since", "lease_s")}
    write(
        told, {**mine, "boot": boot(), "taken": now(), "until": now() + told["lease_s"], "halt": None, "healing": False}
    )
    return {"taken": True, "stale": shown(stale)}


def do_renew(told: dict[str, Any]) -> dict[str, Any]:
    """Extend it, also when it was out: it is still ours while nobody has taken it over."""
    found = read(told)
    if found is not None and found["drill"] == told["drill"]:
        found.update(
            until=max(found["until"], now() + told["lease_s"]), lease_s=told["lease_s"], healing=told["healing"]
        )
        write(told, found)
    return {"lock": shown(found)}


def do_look(told: dict[str, Any]) -> dict[str, Any]:
    """Who has it."""
    return {"lock": shown(read(told))}


def do_release(told: dict[str, Any]) -> dict[str, Any]:
    """Give it back; fine when it is another's by now."""
    found = read(told)
    if found is not None and found["drill"] == told["drill"]:
        place(told).unlink()
    return {}


def do_halt(told: dict[str, Any]) -> dict[str, Any]:
    """Tell whoever has it to stop."""
    found = read(told)
    if found is not None:
        found["halt"] = told["by"]
        write(told, found)
    return {"lock": shown(found)}


def answer(line: str) -> dict[str, Any]:
    """One at a time, whoever asks: two runners that take it at once must not both get it."""
    told = json.loads(line)
    lock = os.open(str(BASE / ".turn"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answered: dict[str, Any] = globals()[f"do_{told['do']}"](told)
    except (Wrong, OSError) as error:
        return {"wrong": str(error)}
    else:
        return answered
    finally:
        os.close(lock)


def own() -> None:
    """Have the folder, which nobody else may write. Raises Wrong."""
    BASE.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = BASE.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or not stat.S_ISDIR(found.st_mode):
        raise Wrong(
            f"{BASE.absolute()}: belongs to another user, or may be written by others, so no lock is kept there"
        )


if __name__ == "__main__":
    try:
        own()
        for given in sys.stdin:
            sys.stdout.write(json.dumps(answer(given)) + "\n")
            sys.stdout.flush()
    except (Wrong, OSError) as problem:
        sys.exit(str(problem))
