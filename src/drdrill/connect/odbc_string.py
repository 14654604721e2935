# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Connection strings of ODBC, as estate files have them: `SERVER=10.71.0.11;PORT=3306;UID=drdrill;PWD={...};DATABASE=clinical`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drdrill.connect.odbc_zygote import LINE
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

_PART: Final = re.compile(r"\s*([A-Za-z][\w ]*?)\s*=\s*(\{(?:[^}]|\}\})*\}|(?!\{)[^;]*)\s*(?:;|$)")
PORT: Final = 3306


class ConnectionString:
    """What a `dsn` says. Names of parts are of any case; a value with a semicolon stands in braces.

    Args:
        dsn: as it stands in the estate file.
        what: whose it is, for messages.

    Raises:
        BadInput: it cannot be read. The message never shows it, since it has a password in it.
    """

    def __init__(self, dsn: str, what: str) -> None:
        self._parts: dict[str, str] = {}
        self._what = what
        at = 0
        while at < len(dsn):
            found = _PART.match(dsn, at)
            if found is None:
                raise BadInput(
                    f"{what}: its dsn is no connection string of ODBC; write SERVER=HOST;PORT=3306;UID=NAME;PWD=WORD;DATABASE=NAME"
                )
            self._parts[found[1].upper()] = found[2]
            at = found.end()
        if "SERVER" not in self._parts:
            raise BadInput(
                f"{what}: its dsn names no SERVER; write SERVER=HOST;PORT=3306;UID=NAME;PWD=WORD;DATABASE=NAME"
            )
        if not self._parts.get("PORT", "0").isdigit():
            raise BadInput(f"{what}: the PORT of its dsn is no number")

    @property
    def address(self) -> tuple[str, int]:
        """Where it leads."""
        return self._plain("SERVER"), int(self._parts.get("PORT") or PORT)

    @property
    def secret(self) -> str:
        """The password; empty when there is none."""
        return self._plain("PWD") or self._plain("PASSWORD")

    def text(self, drivers: Iterable[str], address: tuple[str, int] | None = None) -> str:
        """The whole string, for a driver manager that has these drivers, to this address instead of its own.

        Raises:
            BadInput: none of the drivers fits, or the one that it names is not there.
        """
        parts = {**self._parts, "DRIVER": f"{{{self._driver(tuple(drivers))}}}"}
        if address:
            parts |= {"SERVER": address[0], "PORT": str(address[1])}
        return "".join(f"{name}={value};" for name, value in parts.items())

    def _driver(self, drivers: tuple[str, ...]) -> str:
        there = ", ".join(drivers) or "none"
        named = self._plain("DRIVER")
        if named:
            if named in drivers or named.startswith("/"):
                return named
            raise BadInput(
                f"{self._what}: its dsn names the ODBC driver {named}, and odbcinst knows no such driver; it knows {there}"
            )
        fit = [name for name in drivers if "mariadb" in name.lower()]
        if not fit:
            raise BadInput(
                f"{self._what}: there is no ODBC driver of MariaDB on this machine (odbcinst knows {there}); as root: {LINE}"
            )
        return next((name for name in fit if "unicode" in name.lower()), fit[0])

    def clean(self, words: str) -> str:
        """Words of a driver in one line, without the password should it ever be in them."""
        told = " ".join(words.split())
        return told.replace(self.secret, "***") if self.secret else told

    def _plain(self, name: str) -> str:
        value = self._parts.get(name, "")
        return value[1:-1].replace("}}", "}") if value.startswith("{") else value.strip()
