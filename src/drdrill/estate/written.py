# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""How single values are written in an estate file, where that takes more than a type."""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Any

from drdrill.errors import BadInput
from drdrill.estate import windows


def address(value: str) -> str:
    """An address of the Internet Protocol. Raises ValueError."""
    return str(ipaddress.ip_address(value))


def minutes(value: Any) -> int:
    """An hour of the day, in minutes since midnight. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minutes <= windows.DAY_MIN:
        raise ValueError('an hour of the day is written in quotes, from "00:00" to "24:00"')
    return minutes


def zone(value: str) -> str:
    """The name of a time zone. Raises ValueError."""
    try:
        windows.zone_of(value)
    except BadInput as error:
        raise ValueError(str(error)) from error
    return value


def public_key(value: Any) -> str:
    """A public key as `drdrill approve --new-key` prints it. Raises ValueError."""
    kind, _, written = str(value).partition(":")
    try:
        raw = base64.b64decode(written, validate=True)
    except ValueError:
        raw = b""
    if kind != "ed25519" or len(raw) != 32:  # noqa: PLR2004 - of every such key
        raise ValueError('a public key is "ed25519:" and 44 signs, as `drdrill approve --new-key FILE` prints it')
    # A key has more than one spelling in base64; persons are told apart by their keys.
    return f"{kind}:{base64.b64encode(raw).decode()}"
