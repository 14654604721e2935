# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: a polite guest.

pytest loads this module in every run of a team, whether it drills or not. So it imports nothing but pytest, adds its
options, and only when an estate is named lets the rest in (`drdrill.bdd`): the collector of `.feature` files, the steps,
the fixtures and what runs around a drill.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ESTATE_VARIABLE = "DRDRILL_ESTATE"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a person can say about drills."""
    group = parser.getgroup("drdrill", "disaster recovery drills")
    group.addoption(
        "--estate",
        metavar="NAME|PATH",
        help=f"collect .feature files and drill this estate (also {ESTATE_VARIABLE}, or drdrill_estate in the ini file)",
    )
    group.addoption(
        "--language",
        dest="drill_language",
        choices=("en", "zh"),
        help="zh: where a feature has a Chinese twin (NAME.zh.feature), drill that one",
    )
    group.addoption(
        "--drill-out",
        metavar="DIR",
        help="where each drill leaves its folder (default: reports/out under the root directory)",
    )
    group.addoption(
        "--guardian",
        dest="drill_guardian",
        metavar="local|ssh://HOST|none",
        default="local",
        help="where the process stands that heals when this run dies (default: local, beside it)",
    )
    group.addoption(
        "--approval",
        dest="drill_approvals",
        metavar="FILE",
        action="append",
        default=[],
        help="a yes to exactly this run, as `drdrill approve` writes it (repeatable, one for each person)",
    )
    group.addoption(
        "--probe-only",
        dest="drill_probe_only",
        action="store_true",
        help="run everything but the strikes, for real, and so find missing rights before the night of the drill",
    )
    parser.addini(
        "drdrill_estate", "the estate that drills run on: a name, or a path relative to this file", default=""
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let the drilling side in, if an estate is named.

    Last of all plugins, so that the options of the others can be judged.
    """
    named = estate_named(config)
    if named is None:
        return
    from drdrill.bdd.session import start  # noqa: PLC0415 - only a run that drills pays for it

    start(config, *named)


def estate_named(config: pytest.Config) -> tuple[str, Path] | None:
    """The estate that a run was given and the folder that its name is relative to, or None: this run does not drill."""
    given = config.getoption("--estate") or os.environ.get(ESTATE_VARIABLE)
    if given:
        return str(given), config.invocation_params.dir
    written = config.getini("drdrill_estate")
    return (str(written), config.rootpath) if written else None
