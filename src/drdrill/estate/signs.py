# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Signs that nobody sees: no text of an estate file has one, and none is ever shown. Pure.

Names, addresses and words of an estate become names of files, words of commands, headers of requests and lines of reports. A line
break or a sign that drives a terminal is a mistake in all of them, or worse.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FREE: Final = frozenset({"body", "json"})
"""What clients send and what is expected of an answer may have lines."""


def unseen(node: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of a tree, key or value, that holds such a sign: where, and which. Never the text: it may be a password."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _FREE:
                continue
            if sign := _first(str(key)):
                yield (*place, key), f"its name holds {sign}"
            yield from unseen(value, (*place, key))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from unseen(value, (*place, at))
    elif isinstance(node, str) and (sign := _first(node)):
        yield place, f"it holds {sign}"


def shown(text: str) -> str:
    """A text as it may be printed: what nobody sees is written out, as Python would write it."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def lines_shown(text: str) -> str:
    """The same of a message of several lines."""
    return "\n".join(map(shown, text.split("\n")))


def _first(text: str) -> str | None:
    sign = next((sign for sign in text if not sign.isprintable()), None)
    if sign is None:
        return None
    kind = "a line break" if sign in "\n\r\x0b\x0c\x85\u2028\u2029" else "a sign that nobody sees"
    name = unicodedata.name(sign, "")
    return f"{kind} (U+{ord(sign):04X}{f', {name}' if name else ''})"
