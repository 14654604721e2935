# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The rooms of the top level, found by name: nothing in the engine imports them."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from drdrill.bdd import compat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def modules(room: str) -> Iterator[ModuleType]:
    """Every module of a room (`steps`, `fixtures`), imported: a new file needs no entry anywhere."""
    package = importlib.import_module(f"drdrill.{room}")
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        yield importlib.import_module(f"drdrill.{room}.{found.name}")


def parsers() -> list[Any]:
    """The sentences that ship, to ask whether a text is one of them: `is_matching`, `nearly`."""
    return [context.parser for module in modules("steps") for context in compat.steps_of(module)]


def sentences() -> list[str]:
    """Every sentence that ships, as it is written in docs/sentences.md without kinds: `site "X" is isolated`."""
    from drdrill.bdd.vocabulary import shown  # noqa: PLC0415 - it imports this module

    return [shown(context.parser.name) for module in modules("steps") for context in compat.steps_of(module)]
