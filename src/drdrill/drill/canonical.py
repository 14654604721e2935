# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Values as plain JSON that is the same for the same thing everywhere, and its SHA-256: what an approval is bound to. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, tzinfo
from pathlib import PurePath
from typing import Any


def plain(value: Any) -> Any:  # noqa: PLR0911 - one return for each kind of value
    """Only mappings, lists, texts, numbers, booleans and None.

    Of a thing that nobody here knows only its kind: it was made by a step, and the bytes of step and feature are bound as well.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, type):
        return {"is": str(getattr(value, "name", value.__qualname__))}
    if is_dataclass(value):
        kind = str(getattr(type(value), "name", type(value).__name__))
        return {"is": kind, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((plain(one) for one in value), key=text)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, PurePath | tzinfo):
        return str(value)
    return {"is": str(getattr(value, "__qualname__", type(value).__qualname__))}


def text(value: Any) -> str:
    """The one way to write down plain JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """The SHA-256 of plain JSON, in hexadecimal."""
    return hashlib.sha256(text(value).encode()).hexdigest()
