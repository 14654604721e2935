# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""SQL over ODBC: connections whose every statement ends in time, and whose errors never show a password."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.odbc_child import LONGEST
from drdrill.connect.odbc_session import failed
from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drdrill.connect.odbc_string import ConnectionString
    from drdrill.connect.odbc_zygote import Zygote

CONNECT_S: Final = 2.0
_DENIED: Final = "28000/"
"""What the code of a refused account or password begins with."""


@dataclass
class _Login:
    """What this process knows of one account: a password that was refused is not tried again, or the account may be locked."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    accepted: bool = False
    refused: str = ""


_logins: dict[str, _Login] = {}


class Connection:
    """One kept connection in autocommit, made when it is first needed and again after it broke. For one thread at a time.

    A statement is bounded by the end of the process that carries it out. After that its outcome is unknown.

    Args:
        zygote: gives the process that makes processes; asked at each login.
        string: where to and as whom.
        what: whom it reaches, for messages: `east-db1`.
        first: statements that begin each session.
    """

    def __init__(
        self, zygote: Callable[[], Zygote], string: ConnectionString, what: str, first: Sequence[str] = ()
    ) -> None:
        self.what = what
        self._zygote = zygote
        self._string = string
        self._first = first
        self._child: socket.socket | None = None

    def rows(self, sql: str, parameters: Sequence[object] = (), *, within_s: float = 2.0) -> list[list[Any]]:
        """What one statement gives; nothing for a statement that gives no rows.

        Raises:
            WayInFailed: it failed or did not end in time; the message has the server's words and no password.
            BadInput: there is no driver manager or no driver.
        """
        return [row for batch in self._batches(sql, parameters, within_s, time.monotonic() + within_s) for row in batch]

    def stream(self, sql: str, parameters: Sequence[object] = (), *, within_s: float = 30.0) -> Iterator[list[Any]]:
        """Rows as they come; each batch of them has `within_s` seconds. Raises like `rows`."""
        for batch in self._batches(sql, parameters, within_s, None):
            yield from batch

    def _batches(
        self, sql: str, parameters: Sequence[object], within_s: float, until: float | None
    ) -> Iterator[list[list[Any]]]:
        whole = False
        try:
            if self._child is None:
                self._login(CONNECT_S if until is None else within_s)
            self._send({"run": sql, "with": list(parameters)})
            more = True
            while more:
                told = self._hear(within_s, until)
                more = bool(told.get("more"))
                whole = not more
                yield told["rows"]
        finally:
            if not whole:  # What is left of an answer must not become the answer to the next question.
                self.close()

    def refused(self, *, within_s: float = 0.3) -> bool:
        """Whether nobody listens where it leads: the kernel of the other side refuses a connection. False for any doubt."""
        try:
            socket.create_connection(self._string.address, within_s).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """End its process; the next statement makes a new one."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _login(self, within_s: float) -> None:
        zygote = self._zygote()
        text = self._string.text(zygote.drivers())
        known = _logins.setdefault(text, _Login())
        with contextlib.nullcontext() if known.accepted else known.turn:
            if known.refused:
                raise WayInFailed(
                    f"{self.what}: {known.refused} (tried once and not again, so that no account is locked)"
                )
            self._child = zygote.fork()
            until = time.monotonic() + within_s
            try:
                self._send({"connect": text, "at": list(self._string.address)})
                self._hear(within_s, until)
            except _Denied as error:
                if not known.accepted:
                    known.refused = error.words
                raise
            known.accepted = True
        for statement in self._first:
            self._send({"run": statement, "with": []})
            self._hear(within_s, until)

    def _send(self, request: dict[str, Any]) -> None:
        assert self._child is not None  # noqa: S101 - it was just made
        try:
            self._child.send(json.dumps(request, default=str).encode())
        except OSError as error:
            raise WayInFailed(f"{self.what}: the session ended") from error

    def _hear(self, within_s: float, until: float | None) -> dict[str, Any]:
        """One message. Raises WayInFailed."""
        assert self._child is not None  # noqa: S101 - it was just asked
        self._child.settimeout(within_s if until is None else max(0.001, until - time.monotonic()))
        try:
            said = self._child.recv(LONGEST + 4096)
        except TimeoutError:
            raise WayInFailed(f"{self.what}: no answer within {within_s:g} s") from None
        except OSError as error:
            raise WayInFailed(f"{self.what}: the session broke: {error.strerror}") from None
        if not said:
            raise WayInFailed(f"{self.what}: the session ended")
        told: dict[str, Any] = json.loads(said)
        if "error" in told:
            error_ = failed(told, self._string)
            denied = error_.code is not None and error_.code.startswith(_DENIED)
            raise (_Denied if denied else WayInFailed)(f"{self.what}: {error_}")
        return told


class _Denied(WayInFailed):
    """The account or its password was refused."""

    @property
    def words(self) -> str:
        return str(self).partition(": ")[2]
