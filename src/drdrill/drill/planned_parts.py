# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What has a part in a plan without being in a feature or an estate: the guards that are asked, and what is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Final

GUARDS: Final = "drdrill.guards"
_PACKAGES: Final = ("drdrill", "pytest", "pytest-bdd")
"""What compiles a sentence."""


def guards() -> tuple[str, ...]:
    """The names of all guards that are asked before a strike: ours, where there are any, and those of a team."""
    try:
        registry = import_module("drdrill.drill.guards.registry")
    except ModuleNotFoundError:
        return tuple(sorted({point.name for point in entry_points(group=GUARDS)}))
    return tuple(registry.GUARDS.names())


def versions() -> dict[str, str]:
    """Of drdrill, of what compiles its sentences, and of each package that offers a part: a fault, a way in, a guard."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    theirs = {(p.dist.name, p.dist.version) for p in _offered() if p.dist is not None}
    return found | dict(sorted(theirs))


def _offered() -> list[EntryPoint]:
    groups = [group for group in entry_points().groups if group.startswith("drdrill.")]
    return [point for group in groups for point in entry_points(group=group)]
