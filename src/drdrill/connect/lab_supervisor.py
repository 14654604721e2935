# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The client of a lab's supervisor: one JSON object per line on a Unix socket of its owner.

`drdrill.lab.protocol` documents every request. Nothing here imports the lab: it is spoken to like any other part of an estate.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput, Unreachable, WayInFailed
from drdrill.estate import state

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate

PROTOCOL: Final = 1
_QUICK_S: Final = 5.0
_FORGET_S: Final = 10.0
_silent: dict[Path, float] = {}
"""When a supervisor gave no answer to a hello, by its folder. Links, power, inventory and vantage points each say hello, for every
host: nobody should wait for each of them in turn."""


class Denied(WayInFailed):
    """The supervisor answered, and said no. The message is its own sentence."""


class Supervisor:
    """A lab's supervisor: one request, one answer, over one connection that is made again when it is lost.

    May be used by several threads; they take turns.

    Args:
        folder: the lab's folder, which holds the socket.
        lab: the lab's name, for the line that raises it.
    """

    def __init__(self, folder: Path, lab: str) -> None:
        self.folder = folder
        self._lab = lab
        self._sock: socket.socket | None = None
        self._turn = threading.Lock()
        self._rest = b""
        self._hello: dict[str, Any] | None = None

    @classmethod
    def of(cls, estate: Estate) -> Supervisor:
        """The supervisor of the lab that this estate is. Raises BadInput when it is none."""
        if estate.lab is None:
            raise BadInput(f"{estate.path}: the way in `lab` needs an estate that is a lab: add `lab: pocket`")
        return cls(state.folder(estate.lab) / "lab", estate.lab)

    def ask(self, do: str, *, deadline_s: float = _QUICK_S, **what: Any) -> dict[str, Any]:
        """Send one request and return its answer.

        Raises:
            Unreachable: there is no supervisor, it did not answer in time, or it is one of another version.
            Denied: it answered with an error.
        """
        if self._hello is None and do != "hello":
            self.hello()  # What another version answers would be misread.
        with self._turn:
            try:
                answer = self._exchange(json.dumps({"do": do, **what}).encode() + b"\n", deadline_s)
            except (OSError, ValueError) as error:
                self._forget()
                if not isinstance(error, TimeoutError):
                    raise self._unreachable(f"does not answer ({error})") from error
                if do == "hello":
                    _silent[self.folder] = time.monotonic()
                raise self._unreachable("did not answer in time") from error
            except BaseException:
                self._forget()  # After Ctrl-C its answer would be taken for the one to the next request: the heal.
                raise
        if not answer.get("ok"):
            raise Denied(f"the {self._lab} lab's supervisor refuses `{do}`: {answer.get('error', 'without a reason')}")
        return answer

    def hello(self) -> dict[str, Any]:
        """What the lab is: asked once, it does not change. Raises Unreachable, also for another protocol."""
        if self._hello is None:
            if time.monotonic() - _silent.get(self.folder, -_FORGET_S) < _FORGET_S:
                raise self._unreachable("did not answer in time")
            hello = self.ask("hello")
            if hello.get("protocol") != PROTOCOL:
                raise Unreachable(
                    f"the {self._lab} lab speaks protocol {hello.get('protocol')} and this drdrill {PROTOCOL}: "
                    f"raise it again: drdrill lab down {self._lab}; drdrill lab up {self._lab}"
                )
            self._hello = hello
        return self._hello

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(f"the {self._lab} lab's supervisor {why}: see `drdrill lab status {self._lab}`")

    def close(self) -> None:
        """Close the connection. The next request makes another."""
        with self._turn:
            self._forget()

    def __del__(self) -> None:
        # A way in lives as long as its drill and has no end of its own; its connection goes with it.
        if self._sock is not None:
            self._sock.close()

    def _exchange(self, line: bytes, deadline_s: float) -> dict[str, Any]:
        fresh = self._sock is None
        try:
            return self._send(line, deadline_s)
        except TimeoutError:
            raise
        except OSError:
            # A kept connection may belong to a supervisor that is gone. The request never got its answer, and every request
            # may be sent twice: holds have names.
            if fresh:
                raise
            self._forget()
            return self._send(line, deadline_s)

    def _send(self, line: bytes, deadline_s: float) -> dict[str, Any]:
        sock = self._sock if self._sock is not None else self._connect()
        sock.settimeout(deadline_s)
        sock.sendall(line)
        while b"\n" not in self._rest:
            more = sock.recv(1 << 16)
            if not more:
                raise ConnectionResetError("it closed the connection")
            self._rest += more
        answer, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(answer)
        return found

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(_QUICK_S)
        try:
            # Through the opened folder: the path of a socket may hold 107 bytes, and the folder's may be longer.
            directory = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
            try:
                sock.connect(f"/proc/self/fd/{directory}/supervisor.sock")
            finally:
                os.close(directory)
        except OSError:
            sock.close()
            raise
        self._sock = sock
        return sock

    def _forget(self) -> None:
        self._rest = b""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
