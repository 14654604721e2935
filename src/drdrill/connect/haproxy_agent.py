# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What runs on an entry host for a drain, as the text that a host runs with `python3 -c`. Python 3.7 and its standard library only.

    python3 -c TEXT VERB < JSON     one JSON object on standard output; exit status 1 and a sentence on standard error otherwise

A hold is a folder below /run/drdrill/entry with its record and this program, and a timer of systemd that runs `undo` from there, so
that it ends without anybody. Times are seconds since the host's boot. A timer that is due stops only once a later one was armed.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BASE = Path("/run/drdrill/entry")
SOCKETS = ("/run/haproxy/admin.sock", "/run/haproxy.sock", "/var/lib/haproxy/stats", "/var/run/haproxy/haproxy.sock")
FORCED_DRAIN = 0x08
"""Of `srv_admin_state` (HAProxy management guide, `show servers state`): drained by an administrator."""
MAINTENANCE = 0x01 | 0x02 | 0x20
FORGET_S = 3600.0
SLACK_S = 0.05


class Wrong(Exception):
    """It cannot be done; the message says why."""


def now() -> float:
    """Seconds since boot, also those of sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def ask(path: str, command: str) -> str:
    """One command to HAProxy's runtime socket. Raises Wrong."""
    places = [path] if path else [p for p in SOCKETS if Path(p).exists()]
    if not places:
        raise Wrong(
            f"there is no runtime socket of HAProxy at {', '.join(SOCKETS)}: `stats socket PATH level admin` in haproxy.cfg, "
            "and `entry: haproxy://PATH` in the estate file where it is elsewhere"
        )
    said = b""
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(3.0)
            sock.connect(places[0])
            sock.sendall(command.encode() + b"\n")
            while True:
                more = sock.recv(1 << 16)
                if not more:
                    break
                said += more
    except OSError as error:
        raise Wrong(f"HAProxy does not answer on {places[0]}: {error.strerror or error}")  # noqa: B904 - one sentence is enough
    return said.decode(errors="replace")


def servers(path: str) -> list[dict[str, Any]]:
    """Every server of every backend, as `show servers state` and `show stat` say it. Raises Wrong."""
    stat = {
        (row["# pxname"], row["svname"]): row for row in csv.DictReader(ask(path, "show stat").lstrip().splitlines())
    }
    found = []
    names: list[str] = []
    for line in ask(path, "show servers state").splitlines():
        if line.startswith("# "):
            names = line[2:].split()
        elif names and len(line.split()) >= len(names) - 4:
            state = dict(zip(names, line.split()))  # noqa: B905 - Python 3.7; the last columns may be empty
            row = stat.get((state["be_name"], state["srv_name"]), {})
            found.append(
                {
                    "backend": state["be_name"],
                    "server": state["srv_name"],
                    "address": state["srv_addr"],
                    "admin": int(state["srv_admin_state"]),
                    "status": row.get("status", ""),
                    "backup": row.get("bck") == "1",
                    "sessions": int(row.get("scur") or 0),
                }
            )
    if not found:
        raise Wrong("HAProxy knows no server")
    return found


def set_state(path: str, way: list[str], state: str) -> None:
    """Drain a server or make it ready. Raises Wrong."""
    said = ask(path, f"set server {way[0]}/{way[1]} state {state}").strip()
    if said:
        raise Wrong(f"HAProxy does not set {way[0]}/{way[1]} to {state}: {said.splitlines()[0]}")


def record(hold: str) -> dict[str, Any] | None:
    """What is known of a hold."""
    try:
        found: dict[str, Any] = json.loads((BASE / hold / "record.json").read_text())
    except (OSError, ValueError):
        return None
    return found


def write(found: dict[str, Any]) -> None:
    """Keep it, whole or not at all."""
    path = BASE / found["hold"] / "record.json"
    new = path.with_suffix(".new")
    new.write_text(json.dumps(found))
    new.rename(path)


def records() -> list[dict[str, Any]]:
    """All of them."""
    return [r for r in (record(path.name) for path in sorted(BASE.glob("*/"))) if r is not None]


def is_open(found: dict[str, Any]) -> bool:
    """Whether it has not ended: neither healed, nor undone by its timer."""
    return found["healed"] is None and found["lapsed"] is None


