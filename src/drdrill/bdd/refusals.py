# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What other plugins may do to tests but not to drills."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_OPTIONS = (
    # dest of the option, how a person writes it, why not
    ("numprocesses", "-n", "two drills on one estate at the same time measure each other"),
    ("tx", "--tx", "two drills on one estate at the same time measure each other"),
    ("reruns", "--reruns", "a drill that is repeated until it passes proves nothing"),
    ("count", "--count", "a drill is not repeated by a plugin: run it again, each run leaves its own evidence"),
    ("flake_finder_enable", "--flake-finder", "a drill is not repeated by a plugin"),
    ("random_order_enabled", "--random-order", "drills run in the order in which they are written"),
    ("reverse", "--reverse", "drills run in the order in which they are written"),
    ("random_order_bucket", "--random-order-bucket", "drills run in the order in which they are written"),
    ("random_order_seed", "--random-order-seed", "drills run in the order in which they are written"),
    (
        "randomly_reorganize",
        "-p randomly (switch it off with -p no:randomly)",
        "drills run in the order in which they are written",
    ),
)
_THREAD = "a drill whose time is up must heal, and timeout_method=thread ends the process without it: use timeout_method=signal"


def refusals(config: pytest.Config) -> list[str]:
    """Why this run may not drill, one sentence for each reason; empty when it may."""
    asked = [
        f"a drill never runs with {written}: {why}"
        for dest, written, why in _OPTIONS
        if _wanted(dest, config.getoption(dest, None))
    ]
    if _timeout_method(config) == "thread":
        asked.append(_THREAD)
    if hasattr(config, "workerinput"):
        asked.append("a drill never runs in a worker of pytest-xdist")
    return list(dict.fromkeys(asked))


def _wanted(dest: str, value: object) -> bool:
    if dest == "count":  # pytest-repeat counts from 1
        return isinstance(value, int) and value > 1
    if dest == "randomly_reorganize":  # on by its mere presence; `-p no:randomly` takes the option away
        return bool(value)
    # pytest-random-order marks what nobody asked for.
    return bool(value) and not str(value).startswith("default:")


def _timeout_method(config: pytest.Config) -> str | None:
    given = config.getoption("timeout_method", None)
    if given:
        return str(given)
    try:
        return str(config.getini("timeout_method"))
    except (KeyError, ValueError):
        return None  # pytest-timeout is not installed
