# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hooks of a run that drills: what is collected, what is found before anything is touched, and the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from _pytest.outcomes import Exit

from drdrill.bdd import collector, compat, places, reports, rooms
from drdrill.bdd.around import Around
from drdrill.bdd.compile import PLAN, plan_of
from drdrill.bdd.lines import Lines
from drdrill.bdd.mend import Mend, in_order
from drdrill.bdd.outcome import INTERNAL, INTERRUPTED, MISSED, NOTHING, USAGE, run_status
from drdrill.bdd.planned import permit
from drdrill.bdd.preflight import Preflight
from drdrill.bdd.refusals import refusals
from drdrill.errors import BadInput, DrdrillError, Findings
from drdrill.estate.signs import lines_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from drdrill.bdd.compile import Plan
    from drdrill.bdd.mend import Finding

_LEFT_OUT = pytest.StashKey[str]()
"""On an item: why this estate cannot have this drill."""


def start(config: pytest.Config, name: str, folder: Path) -> None:
    """Let drills into this run.

    Args:
        config: of pytest, with every other plugin configured.
        name: the estate, as a person gave it.
        folder: what that is relative to.

    Raises:
        pytest.UsageError: something else in this run does not go with drills, or the estate file is wrong.
    """
    if collector.FINDINGS in config.stash:
        return  # features were let in by someone else: `drdrill lint`
    asked = refusals(config)
    if asked:
        raise pytest.UsageError("\n".join(asked))
    try:
        preflight = Preflight.of(name, folder)
        preflight.guardian = guardian_named(config)
    except BadInput as error:
        raise pytest.UsageError(str(error)) from error
    admit(config, preflight)


def guardian_named(config: pytest.Config) -> str | None:
    """Where the guardian of each drill is to stand, as it was asked for; None: there is none. Raises BadInput."""
    given = str(config.getoption("drill_guardian"))
    if given == "none":
        return None
    if given != "local":
        from drdrill.drill.guardian.beside import relayed  # noqa: PLC0415 - the whole drill is behind it

        relayed(given, "", "")
    return given


def raise_findings(findings: list[Finding]) -> None:
    """All of them at once: exit status 4, nothing touched. Raises UsageError."""
    mendable = sum(isinstance(one, Mend) for one in findings)
    hint = [f"`drdrill lint --fix` mends {mendable} of these"] if mendable else []
    # What somebody wrote into a file is quoted in them, and a terminal obeys what it is shown.
    raise pytest.UsageError("\n".join(["nothing was touched:", *map(lines_shown, map(str, findings)), *hint]))


def admit(config: pytest.Config, preflight: Preflight, tell: Callable[[list[Finding]], None] = raise_findings) -> None:
    """Register steps, fixtures and hooks.

    Args:
        config: of pytest.
        preflight: the estate, if there is one.
        tell: gets the findings, once everything is collected, if there are any.
    """
    config.stash[collector.FINDINGS] = []
    config.stash[collector.MARKS] = compat.Marks(config)
    for room in ("steps", "fixtures"):
        for module in rooms.modules(room):
            config.pluginmanager.register(module, module.__name__)
    compat.forgive_terminal(config)
    session = Session(config, preflight, tell)
    config.pluginmanager.register(session, "drdrill-session")
    config.pluginmanager.register(session.around, "drdrill-around")