def command(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program of the host, and keep what it says."""
    out, err = subprocess.PIPE, subprocess.STDOUT
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=False)


def arm(found: dict[str, Any], seconds: float) -> None:
    """A new timer, and only then the end of the one before. Raises Wrong."""
    old, found["timer"] = found["timer"], found["timer"] + 1
    unit = f"drdrill-entry-{found['hold']}"
    program = BASE / found["hold"] / "program.py"
    ran = command(
        "systemd-run", "--quiet", "--collect", f"--unit={unit}-{found['timer']}", f"--on-active={seconds:.3f}s",
        "--timer-property=AccuracySec=100ms", "--property=Restart=on-failure", "--property=RestartSec=1s",
        "--property=StartLimitIntervalSec=0", f"--description=drdrill: the end of {found['hold']}",
        sys.executable or "/usr/bin/python3", str(program), "undo", json.dumps({"hold": found["hold"]}),
    )  # fmt: skip
    if ran.returncode:
        raise Wrong(f"no timer could be armed: {ran.stdout.decode(errors='replace').strip()}")
    write(found)
    if old:
        stop(f"{unit}-{old}")


def stop(unit: str) -> None:
    """End a timer that has not run yet."""
    command("systemctl", "stop", f"{unit}.timer")


def give_back(found: dict[str, Any]) -> None:
    """Work for the servers of this hold, but for those that another open hold drains, or that somebody has taken out since."""
    others = [way for r in records() if is_open(r) and r["hold"] != found["hold"] for way in r["ways"]]
    states = {(s["backend"], s["server"]): s["admin"] for s in servers(found["socket"])}
    for way in found["ways"]:
        admin = states.get((way[0], way[1]), 0)
        if admin & FORCED_DRAIN and not admin & MAINTENANCE and way not in others:
            set_state(found["socket"], way, "ready")


def do_servers(told: dict[str, Any]) -> dict[str, Any]:
    """What is behind this entry."""
    return {"servers": servers(told["socket"])}


def do_ready(told: dict[str, Any]) -> dict[str, Any]:
    """Whether we may drain and give back (tried where it changes nothing), and whether systemd takes timers."""
    known = servers(told["socket"])
    whole = [s for s in known if not s["admin"]]
    if whole:
        set_state(told["socket"], [whole[0]["backend"], whole[0]["server"]], "ready")
    if shutil.which("systemd-run") is None or command("systemctl", "show", "--property=Version").returncode:
        raise Wrong("there is no systemd that takes a timer")
    return {"servers": known, "open": [r["hold"] for r in records() if is_open(r)]}


def do_drain(told: dict[str, Any]) -> dict[str, Any]:
    """Drain: timer first."""
    known = record(told["hold"])
    if known is not None:
        if is_open(known) and known["drained"]:
            return {"drained": True}
        raise Wrong(f"the hold {told['hold']} was used already")
    for old in records():
        if not is_open(old) and old["hard"] + FORGET_S < now():
            shutil.rmtree(BASE / old["hold"], ignore_errors=True)
    ours = [way for r in records() if is_open(r) for way in r["ways"]]
    states = {(s["backend"], s["server"]): s["admin"] for s in servers(told["socket"])}
    for way in told["ways"]:
        if states[way[0], way[1]] & (FORCED_DRAIN | MAINTENANCE) and way not in ours:
            raise Wrong(f"{way[0]}/{way[1]} is out of work already, and not by a drill: give it work again first")
    (BASE / told["hold"]).mkdir(mode=0o700)
    (BASE / told["hold"] / "program.py").write_text(told["program"])
    began = now()
    found = {
        "hold": told["hold"], "drill": told["drill"], "ways": told["ways"], "socket": told["socket"], "timer": 0,
        "until": began + min(told["lease_s"], told["hard_s"]), "hard": began + told["hard_s"],
        "drained": False, "healed": None, "lapsed": None, "revoked": False,
    }  # fmt: skip
    try:
        arm(found, found["until"] - began)
    except Wrong:
        shutil.rmtree(BASE / told["hold"], ignore_errors=True)
        raise
    for way in found["ways"]:
        set_state(found["socket"], way, "drain")
    found["drained"] = True
    write(found)
    return {"drained": True}


def do_renew(told: dict[str, Any]) -> dict[str, Any]:
    """Extend, and never strike again. `words` are those of every way in that is made of shells."""
    found, at = record(told["hold"]), now()
    if found is None:
        return {"words": "unknown"}
    if found["healed"] is not None:
        return {"words": f"healed {round((at - found['healed']) * 100)}"}
    if found["lapsed"] is not None or at >= found["until"]:
        return {"words": f"lapsed {max(0, round((at - found['until']) * 100))}"}
    if found["revoked"]:
        return {"words": "revoked"}
    until = min(max(at + told["lease_s"], found["until"]), found["hard"])
    found["until"] = until
    arm(found, until - at)
    return {"words": f"held {int((until - now()) * 100)}"}


def do_restore(told: dict[str, Any]) -> dict[str, Any]:
    """End it, whatever is left of it."""
    found = record(told["hold"])
    if found is not None and is_open(found):
        give_back(found)
        if now() < found["until"]:
            found["healed"] = now()
        else:
            found["lapsed"] = found["until"]
        write(found)
        stop(f"drdrill-entry-{found['hold']}-{found['timer']}")
    return {"restored": True}


def do_undo(told: dict[str, Any]) -> dict[str, Any]:
    """By the timer: the lease is over. Ends badly, and is tried again, while HAProxy does not answer."""
    found = record(told["hold"])
    if found is not None and is_open(found) and now() + SLACK_S >= found["until"]:
        give_back(found)
        found["lapsed"] = now()
        write(found)
    return {}


def do_look(told: dict[str, Any]) -> dict[str, Any]:
    """Whether the hold is open, and how its servers are."""
    found = record(told["hold"])
    return {"open": found is not None and is_open(found), "servers": servers(told["socket"])}


def do_holds(told: dict[str, Any]) -> dict[str, Any]:
    """The open holds and their drills."""
    del told
    return {"holds": [[r["hold"], r["drill"]] for r in records() if is_open(r)]}


def do_revoke(told: dict[str, Any]) -> dict[str, Any]:
    """No hold of this drill can be renewed any more."""
    for found in records():
        if found["drill"] == told["drill"]:
            found["revoked"] = True
            write(found)
    return {}


def main(verb: str, told: dict[str, Any]) -> None:
    """One verb at a time: the timer must not give back what is being renewed."""
    BASE.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(BASE / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    print(json.dumps(globals()[f"do_{verb}"](told)))  # noqa: T201 - the answer


if __name__ == "__main__":
    try:
        given = sys.argv[2:] or [sys.stdin.read()]
        main(sys.argv[1], json.loads(given[0]))
    except Wrong as error:
        sys.exit(str(error))
