# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Raise the pocket lab, end it, and say how it is."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import LabError
from drdrill.lab.ask_supervisor import Silent, ask, hello
from drdrill.lab.folder import Lab, alone, empty, flawed, last_lines, silent
from drdrill.lab.pocket import preflight
from drdrill.lab.pocket.flaws import FLAWS
from drdrill.lab.pocket.layout import FOUNDER, HOSTS, Layout, free_ports, lab_folder, new_passwords
from drdrill.lab.pocket.owner import processes
from drdrill.lab.pocket.sweep import sweep
from drdrill.lab.protocol import SOCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_LOOK_S: Final = 0.05
_ENDED_S: Final = 0.5
_SUPERVISOR_S: Final = 10.0
_STEP_S: Final = 60.0
_HTTP_S: Final = 3.0


def up(flaws: Sequence[str] = (), say: Callable[[str], None] = silent, folder: Path | None = None) -> Lab:
    """Raise the lab; fine when it is up already.

    Args:
        flaws: what is wrong with it on purpose: names out of `flaws.FLAWS`.
        say: gets a line for each step that is reached.
        folder: where the lab lives; the state folder's unless a test says otherwise.

    Raises:
        LabError: it cannot run here, does not come up, or is up with other flaws. Nothing of it is left then.
    """
    if wrong := [flaw for flaw in flaws if flaw not in FLAWS]:
        raise LabError(f"no flaw is called {', '.join(wrong)}; there are {', '.join(FLAWS)}")
    began = time.monotonic()
    prefix = preflight.check()
    folder = folder.resolve() if folder else lab_folder()
    with alone(folder):
        if (found := hello(folder)) is not None:
            if set(found["flaws"]) != set(flaws):
                raise LabError(
                    f"the lab is up with {flawed(found['flaws'])}, and {flawed(tuple(flaws))} was asked for: "
                    "`drdrill lab down` first"
                )
            return Lab(folder, True, time.monotonic() - began, 0, tuple(found["flaws"]), tuple(found["notes"]))
        swept = sweep(folder)
        if swept:
            say(f"swept {swept} processes that a killed lab had left")
        empty(folder)
        ttl, note = preflight.ttl_here()
        layout = Layout(folder, free_ports(folder), new_passwords(), ttl, tuple(flaws), (note,) if note else ())
        layout.save()
        try:
            _start_supervisor(layout, prefix)
            _climb(layout, say, began)
        except BaseException:
            end(folder)
            raise
    return Lab(folder, False, time.monotonic() - began, swept, layout.flaws, layout.notes)


def down(folder: Path | None = None) -> bool:
    """End the lab and remove its data; logs stay. Whether anything of it was there.

    Raises:
        LabError: a process of it does not end.
    """
    folder = folder.resolve() if folder else lab_folder()
    if not folder.is_dir():
        return False
    with alone(folder):
        there = end(folder)
        empty(folder, keep_logs=True)
        return there


def end(folder: Path) -> bool:
    """End every process of a lab: by its supervisor, and what is left by cwd. Whether there was any."""
    there = False
    with contextlib.suppress(Silent):  # Then it is ended like everything else of the lab.
        there = ask(folder, {"do": "down"}, deadline_s=15.0) is not None
    try:
        return bool(sweep(folder)) or there
    except TimeoutError as error:
        raise LabError(str(error)) from error


def status(folder: Path | None = None) -> dict[str, Any] | None:
    """The supervisor's answers to `hello`, `hosts`, `holds`, `links` and `audit`, by these names. None: the lab is not up.

    Without a supervisor, processes that a killed lab left behind are in `left`.

    Raises:
        LabError: it does not answer, or is one of another version.
    """
    folder = folder.resolve() if folder else lab_folder()
    found = hello(folder)
    if found is None:
        left = [process.pid for process in processes(folder)]
        return {"left": left, "folder": str(folder)} if left else None
    answers = {what: ask(folder, {"do": what}) or {} for what in ("hosts", "holds", "links", "audit")}
    return {"hello": found} | {what: answer.get(what, answer) for what, answer in answers.items()}


