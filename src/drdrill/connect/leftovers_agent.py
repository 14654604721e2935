# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What runs on a host to find what our strikes made there, as the text that it runs with `python3 -c`.

Python 3.7 and its standard library only.

    python3 -c TEXT found KIND        one JSON list of [what, tag, drill, age in seconds or null, in force]
    python3 -c TEXT remove KIND TAG   takes away what is left of a hold that is healed

KIND is links or entry: folders below /run/drdrill/KIND, units named drdrill-KIND-TAG, and for links tables named drdrill_TAG.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

BASE = Path("/run/drdrill")
PREFIX = "drdrill_"
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,180}")


def said(*words: str) -> list[str]:
    """The lines that a program of the host writes; none where it is not there or ends badly."""
    try:
        ran = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return []
    return ran.stdout.decode(errors="replace").splitlines() if ran.returncode == 0 else []


def folders(kind: str) -> dict[str, tuple[str, float]]:
    """Each folder of a hold: its drill and how old it is."""
    found = {}
    for path in sorted((BASE / kind).glob("*/")):
        if not TAG.fullmatch(path.name):
            continue
        drill = ""
        with contextlib.suppress(OSError, ValueError, LookupError):
            drill = str(json.loads((path / "record.json").read_text())["drill"])
        with contextlib.suppress(OSError):
            drill = (path / "drill").read_text().strip()
        times = [file.stat().st_mtime for file in path.glob("*") if file.exists()] or [path.stat().st_mtime]
        found[path.name] = (drill, max(0.0, time.time() - min(times)))
    return found


def units(kind: str) -> dict[str, str]:
    """Each unit of ours of this kind and its tag. Those of entries carry a number after it."""
    prefix = "drdrill-%s-" % kind  # noqa: UP031 - Python 3.7 and the shell's text
    found = {}
    for line in said("systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", prefix + "*"):
        name = line.split()[0] if line.split() else ""
        tag, _, end = name[len(prefix) :].rpartition(".")
        if kind == "entry":
            tag = re.sub(r"-\d+$", "", tag)
        if name.startswith(prefix) and end in {"timer", "service"} and TAG.fullmatch(tag):
            found[name] = tag
    return found


def tables() -> list[tuple[str, str]]:
    """Each table of ours: its family and its tag."""
    found = []
    for line in said("nft", "list", "tables"):
        _, family, name = [*line.split(), "", "", ""][:3]
        if name.startswith(PREFIX):
            found.append((family, name[len(PREFIX) :]))
    return found


def found(kind: str) -> list[list[object]]:
    """Everything of this kind."""
    known = folders(kind)
    things = [("folder", tag, False) for tag in known]
    things += [("timer", tag, False) for tag in sorted(set(units(kind).values()))]
    if kind == "links":
        things += [("table", tag, True) for _, tag in tables()]
    answer: list[list[object]] = []
    for what, tag, in_force in things:
        drill, age = known.get(tag, ("", None))
        answer.append([what, tag, drill, age, in_force])
    return answer


def remove(kind: str, tag: str) -> None:
    """Take away what is left."""
    if not TAG.fullmatch(tag):
        sys.exit("this is no tag of a hold")
    if kind == "links":
        for family, name in tables():
            if name == tag:
                said("nft", "delete", "table", family, PREFIX + tag)
    for unit, name in units(kind).items():
        if name == tag:
            said("systemctl", "stop", unit)
            said("systemctl", "reset-failed", unit)
    shutil.rmtree(str(BASE / kind / tag), ignore_errors=True)
    left = [thing for thing in found(kind) if thing[1] == tag]
    if left:
        sys.exit("it does not go: " + ", ".join(str(thing[0]) for thing in left))


if __name__ == "__main__":
    if sys.argv[1] == "found":
        print(json.dumps(found(sys.argv[2])))  # noqa: T201 - the answer
    else:
        remove(sys.argv[2], sys.argv[3])
