# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill lint`: what is wrong with features, found without an estate."""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest

from drdrill.bdd.mend import Finding, Mend, mend_file
from drdrill.bdd.preflight import Preflight
from drdrill.cli.run import QUIET, shipped
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD, BAD, UNUSABLE = 0, 1, 4
WITHOUT: Final = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""Plugins that have nothing to say of features: a cache would be written, and Hypothesis takes most of a second to load."""


@click.command("lint", short_help="Check features without an estate.")
@click.option("--estate", metavar="NAME|PATH", help="Check names, durations and limits against this estate as well.")
@click.option(
    "--fix", is_flag=True, help="Mend in place what input methods type: full-width signs, spaces, quotes, BOM, zh_CN."
)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
def command(estate: str | None, fix: bool, paths: tuple[str, ...]) -> int:
    """Check features: every sentence is known and means one thing, every scenario can prove something.

    PATHS are features or folders; without any, ./features, or those that ship. Both languages are read, and twins must be
    the same drill. Nothing is touched, and no lab needs to be up. What is wrong is told with file:line and what to type;
    --fix types it, where it is only a sign, and leaves every other byte of the file as it is.

    \b
    Exit status: 0 good    1 something is wrong    4 there is nothing that could be read
    """  # noqa: D301 - click reads this escape as "do not wrap"
    here = Path.cwd()
    files = features(paths or (["features"] if Path("features").is_dir() else shipped()))
    linting = Linting(Preflight.of(estate, here) if estate else Preflight())
    told = io.StringIO()
    # Not `-p no:terminal`: the options in a team's ini file (-ra) belong to the reporter.
    with contextlib.redirect_stdout(told):
        status = pytest.main([*QUIET, *WITHOUT, "--collect-only", *files], plugins=[linting])
    if not linting.findings and status != pytest.ExitCode.OK:
        click.echo(told.getvalue(), err=True)
        raise BadInput(f"pytest could not collect these features (its status was {int(status)}); see above")
    left = _mended(linting.findings, here) if fix else linting.findings
    for finding in left:
        click.echo(str(finding))
    for unseen in linting.unseen():
        click.echo(f"note: {unseen}")
    if left:
        mendable = sum(isinstance(finding, Mend) for finding in left)
        hint = f"; drdrill lint --fix mends {mendable} of them" if mendable else ""
        click.echo(f"{len(left)} found in {_files(len(files))}{hint}", err=True)
        return BAD
    click.echo(f"{_files(len(files))} {'is' if len(files) == 1 else 'are'} good")
    return GOOD


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _mended(findings: Sequence[Finding], here: Path) -> list[Finding]:
    """Mend what can be, say what was changed, and give back what is left for a person. Raises BadInput."""
    mends: dict[Path, list[Mend]] = defaultdict(list)
    for finding in findings:
        if isinstance(finding, Mend):
            mends[here / finding.shown].append(finding)
    for path, found in mends.items():
        try:
            mend_file(path, found)
        except OSError as error:
            raise BadInput(f"{path}: could not be mended, and is as it was: {error.strerror}") from error
        for mend in found:
            click.echo(mend.done)
    return [finding for finding in findings if not isinstance(finding, Mend)]


def features(paths: Sequence[str]) -> list[str]:
    """Every feature below these paths, in both languages. Raises BadInput for a path that has none."""
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(given)
        here = sorted(path.rglob("*.feature")) if path.is_dir() else [path] if path.is_file() else []
        if not here:
            raise BadInput(f"{given}: there is no feature here")
        found.update(dict.fromkeys(here))
    return [str(path) for path in found]


class Linting:
    """Lets features into a run of pytest that only collects, and keeps what is found."""

    def __init__(self, preflight: Preflight) -> None:
        self.preflight = preflight
        self.findings: list[Finding] = []
        self._config: pytest.Config | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Let features in before the plugin would let in the session that drills."""
        from drdrill.bdd.session import admit  # noqa: PLC0415 - pytest wants to see pytest-bdd before we do

        admit(config, self.preflight, self.keep)
        self._config = config

    def keep(self, findings: list[Finding]) -> None:
        """Findings are told at the end, one a line, instead of ending pytest."""
        self.findings += findings

    def unseen(self) -> list[str]:
        """The checks of a team's own, which a drill cannot look into."""
        session = self._config.pluginmanager.get_plugin("drdrill-session") if self._config else None
        return session.unseen() if session else []
