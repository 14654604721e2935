# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""How parts are found: by name, in a table of our own or by an entry point of somebody else, and loaded when first used.

A part that nobody names is never imported, so that a vendor library which is not installed is missed only where it is needed.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Parts:
    """One kind of parts: faults, engines, ways in.

    Args:
        what: the kind, for messages: `fault`.
        group: the entry-point group in which others offer theirs: `drdrill.faults`.
        ours: name -> "module:Class".
    """

    def __init__(self, what: str, group: str, ours: Mapping[str, str]) -> None:
        self.what = what
        self.group = group
        self._ours = dict(ours)

    def names(self) -> tuple[str, ...]:
        """Every known name, ours first."""
        return (*self._ours, *sorted({p.name for p in _offered(self.group)} - set(self._ours)))

    def load(self, name: str) -> Any:
        """The part of that name.

        Raises:
            BadInput: nothing, or more than one thing, has this name; or what has it cannot be imported.
        """
        others = [p for p in _offered(self.group) if p.name == name]
        offers = [self._ours[name]] if name in self._ours else []
        offers += [p.value for p in others if p.value not in offers]
        if not offers:
            known = ", ".join(self.names()) or "none"
            raise BadInput(f'no {self.what} is called "{name}"; there are {known}')
        if len(offers) > 1:
            raise BadInput(
                f'more than one {self.what} is called "{name}": {", ".join(offers)}; remove one of the packages'
            )
        return self._import(EntryPoint(name, offers[0], self.group))

    def _import(self, point: EntryPoint) -> Any:
        try:
            return getattr(import_module(point.module), point.attr)
        except (ImportError, AttributeError) as error:
            raise BadInput(f'the {self.what} "{point.name}" ({point.value}) cannot be loaded: {error}') from error


def _offered(group: str) -> tuple[EntryPoint, ...]:
    """What the installed packages offer in a group."""
    return _read(group, tuple(sys.path), entry_points)


@lru_cache
def _read(group: str, path: tuple[str, ...], read: Callable[..., Iterable[EntryPoint]]) -> tuple[EntryPoint, ...]:
    """From every package on the path: 7 ms with fifty of them, and each strike asks three times, once with the guardian.

    What is installed while a drill runs is no part of it; another path, or another reader, is read anew.
    """
    del path
    return tuple(read(group=group))
