# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A lab as somebody sees it who has neither drdrill nor a peer of it: one line to its supervisor, HTTP, and nothing else.

As a command, `raw_lab.py SOCKET REQUEST`, it is the plain way in which any tool breaks something there: it prints the answer,
and ends with 1 when the supervisor says no. The protocol is written down in `drdrill.lab.protocol`. The standard library alone.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LOOK_S = 0.05
ANSWERS_S = 5.0


def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """One answer of a supervisor. Raises OSError, ValueError."""
    # Through the opened folder: the path of a socket may hold 107 bytes, and the folder's may be longer.
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as there:
            there.settimeout(ANSWERS_S)
            there.connect(f"/proc/self/fd/{directory}/{path.name}")
            there.sendall(json.dumps(request).encode() + b"\n")
            with there.makefile("rb") as lines:
                answer: dict[str, Any] = json.loads(lines.readline())
                return answer
    finally:
        os.close(directory)


def got(port: int, path: str, within_s: float) -> tuple[int | None, dict[str, Any]]:
    """Status and object of one HTTP GET on this machine; None when nothing came back in time."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=within_s)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None, {}
    finally:
        line.close()
    with contextlib.suppress(ValueError):
        found = json.loads(body)
        return answer.status, found if isinstance(found, dict) else {}
    return answer.status, {}


class Looker:
    """Somebody who only looks at a pocket lab, and tidies it up between two cases.

    Args:
        folder: the lab's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "supervisor.sock"
        self._ports = json.loads((folder / "lab.json").read_text())
        self.sites = {name: host["site"] for name, host in ask(self.socket, {"do": "hello"})["hosts"].items()}

    def frozen(self) -> list[str]:
        """The links that carry nothing now, as `a>b`."""
        links = ask(self.socket, {"do": "links"})["links"]
        return sorted(name for name, link in links.items() if link["state"] != "open")

    def front_door(self, site: str) -> str:
        """Where a client outside asks whether the service of a site is there."""
        return f"http://127.0.0.1:{self._ports[f'client_to_{site}_entry1_http']}/healthz"

    def answers(self, site: str, within_s: float = ANSWERS_S) -> int | None:
        """The status with which the site's front door answers a client outside."""
        return got(self._ports[f"client_to_{site}_entry1_http"], "/healthz", within_s)[0]

    def struck(self, within_s: float) -> tuple[float, list[str]] | None:
        """When the first frozen link was seen, and which ones are frozen; None: none was in time."""
        found = self._until(lambda: self.frozen() or None, within_s)
        return None if found is None else (time.monotonic(), found)

    def healed(self, site: str, within_s: float) -> float | None:
        """When no link was frozen any more, if an HTTP request of a client was answered by the site after that."""
        end = time.monotonic() + within_s
        while (left := end - time.monotonic()) > 0:
            opened = self._until(lambda: None if self.frozen() else time.monotonic(), left)
            if opened is None:
                return None
            # Whatever the site answers has come through the links. One that is struck again meanwhile is not healed.
            if self.answers(site) is not None and not self.frozen():
                return opened
        return None

    def tidy(self, within_s: float = 120.0) -> str:
        """End what is left, wait until the lab is whole, and give the site whose database writes. Raises SystemExit."""
        for hold in ask(self.socket, {"do": "holds"})["holds"]:
            if hold["state"] == "open":
                ask(self.socket, {"do": "heal", "hold": hold["hold"]})
        site = self._until(self._whole, within_s)
        if site is None:
            raise SystemExit(f"the lab was not whole again within {within_s:g} s")
        return site

    def _whole(self) -> str | None:
        """The site that writes, when the other one follows in step and both front doors are open."""
        _, cluster = got(self._ports["east_db1_rest"], "/cluster", ANSWERS_S)
        members = {m["role"]: m for m in cluster.get("members", [])}
        leader, second = members.get("leader"), members.get("sync_standby")
        if leader is None or second is None or second.get("state") != "streaming" or second.get("lag") != 0:
            return None
        hosts = ask(self.socket, {"do": "hosts", "health": True})["hosts"]
        if not all(host["ready"] for host in hosts.values()):
            return None
        open_doors = all(self.answers(site) == http.client.OK for site in ("east", "south"))
        return self.sites[leader["name"]] if open_doors else None

    @staticmethod
    def _until(look: Callable[[], T | None], within_s: float) -> T | None:
        end = time.monotonic() + within_s
        while (found := look()) is None and time.monotonic() < end:
            time.sleep(LOOK_S)
        return found


if __name__ == "__main__":
    told = ask(Path(sys.argv[1]), json.loads(sys.argv[2]))
    print(json.dumps(told))
    sys.exit(0 if told.get("ok") else 1)
