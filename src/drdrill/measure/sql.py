# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What SQL writers and SQL probes share: the engine of their database, as a client at their place uses it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from drdrill.errors import BadInput
from drdrill.measure import http

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.connect.sql import SqlFailed
    from drdrill.engines.client import SqlClient
    from drdrill.engines.engine import Address, Engine

_PORTS: Final = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306, "sqlserver": 1433}


def address_of(url: str) -> Address:
    """Host and port of a member's URL. Raises BadInput."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        raise BadInput(f"{url} is no address of a database: its port is no number") from None
    if not parts.hostname or port is None:
        raise BadInput(f"{url} is no address of a database; write postgresql://HOST:PORT")
    return parts.hostname, port


def engine_of(spec: Mapping[str, Any]) -> tuple[Engine, SqlClient]:
    """The engine and a client of it. The account is read from the estate file: a specification lies beside the evidence."""
    from drdrill.engines.registry import engine_for  # noqa: PLC0415 - engines load drivers
    from drdrill.estate.load import load  # noqa: PLC0415 - pydantic and ruamel.yaml are behind it

    engine = engine_for(load(spec["estate_file"]), spec["database"])
    return engine, engine.client({host: (name, port) for host, (name, port) in spec["addresses"].items()})


def raise_ours(error: SqlFailed) -> None:
    """Raise OSError when this machine is what failed: then the instrument is broken, which says nothing of the database."""
    for number in http.OURS:
        if os.strerror(number) in str(error):
            raise OSError(number, str(error)) from error


def short(error: SqlFailed) -> str:
    """An error in the few letters that a record has for it."""
    words = str(error).lower()
    if error.code:
        return f"SQLSTATE {error.code}"
    known = (
        ("refused", "refused"), ("read-only", "read-only"), ("starting up", "starting up"), ("shutting down", "shutting down"),
        ("authentication", "authentication"), ("too many", "too many clients"), ("closed the connection", "closed"),
        ("reset by peer", "reset"),
    )  # fmt: skip
    return next((told for sign, told in known if sign in words), "no session")