class Session:
    """One run of pytest that drills."""

    def __init__(self, config: pytest.Config, preflight: Preflight, tell: Callable[[list[Finding]], None]) -> None:
        self.config = config
        self._tell = tell
        self.preflight = preflight
        self._interrupted = False
        self._unseen: list[str] = []
        self._left_out: list[str] = []
        self._refusal: DrdrillError | None = None
        given = config.getoption("--drill-out")
        out = config.invocation_params.dir / given if given else config.rootpath / "reports" / "out"
        self.around = Around(config, preflight, Lines(config), out)

    # --- collecting ---------------------------------------------------------------------------------------------------

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect features."""
        return collector.feature_at(file_path, parent)

    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Keep pytest from importing the room of features that ships."""
        return collector.plain_directory(path, parent)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compile every scenario that will run, and tell all findings at once."""
        findings: list[Finding] = [*self.config.stash[collector.FINDINGS]]
        sentences = rooms.sentences()
        for item in session.items:
            if isinstance(item, pytest.Function) and isinstance(item.parent, collector.FeatureFile):
                shown, whole = collector.shown_path(item.path, self.config), item.parent.whole
                plan = plan_of(item, shown, sentences, whole=whole)
                item.stash[PLAN] = plan
                self._unseen += [f"check not seen by drdrill: {words}" for words in plan.unseen]
                of_estate = self.preflight.findings(plan.calls, whole=whole and not plan.findings)
                of_estate += self._lacking(item, plan, whole=whole and not plan.findings and not of_estate)
                findings += [*plan.mends, *plan.findings, *of_estate]
                findings += [] if plan.findings or of_estate else plan.lacks
        self._leave_out(session)
        findings += collector.unlike_twins([item for item in session.items if PLAN in item.stash])
        if findings:
            self._tell(in_order(findings))

    def _lacking(self, item: pytest.Item, plan: Plan, *, whole: bool) -> list[str]:
        """A drill that somebody named and that this estate cannot have is a finding; any other is left out, and said."""
        lacking = self.preflight.lacking(plan.calls) if whole else []
        if not lacking or item.session.isinitpath(item.path):
            return lacking
        item.stash[_LEFT_OUT] = lacking[0]
        return []

    def _leave_out(self, session: pytest.Session) -> None:
        out = [item for item in session.items if _LEFT_OUT in item.stash]
        if not out:
            return
        self._left_out = [f"not drilled here: {item.name}: {item.stash[_LEFT_OUT]}" for item in out]
        self.config.hook.pytest_deselected(items=out)
        session.items[:] = [item for item in session.items if item not in out]

    def unseen(self) -> list[str]:
        """Sentences of a team that judge by themselves: what they saw is in no journal, and each is named."""
        return list(dict.fromkeys(self._unseen))

    def left_out(self) -> list[str]:
        """The drills that this estate cannot have, and why."""
        return self._left_out

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> str | list[str] | None:
        """What the drills of this run are done to, and the checks of which nothing but their word will be known."""
        estate = self.preflight.estate
        drills = sum(PLAN in item.stash for item in items)
        if estate is None or not drills:
            return self._left_out or None
        marked = ", which is PRODUCTION" if estate.production else ""
        path = collector.shown_path(estate.path, self.config)
        return [
            f"{drills} drill{'s' * (drills != 1)} on the estate {estate.name}{marked} ({path})",
            *self.unseen(),
            *self._left_out,
        ]

    # --- running ------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Before the first drill: can it be recorded, is the estate there, does every way in and way back work?"""
        plans = [item.stash[PLAN] for item in session.items if PLAN in item.stash]
        if not plans or session.config.option.collectonly or session.testsfailed:
            return None
        try:
            self._look_at_places()
            self._look_at_approvals(session)
            self.preflight.open([call for plan in plans for call in plan.calls])
        except DrdrillError as error:
            self._refusal = error
            return True  # Nothing runs; `pytest_sessionfinish` says with which status.
        return None

    def _look_at_places(self) -> None:
        estate = self.preflight.estate
        if estate is not None:
            found = list(places.problems(self.around.out, estate.name, self.config.getoption("xmlpath", None)))
            if found:
                compat.forget_junit(self.config)
                raise Findings(found)

    def _look_at_approvals(self, session: pytest.Session) -> None:
        if self.preflight.estate is not None:
            here, given = self.config.invocation_params.dir, self.config.getoption("drill_approvals")
            paths = [here / path for path in given]
            only = bool(self.config.getoption("drill_probe_only"))
            permit(session.items, self.preflight.estate, self.config, paths, probe_only=only)

    # --- telling ------------------------------------------------------------------------------------------------------

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """The result of a drill in place of pytest's word; its letter is left out, since lines were printed already."""
        result = dict(report.user_properties).get("result") if report.when == "call" else None
        if not isinstance(result, str) or report.outcome == "skipped":
            return None
        return report.outcome, "", (result.upper(), {"green" if report.passed else "red": True})

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, SIGTERM, SIGHUP; pytest also comes here for its own reasons to stop, which are none of these."""
        self._interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted | Exit)

    def pytest_terminal_summary(self, terminalreporter: Any, exitstatus: int) -> None:
        """One line for each drill: result, restoration, where its folder is. Or why there was none."""
        if self._refusal is not None:
            word = "refused" if self._refusal.exit_status != USAGE else "not begun"
            terminalreporter.write_line(f"{word}, nothing was touched:", red=True, bold=True)
            for words in str(self._refusal).splitlines():
                terminalreporter.write_line(f"  {words}")
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            left = "left by what was asked for" if terminalreporter.stats.get("deselected") else "found"
            terminalreporter.write_line(
                f"nothing to drill: no scenario was {left} in {' '.join(self.config.args)}", yellow=True
            )
        if not self.around.outcomes:
            return
        terminalreporter.section("drills")
        for item, outcome in self.around.outcomes:
            where = reports.place(outcome.folder, self.config) if outcome.folder else "nothing was touched"
            terminalreporter.write_line(f"{outcome.result:<12} {outcome.restoration:<10} {item.name}  {where}")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """The exit status of a run that drills, also when a report of somebody else cannot be written now."""
        statuses = [status for _, outcome in self.around.outcomes for status in outcome.statuses]
        statuses += [self._refusal.exit_status] if self._refusal else []
        own = int(exitstatus)
        if own == pytest.ExitCode.TESTS_FAILED:
            # pytest says 1 for every drill that was not met; only what is no drill counts as it is.
            statuses += [MISSED] if self.around.others_failed else []
        elif own == pytest.ExitCode.INTERRUPTED:
            # Without Ctrl-C it is a file of a team that could not be collected.
            statuses.append(INTERRUPTED if self._interrupted else USAGE)
        else:
            statuses.append(own if own != pytest.ExitCode.NO_TESTS_COLLECTED else NOTHING)
        try:
            return (yield)
        except OSError as error:
            self.around.lines.say(f"NOT WRITTEN: {error}; the folders of the drills have everything", red=True)
            statuses.append(INTERNAL)
            return None
        finally:
            session.exitstatus = run_status(statuses)