def _start_supervisor(layout: Layout, prefix: list[str]) -> None:
    argv = [*prefix, sys.executable, "-P", "-m", "drdrill.lab.pocket.supervisor", str(layout.folder)]
    log = layout.folder / "supervisor.log"
    with log.open("ab") as output:
        log.chmod(0o600)
        started = subprocess.run(
            argv, cwd=layout.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    deadline = time.monotonic() + _SUPERVISOR_S
    while started.returncode == 0 and time.monotonic() < deadline:
        with contextlib.suppress(Silent):
            if (layout.folder / SOCKET).exists() and hello(layout.folder) is not None:
                return
        if not any(True for _ in processes(layout.folder)):
            break
        time.sleep(_LOOK_S)  # Another process makes the socket; nobody tells when.
    raise LabError(f"the lab's supervisor did not start: {last_lines(log)}")


def _climb(layout: Layout, say: Callable[[str], None], began: float) -> None:
    """Wait for one step of the start after the other."""
    steps: tuple[tuple[str, Callable[[Layout], str | None]], ...] = (
        ("hosts are up", _hosts_up),
        ("the database has a primary", _has_primary),
        (
            "the database has a standby"
            if "asynchronous-replication" in layout.flaws
            else "the database has a synchronous standby",
            _has_standby,
        ),
        ("registrations are acknowledged at both sites", _both_acknowledge),
    )
    for words, missing in steps:
        deadline, look_again = time.monotonic() + _STEP_S, 0.0
        while (lacks := missing(layout)) is not None:
            if time.monotonic() > look_again:
                _nothing_ended(layout)
                look_again = time.monotonic() + _ENDED_S
            if time.monotonic() > deadline:
                raise LabError(
                    f"the lab does not come up: {lacks} ({_STEP_S:g} s after the step before); {_logs(layout)}"
                )
            time.sleep(_LOOK_S)  # The step is another program's; it can only be asked.
        say(f"{time.monotonic() - began:5.1f} s  {words}")


def _hosts(layout: Layout) -> dict[str, Any]:
    answer = ask(layout.folder, {"do": "hosts", "health": False})
    if answer is None:
        raise LabError(f"the lab's supervisor has ended: {last_lines(layout.folder / 'supervisor.log')}")
    hosts: dict[str, Any] = answer["hosts"]
    return hosts


def _nothing_ended(layout: Layout) -> None:
    """A process that ends during the start will not come back: there is nothing to wait for."""
    for name, host in _hosts(layout).items():
        if host["on"] and host["missing"]:
            logs = " | ".join(last_lines(log) for log in sorted(layout.folder.glob(f"{name}.*.log")))
            raise LabError(f"the lab does not come up: {name}: {'; '.join(host['missing'])}: {logs}; {_logs(layout)}")


def _hosts_up(layout: Layout) -> str | None:
    for name, host in _hosts(layout).items():
        if not host["on"] or (HOSTS[name].role != "client" and not host["processes"]):
            return f"{name} is not up"
    return None


def _has_primary(layout: Layout) -> str | None:
    status, _ = _http(layout.private(FOUNDER, "rest"), "/primary")
    return None if status == 200 else f"{FOUNDER} is not the primary"  # noqa: PLR2004 - OK


def _has_standby(layout: Layout) -> str | None:
    standby = next(name for name, host in HOSTS.items() if host.role == "database" and name != FOUNDER)
    path = "/replica" if "asynchronous-replication" in layout.flaws else "/sync"
    status, _ = _http(layout.private(standby, "rest"), path)
    return None if status == 200 else f"{standby} is no standby that the primary waits for"  # noqa: PLR2004 - OK


def _both_acknowledge(layout: Layout) -> str | None:
    for name, host in HOSTS.items():
        if host.role == "entry":
            body = json.dumps({"key": f"up-{host.site}-{time.monotonic_ns()}"}).encode()
            status, _ = _http(layout.link("client", name, "http"), "/registrations", body)
            if status != 201:  # noqa: PLR2004 - created
                return f"{name} does not acknowledge a registration (status {status})"
    return None


def _http(port: int, path: str, body: bytes | None = None) -> tuple[int | None, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_HTTP_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return None, b""


def _logs(layout: Layout) -> str:
    return f"its logs are in {layout.folder}"
