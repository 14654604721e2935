# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill plan`: what drills would do, and the digest that an approval is bound to."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from drdrill.bdd.preflight import Preflight
from drdrill.cli.lint import WITHOUT
from drdrill.cli.plan_words import lines
from drdrill.cli.run import QUIET, Choice, is_feature, shipped
from drdrill.errors import BadInput, Findings

if TYPE_CHECKING:
    from drdrill.bdd.mend import Finding
    from drdrill.drill.plan import Plan

NOTHING = 5


@click.command(
    "plan",
    short_help="Show what drills would do, before anything is touched.",
    context_settings={"ignore_unknown_options": True},
    options_metavar="--estate NAME|PATH [--first] [--language en|zh] [--json FILE]",
)
@click.option("--estate", envvar="DRDRILL_ESTATE", required=True, metavar="NAME|PATH", help="What would be drilled.")
@click.option("--first", is_flag=True, help="Only the drills that are tagged @first.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="As for `drdrill run`.")
@click.option("--json", "to", metavar="FILE", help="Write the plan there as well, for `drdrill approve`.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[FEATURES]... [PYTEST OPTIONS]...")
def command(estate: str, language: str | None, to: str | None, arguments: tuple[str, ...], *, first: bool) -> int:
    """Show what `drdrill run` with the same FEATURES and options would do, without touching anything.

    Every sentence with its step, every host that could be struck, for how long at most, how it heals and who heals it,
    which approvals are needed, and the digest of all that. No lab needs to be up.

    \b
    Exit status: 0 planned    4 bad input    5 nothing to drill
    """  # noqa: D301 - click reads this escape as "do not wrap"
    planning = Planning(Preflight.of(estate, Path.cwd()), first=first)
    asked = ["--language", language] if language else []
    if not any(is_feature(argument) for argument in arguments):
        asked += [*shipped(), "--rootdir", str(Path.cwd())]
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        status = pytest.main([*QUIET, *WITHOUT, "--collect-only", *asked, *arguments], plugins=[planning])
    if planning.findings:
        raise Findings([str(finding) for finding in planning.findings])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        click.echo("nothing to drill: no scenario was found, or left by what was asked for", err=True)
        return NOTHING
    if planning.plan is None or status != pytest.ExitCode.OK:
        click.echo(told.getvalue(), err=True)
        raise BadInput(f"pytest could not collect these features (its status was {int(status)}); see above")
    if to is not None:
        write(planning.plan, Path(to))
    for line in [*lines(planning.plan), *planning.left_out()]:
        click.echo(line)
    if to is not None:
        click.echo(
            f"written to {to}; to approve it: drdrill approve {to} --key FILE --as NAME --from TIME --until TIME"
        )
    return 0


def write(plan: Plan, path: Path) -> None:
    """The plan with its digest, as a file. Raises BadInput."""
    kept = {"digest": plan.digest, "plan": plan.as_json()}
    try:
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: the plan cannot be written there ({error.strerror})") from error


class Planning(Choice):
    """Lets features into a run of pytest that only collects, and makes the plan of what was collected.

    Args:
        preflight: the estate.
        first: keep only the drills that are tagged @first.
    """

    def __init__(self, preflight: Preflight, *, first: bool) -> None:
        super().__init__(first=first)
        self.preflight = preflight
        self.findings: list[Finding] = []
        self.plan: Plan | None = None
        self._config: pytest.Config | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Let features in before the plugin would let in the session that drills."""
        from drdrill.bdd.session import admit  # noqa: PLC0415 - pytest wants to see pytest-bdd before we do

        admit(config, self.preflight, self.keep)
        self._config = config

    def keep(self, findings: list[Finding]) -> None:
        """Findings are told at the end."""
        self.findings += findings

    def left_out(self) -> list[str]:
        """The drills that this estate cannot have, and why."""
        session = self._config.pluginmanager.get_plugin("drdrill-session") if self._config else None
        return session.left_out() if session else []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What was collected is what would run."""
        from drdrill.bdd.planned import plan_of_run  # noqa: PLC0415 - as above

        if self.preflight.estate is None or self.findings or session.testsfailed:
            return
        try:
            self.plan = plan_of_run(session.items, self.preflight.estate, session.config)
        except BadInput as error:
            self.findings.append(str(error))
