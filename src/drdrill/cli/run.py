# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill run`: pytest underneath, with the same result and the same exit status."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click
import pytest

from drdrill.errors import BadInput
from drdrill.plugin import ESTATE_VARIABLE, estate_named

QUIET = ("-W", "ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning")
"""The command line had to import drdrill before pytest could rewrite its assertions; it has none."""


@click.command(
    "run",
    short_help="Drill: break, measure, heal, judge, report.",
    context_settings={"ignore_unknown_options": True},
    options_metavar="[--estate NAME|PATH] [--first] [--language en|zh] [--drill-out DIR] [--guardian WHERE]"
    " [--approval FILE]... [--probe-only]",
)
@click.option(
    "--estate",
    metavar="NAME|PATH",
    help=f"What to drill on. Also {ESTATE_VARIABLE}, or drdrill_estate in the ini file.",
)
@click.option("--first", is_flag=True, help="Only the drills that are tagged @first.")
@click.option(
    "--language", type=click.Choice(["en", "zh"]), help="zh: where a feature has a Chinese twin, drill that one."
)
@click.option("--drill-out", metavar="DIR", help="Where each drill leaves its folder (default: reports/out).")
@click.option(
    "--guardian",
    metavar="WHERE",
    help="Where the process stands that heals when this one dies: local (default), ssh://HOST of another site, none.",
)
@click.option(
    "--approval",
    "approvals",
    metavar="FILE",
    multiple=True,
    help="A yes to exactly this run, as `drdrill approve` writes it; one for each person.",
)
@click.option(
    "--probe-only", is_flag=True, help="Everything but the strikes, for real: finds missing rights before the night."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[FEATURES]... [PYTEST OPTIONS]...")
def command(
    *,
    estate: str | None,
    language: str | None,
    drill_out: str | None,
    guardian: str | None,
    approvals: tuple[str, ...],
    arguments: tuple[str, ...],
    first: bool,
    probe_only: bool,
) -> int:
    """Run drills; without FEATURES those that ship with drdrill.

    FEATURES are files, folders or pytest node ids. Every option of pytest works: -k, -m, -x, --junitxml, --collect-only.

    With --probe-only the exit status is 0 when everything that could be tried works; the result is inconclusive.

    \b
    Exit status: 0 all met and restored    1 missed              2 interrupted and healed
                 3 internal error          4 bad input           5 nothing to drill
                 6 inconclusive or aborted 7 refused             8 not restored, or not known to be
    """  # noqa: D301 - click reads this escape as "do not wrap"
    # Below where this person stands, and not below the root that pytest finds: `drdrill report latest` looks there too.
    asked: list[str] = ["--no-header", "--drill-out", drill_out or "reports/out"]
    for option, value in (("--estate", estate), ("--language", language), ("--guardian", guardian)):
        asked += [option, value] if value else []
    asked += [word for path in approvals for word in ("--approval", path)]
    asked += ["--probe-only"] if probe_only else []
    if not any(is_feature(argument) for argument in arguments):
        # Their own folder says nothing about where this person works.
        asked += [*shipped(), "--rootdir", str(Path.cwd())]
    return int(pytest.main([*QUIET, *asked, *arguments], plugins=[Choice(first=first)]))


def is_feature(argument: str) -> bool:
    """Whether an argument names what to drill, as a path or as a node id."""
    return not argument.startswith("-") and (".feature" in argument or Path(argument.partition("::")[0]).exists())


def shipped() -> list[str]:
    """The folder of the features that ship. Raises BadInput when they were left out of the installation."""
    spec = importlib.util.find_spec("drdrill.features")
    found = list(spec.submodule_search_locations or ()) if spec else []
    if not found:
        raise BadInput("no features ship with this installation; name a .feature file")
    return found


class Choice:
    """What `drdrill run` asks of pytest beyond its options.

    Args:
        first: keep only the drills that are tagged @first.
    """

    def __init__(self, *, first: bool) -> None:
        self.first = first

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """An option that nobody knows is answered in the name of the command that was typed."""
        parser.prog = "drdrill run"

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Plain pytest without an estate collects no feature; here that would look like success."""
        if estate_named(config) is None:
            raise pytest.UsageError(
                f"name the estate to drill on: --estate NAME or PATH, {ESTATE_VARIABLE}, or drdrill_estate in the ini file"
            )

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is not tagged @first, when that was asked for."""
        if not self.first:
            return
        others = [item for item in items if item.get_closest_marker("first") is None]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if item not in others]
