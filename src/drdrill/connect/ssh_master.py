# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One connection by SSH to one host, kept by a control master that we start and that ends with us, however we end.

The master is a child of a small shell that reads from a pipe of ours. When we end, also by SIGKILL, the pipe ends, and the shell
kills the master: PR_SET_PDEATHSIG would end it with the thread that started it. Its process group is its own, so that Ctrl-C does
not cut the way back.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final

from drdrill.connect.ssh_mux import alive
from drdrill.connect.ssh_words import why_not
from drdrill.errors import BadInput, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KEEP: Final = """"$@" </dev/null 2>"$0.err" & master=$!
exec >&-
read -r bye || gone=1
kill -9 $master 2>/dev/null
rm -f "$0"
if [ "$gone" ]; then rm -rf "${0%/*}"; fi
"""
"""Started with the control path as its name and the master's command line as its arguments."""
_OUR_WORD: Final = "drdrill-is-there"
OPENING_S: Final = 8.0
"""For the first connection: name, TCP, keys, login. It takes 0.1 to 0.2 s in a lab."""


def program() -> str:
    """The path of the ssh client. Raises BadInput when there is none."""
    found = shutil.which("ssh")
    if found is None:
        raise BadInput("the way in `ssh` needs the program ssh, and there is none: apt-get install openssh-client")
    return found


class Master:
    """A control master to one host, started when it is first needed and again whenever it is gone or hangs.

    Not for several threads at once: whoever owns it takes turns.

    Args:
        host: the name of the host in the estate file, for messages.
        where: `user@address`, for messages.
        path: where its socket lies: a private folder, and at most 100 bytes of path.
        options: what ssh is called with to reach this host, the destination last.
    """

    def __init__(self, host: str, where: str, path: Path, options: Sequence[str]) -> None:
        self.host = host
        self.where = where
        self.path = path
        self._options = tuple(options)
        self._keeper: subprocess.Popen[bytes] | None = None

    def ensure(self, within_s: float) -> None:
        """Have a connection that answers, within so many seconds at most.

        Raises:
            Unreachable: there is none, and why; nothing was run.
        """
        if self.answers(min(1.0, within_s / 3)):
            return
        self.end()
        self._start(min(within_s, OPENING_S))

    def answers(self, within_s: float = 1.0) -> bool:
        """Whether the connection that we have is there and its master answers."""
        return self._keeper is not None and alive(self.path, within_s)

    def end(self) -> None:
        """Kill it, also one that stands still. Fine when there is none."""
        if self._keeper is None:
            return
        keeper, self._keeper = self._keeper, None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(keeper.pid, signal.SIGKILL)
        for pipe in (keeper.stdin, keeper.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        keeper.wait()
        for left in (self.path, self._said):
            left.unlink(missing_ok=True)

    @property
    def _said(self) -> Path:
        return self.path.with_name(f"{self.path.name}.err")

    def _start(self, within_s: float) -> None:
        command = [
            program(), "-M", "-N", "-S", str(self.path), "-o", "ControlMaster=yes", "-o", "ControlPersist=no",
            # ssh runs it once it is logged in and listens at the control path: nothing has to be polled.
            "-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=echo {_OUR_WORD}", *self._options,
        ]  # fmt: skip
        self.path.unlink(missing_ok=True)
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEP, str(self.path), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "SHELL": "/bin/sh", "LC_ALL": "C"},
            start_new_session=True,
        )
        said = self._first_line(within_s)
        if said is not None and _OUR_WORD.encode() in said:
            return
        try:
            words = self._said.read_text(errors="replace")
        except OSError:
            words = ""
        self.end()
        raise Unreachable(why_not(self.host, self.where, words, within_s=within_s, silent=said is None))

    def _first_line(self, within_s: float) -> bytes | None:
        """What the master says first: our word, nothing (it ended), or None: it did not come to that in time."""
        stream = self._keeper.stdout if self._keeper is not None else None
        if stream is None:
            return b""
        found, deadline = b"", time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while b"\n" not in found:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return None
                more = os.read(stream.fileno(), 4096)
                if not more:
                    return b""
                found += more
        return found
