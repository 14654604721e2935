# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lock of an estate, as it is kept on one of its hosts: the text that the host runs with `python3 -c`.

Python 3.7 and its standard library only. One JSON object a line on standard input, one as an answer; it ends with its input.

    {"do": "take", "estate", "drill", "owner", "lease_s", "faults_s"}   -> {"ok": true} or {"ok": false, "held": {...}}
    {"do": "renew", "estate", "drill", "lease_s", "faults_s"}           -> {"ok": true, "halt": words?} or {"ok": false, "held"?}
    {"do": "halt", "estate", "words"}                                   -> {"ok": true, "held": {...}} or {"ok": false}
    {"do": "show", "estate"}                                            -> {"ok": true, "held": {...}?}
    {"do": "give", "estate", "drill"}                                   -> {"ok": true}

It is a lease: without a renewal it is stale after `lease_s`. A stale lock is taken over only when the leases of its owner's
faults are out as well: the drill says at each renewal how long those may still last. Times are seconds since the host's boot, so
no clocks are compared; a host that boots forgets its lock, and its owner hears that. It lies below /run/drdrill/lock, or in the
folder that is the one argument.

    held = {"drill", "owner", "age_s", "silent_s", "stale", "free_s", "halt", "seen"}
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

BASE = Path(sys.argv[1] if len(sys.argv) > 1 else "/run/drdrill/lock")
NAME = re.compile(r"\w[\w.-]{0,180}")


def now() -> float:
    """Seconds since boot, also those of sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def kept(path: Path) -> dict[str, Any] | None:
    """The lock, or None. One that cannot be read was never written whole."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write(path: Path, lock: dict[str, Any]) -> None:
    """Keep it, whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(lock))
    new.rename(path)


def shown(lock: dict[str, Any]) -> dict[str, Any]:
    """What is told of a lock."""
    at = now()
    return {
        "drill": lock["drill"], "owner": lock["owner"], "age_s": at - lock["taken"], "silent_s": at - lock["heard"],
        "stale": at >= lock["until"], "free_s": max(0.0, max(lock["until"], lock["faults"]) - at),
        "faults_s": max(0.0, lock["faults"] - at), "halt": lock["halt"], "seen": lock["seen"],
    }  # fmt: skip


def renewed(lock: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The lock with its times pushed on."""
    at = now()
    return dict(
        lock, heard=at, until=at + float(told["lease_s"]), faults=max(lock["faults"], at + float(told["faults_s"]))
    )


def take(path: Path, told: dict[str, Any], lock: dict[str, Any] | None) -> dict[str, Any]:
    """Take it, where nobody else holds it or may still have faults in force."""
    others = lock is not None and lock["drill"] != told["drill"]
    if lock is not None and others and shown(lock)["free_s"] > 0:
        return {"ok": False, "held": shown(lock)}
    begun = {"drill": told["drill"], "owner": told["owner"], "taken": now(), "faults": 0.0, "halt": None, "seen": False}
    write(path, renewed(begun, told))
    return {"ok": True, "over": shown(lock) if lock is not None and others else None}


def halt(path: Path, told: dict[str, Any], lock: dict[str, Any] | None) -> dict[str, Any]:
    """Write down that its owner is to stop."""
    if lock is None:
        return {"ok": False}
    write(path, dict(lock, halt=told["words"], seen=False))
    return {"ok": True, "held": shown(lock)}


def renew(path: Path, told: dict[str, Any], lock: dict[str, Any] | None) -> dict[str, Any]:
    """Its owner lives; by this it also hears of a halt."""
    if lock is None or lock["drill"] != told["drill"]:
        return {"ok": False, "held": shown(lock) if lock is not None else None}
    write(path, dict(renewed(lock, told), seen=lock["halt"] is not None))
    return {"ok": True, "halt": lock["halt"]}


def give(path: Path, told: dict[str, Any], lock: dict[str, Any] | None) -> dict[str, Any]:
    """Its owner needs it no more; fine when it is somebody else's by now."""
    if lock is not None and lock["drill"] == told["drill"]:
        path.unlink()
    return {"ok": True}


def show(path: Path, told: dict[str, Any], lock: dict[str, Any] | None) -> dict[str, Any]:
    """Who holds it."""
    del path, told
    return {"ok": True, "held": shown(lock) if lock is not None else None}


ANSWERS = {"take": take, "halt": halt, "renew": renew, "give": give, "show": show}


def main() -> None:
    """Answer until nobody asks any more."""
    BASE.mkdir(mode=0o700, parents=True, exist_ok=True)
    for line in sys.stdin:
        told = json.loads(line)
        if not NAME.fullmatch(told["estate"]):
            sys.exit("this is no name of an estate")
        turn = os.open(str(BASE / "turn"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            path = BASE / (told["estate"] + ".json")
            said = ANSWERS[told["do"]](path, told, kept(path))
        finally:
            os.close(turn)
        print(json.dumps(said), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
