# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""SQL over psycopg 3: connections whose every statement ends in time, and whose errors never show a password."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput, MissingExtra, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

CONNECT_S: Final = 2
"""libpq counts in whole seconds and takes 1 as 2."""
BATCH: Final = 2000


def driver() -> ModuleType:
    """The driver. Raises MissingExtra."""
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise MissingExtra("psycopg", "postgresql", "a PostgreSQL database") from error


@dataclass
class _Login:
    """What this process knows of one connection string.

    An account may be locked after a few wrong passwords, and a drill asks many times. So the first login is made alone, and
    when it is refused after a password was given, it was the last. Once it was accepted the password is right, and whatever is
    refused later has another reason.
    """

    turn: threading.Lock = field(default_factory=threading.Lock)
    accepted: bool = False
    refused: str = ""


_logins: dict[str, _Login] = {}


class Connection:
    """One kept connection in autocommit, made when it is first needed and again after it broke.

    A statement is bounded by closing its socket: a cancel request would be one more message that a dead peer never answers,
    and a server-side timeout does not run on a server that is frozen. After that the connection is gone, its outcome unknown.

    Args:
        dsn: libpq's connection string.
        what: whom it reaches, for messages: `east-db1`.
    """

    def __init__(self, dsn: str, what: str) -> None:
        self.what = what
        self._dsn = dsn
        self._open: Any = None

    def rows(self, sql: str, parameters: Sequence[object] = (), *, within_s: float = 2.0) -> list[tuple[Any, ...]]:
        """What one statement gives; nothing for a statement that gives no rows.

        Raises:
            WayInFailed: it failed or did not end in time; the message has the server's words and no password.
            BadInput: the connection string is none.
            MissingExtra: there is no driver.
        """
        with self._bounded(within_s) as connection:
            cursor = connection.execute(sql, parameters or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows

    def stream(
        self, sql: Any, parameters: Sequence[object] = (), *, within_s: float = 30.0
    ) -> Iterator[tuple[Any, ...]]:
        """Rows from a cursor of the server, in batches; each batch has `within_s` seconds. Raises like `rows`."""
        cursor = None
        try:
            with self._bounded(within_s) as connection:
                cursor = connection.cursor("drdrill", withhold=True)
                cursor.execute(sql, parameters or None)
            while True:
                with self._bounded(within_s):
                    batch = cursor.fetchmany(BATCH)
                if not batch:
                    break
                yield from batch
        finally:
            self._close_cursor(cursor, within_s)

    def _close_cursor(self, cursor: Any, within_s: float) -> None:
        """Close a cursor of the server, also after its statement was refused; with its connection it is gone anyway."""
        if cursor is None:
            return
        with contextlib.suppress(Exception):
            if self._open is None:
                cursor.close()
            else:
                with self._bounded(within_s):
                    cursor.close()

    def refused(self, *, within_s: float = 0.3) -> bool:
        """Whether nobody listens where it leads: the kernel of the other side refuses a connection. False for any doubt."""
        with contextlib.suppress(Exception):
            place = driver().conninfo.conninfo_to_dict(self._dsn)
            host, port = str(place.get("hostaddr") or place["host"]), str(place.get("port") or 5432)
            try:
                socket.create_connection((host, int(port)), within_s).close()
            except ConnectionRefusedError:
                return True
        return False

    def close(self) -> None:
        """Close it; the next statement opens a new one."""
        connection, self._open = self._open, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    @contextlib.contextmanager
    def _bounded(self, within_s: float) -> Iterator[Any]:
        psycopg = driver()
        try:
            if self._open is None or self._open.closed:
                self._open = self._login(psycopg)
            connection = self._open
            late = threading.Event()
            alarm = threading.Timer(within_s, _shut, (connection, late))
            alarm.daemon = True
            alarm.start()
            try:
                yield connection
            finally:
                alarm.cancel()
        except psycopg.ProgrammingError as error:
            self.close()
            if error.sqlstate is None:
                # libpq's words about a string that it cannot read quote the string, and the password with it.
                raise BadInput(
                    f"{self.what}: its dsn is not one that libpq can read; look at it in the estate file"
                ) from None
            raise WayInFailed(f"{self.what}: {self._clean(error)}") from None
        except psycopg.Error as error:
            self.close()
            words = f"no answer within {within_s:g} s" if "late" in locals() and late.is_set() else self._clean(error)
            raise WayInFailed(f"{self.what}: {words}") from None

    def _login(self, psycopg: ModuleType) -> Any:
        """A fresh connection. Raises WayInFailed when this login was refused before, else what the driver raises."""
        known = _logins.setdefault(self._dsn, _Login())
        with contextlib.nullcontext() if known.accepted else known.turn:
            if not known.refused:
                try:
                    connection = psycopg.connect(self._dsn, connect_timeout=CONNECT_S, autocommit=True)
                except psycopg.errors.ConnectionTimeout:
                    raise WayInFailed(f"{self.what}: no answer within {CONNECT_S} s") from None
                except psycopg.OperationalError as error:
                    if known.accepted or not getattr(error.pgconn, "used_password", False):
                        raise
                    known.refused = self._clean(error)
                else:
                    known.accepted = True
                    return connection
        raise WayInFailed(f"{self.what}: {known.refused} (tried once and not again, so that no account is locked)")

    def _clean(self, error: Exception) -> str:
        """The words of an error in one line, without the password should it ever be in them."""
        words = " ".join(str(error).split()) or type(error).__name__
        with contextlib.suppress(Exception):
            secret = str(driver().conninfo.conninfo_to_dict(self._dsn).get("password") or "")
            if secret:
                words = words.replace(secret, "***")
        return words


def _shut(connection: Any, late: threading.Event) -> None:
    """End what a statement waits for: both directions of its socket."""
    late.set()
    with contextlib.suppress(Exception):
        copy = socket.socket(fileno=os.dup(connection.fileno()))
        try:
            copy.shutdown(socket.SHUT_RDWR)
        finally:
            copy.close()
