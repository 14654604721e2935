# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Commands on hosts by SSH, over one connection for each host that is ours and ends with us.

The estate file says where a host is, `shell: ssh://root@10.79.1.11`, and in `ssh: {config: FILE}` with which keys. ServerAlive and
ConnectTimeout may be set in that file; that host keys are verified and that nobody is asked for a password may not be changed.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from drdrill.connect.capabilities import Look, Ran
from drdrill.connect.ssh_master import OPENING_S, Master, program
from drdrill.connect.ssh_testinfra import infra
from drdrill.connect.ssh_words import asks_password, sudo_asks
from drdrill.errors import BadInput, DrdrillError, Unreachable, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.estate.model import Estate

_FIRM: Final = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ForwardAgent=no", "-a", "-x")
_DEFAULTS: Final = "Match all\n  ServerAliveInterval 1\n  ServerAliveCountMax 2\n  ConnectTimeout 3\n"
"""What the file of the estate may set otherwise: the first value that ssh reads is the one that counts."""
_LOST: Final = 255
"""The exit status of an ssh client whose connection is gone, and of a command that ends with it by itself."""
_AT_ONCE: Final = 16
_LONGEST_BASE: Final = 50
"""Characters of the folder for temporary files that leave room for the path of a socket."""


class SshShell:
    """Shells of an estate's hosts by SSH. May be used by several threads."""

    name = "ssh"

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._turn = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._masters: dict[str, Master] = {}
        self._folder: Path | None = None

    def supports(self, hosts: Sequence[str]) -> bool:
        """Whether the estate file says for all these hosts where they are."""
        return all(self._url(host) for host in hosts)

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether all of them answer a command now, and as root where that is got by sudo."""
        wrong: list[str] = []

        def ask(host: str) -> None:
            try:
                ran = self.run(host, "id -u", root=True)
                if ran.status != 0:
                    wrong.append(f"{host}: a command ended with {ran.status}: {ran.err.strip()}")
                elif self.estate.ssh.sudo and ran.out.strip() != "0":
                    wrong.append(f"{host}: a command by sudo ran as user {ran.out.strip()} and not as root")
            except DrdrillError as error:
                wrong.append(str(error))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(ask, dict.fromkeys(hosts)))
        words = "; ".join(sorted(wrong)) or f"{len(set(hosts))} hosts answer by SSH"
        return Look(not wrong, words, {"hosts": len(set(hosts)), "silent": len(wrong)})

    def run(self, host: str, command: str, *, within_s: float = 10.0, root: bool = False, given: str = "") -> Ran:
        """Run one command line of the host's shell; `given` is its standard input. `root`: by sudo, where the estate says so.

        Raises:
            Unreachable: no connection, another host key than the known one, or a sudo that asks for a password: it did not run.
            WayInFailed: the deadline was over, or the connection broke: whether it ran, and still runs, is not known.
        """
        began = time.monotonic()
        self._reach(host, within_s)
        left_s = max(0.05, within_s - (time.monotonic() - began))
        client = self._client(host, command, root=root, out=subprocess.PIPE)
        try:
            out, err = client.communicate(given.encode(), timeout=left_s)
        except subprocess.TimeoutExpired as error:
            raise WayInFailed(f"{host}: `{_short(command)}` did not end within {within_s:g} s") from error
        finally:
            _kill(client)
        said = err.decode(errors="replace")
        if client.returncode == _LOST and not self._masters[host].answers():
            raise WayInFailed(f"{host}: the connection by SSH broke while `{_short(command)}` ran: {said.strip()}")
        if client.returncode != 0 and self._sudo(root) and asks_password(said):
            raise Unreachable(sudo_asks(host, self._user(host)))
        return Ran(client.returncode, out.decode(errors="replace"), said, time.monotonic() - began)

    def talk(self, host: str, command: str, *, root: bool = False) -> subprocess.Popen[bytes]:
        """Start a command that is spoken to by its standard input and output. Whoever starts it ends it.

        Raises:
            Unreachable: there is no connection; it was not started.
        """
        self._reach(host, OPENING_S)
        return self._client(host, command, root=root, out=None)

    def host(self, name: str) -> Any:
        """The host as testinfra knows one (`testinfra.host.Host`), over our connection and with our deadlines."""
        return infra(self, name)

    def close(self) -> None:
        """End every connection. Whoever asks afterwards gets a new one."""
        with self._turn:
            masters, folder = list(self._masters.values()), self._folder
            self._masters, self._folder = {}, None
        for master in masters:
            master.end()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _reach(self, host: str, within_s: float) -> None:
        """Have a connection to this host. Raises Unreachable."""
        with self._turn:
            turn = self._turns.setdefault(host, threading.Lock())
        if not turn.acquire(timeout=within_s):
            raise Unreachable(f"{host}: did not answer by SSH within {within_s:g} s")
        try:
            with self._turn:
                if host not in self._masters:
                    self._masters[host] = self._master(host)
                master = self._masters[host]
            master.ensure(within_s)
        finally:
            turn.release()

    def _master(self, host: str) -> Master:
        url = urlsplit(self._url(host) or "")
        if not url.hostname:
            raise BadInput(f"{self.estate.path}: host {host} has no address for SSH: `shell: ssh://USER@ADDRESS`")
        options = [*_FIRM, "-F", str(self._home() / "config")]
        if url.username:
            options += ["-l", unquote(url.username)]
        if url.port:
            options += ["-p", str(url.port)]
        where = f"{url.username or ''}@{url.hostname}"
        return Master(host, where, self._home() / str(len(self._masters)), [*options, "--", url.hostname])

    def _client(self, host: str, command: str, *, root: bool, out: int | None) -> subprocess.Popen[bytes]:
        master = self._masters[host]
        line = f"sudo -n -- sh -c {shlex.quote(command)}" if self._sudo(root) else command
        argv = [
            program(), "-F", "none", "-S", str(master.path), "-o", "ControlMaster=no", "-o", "BatchMode=yes",
            # A client whose master is gone would make a connection of its own, without any bound.
            "-o", "ProxyCommand=false", "-T", "--", "over-the-master", line,
        ]  # fmt: skip
        # Ctrl-C must not cut a heal: no terminal's group.
        pipe = subprocess.PIPE
        return subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=pipe if out else subprocess.DEVNULL, start_new_session=True
        )

    def _sudo(self, root: bool) -> bool:
        return root and self.estate.ssh.sudo

    def _url(self, host: str) -> str | None:
        return self.estate.hosts[host].url_of("shell", self.name) if host in self.estate.hosts else None

    def _user(self, host: str) -> str:
        return unquote(urlsplit(self._url(host) or "").username or "")

    def _home(self) -> Path:
        """The private folder of our sockets, with the file by which ssh is called. Raises BadInput."""
        if self._folder is not None:
            return self._folder
        given = self.estate.ssh.config
        if given is not None and not os.access(given, os.R_OK):
            raise BadInput(f"{self.estate.path}: `ssh: config`: {given} cannot be read")
        files = [given] if given is not None else ["~/.ssh/config", "/etc/ssh/ssh_config"]
        base = tempfile.gettempdir()
        # The path of a socket may hold 107 bytes, and ssh adds a suffix of 17 while it makes one.
        short = base if len(base) < _LONGEST_BASE else "/tmp"  # noqa: S108 - mkdtemp makes a folder there that is ours alone
        self._folder = Path(tempfile.mkdtemp(prefix="drdrill-ssh-", dir=short))
        lines = "".join(f'Include "{file}"\n' for file in files)
        (self._folder / "config").write_text(lines + _DEFAULTS)
        return self._folder

    def __del__(self) -> None:
        # A way in lives as long as its drill; what it started goes with it.
        with contextlib.suppress(Exception):
            self.close()


def _kill(client: subprocess.Popen[bytes]) -> None:
    if client.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(client.pid, signal.SIGKILL)
        client.wait()
    for pipe in (client.stdin, client.stdout, client.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _short(command: str) -> str:
    line = command.strip().splitlines()[0] if command.strip() else ""
    return line if len(line) <= 60 else line[:57] + "..."  # noqa: PLR2004 - the length of a line in a message
