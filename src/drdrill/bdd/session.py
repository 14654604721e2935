# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hooks of a run that drills: findings before anything is touched, then begin, heal and judge around each item."""

from __future__ import annotations

import signal
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.outcomes import Exit, Failed, OutcomeException

from drdrill.bdd import collector, compat, reports, rooms
from drdrill.bdd.compile import PLAN, Plan, plan_of, scenario_of
from drdrill.bdd.lines import Lines
from drdrill.bdd.outcome import INTERRUPTED, MISSED, NOTHING, USAGE, Outcome, run_status
from drdrill.bdd.preflight import Preflight
from drdrill.bdd.refusals import refusals
from drdrill.bdd.running import RUNNING, Running, about
from drdrill.checkers.verdict import Restoration, Result
from drdrill.errors import BadInput, DrdrillError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from pytest_bdd.parser import Scenario, Step

OUTCOME = pytest.StashKey[Outcome]()
"""On an item, once its drill ended."""


class Told(Failed):
    """A result that was told already, in words: a failure of an item, but none of its code.

    Args:
        words: the result first.
        cause: what a step raised. Of one that nobody expected the reader needs the place as well.
    """

    def __init__(self, words: str, cause: BaseException | None = None) -> None:
        super().__init__(words, pytrace=False)
        expected = cause is None or isinstance(cause, DrdrillError | AssertionError | OutcomeException)
        self.text = words if expected else "\n".join([words, "", *traceback.format_exception(cause)])


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
    except BadInput as error:
        raise pytest.UsageError(str(error)) from error
    admit(config, preflight)


def raise_findings(findings: list[str]) -> None:
    """All of them at once: exit status 4, nothing touched. Raises UsageError."""
    raise pytest.UsageError("\n".join(["nothing was touched:", *findings]))


def admit(config: pytest.Config, preflight: Preflight, tell: Callable[[list[str]], None] = raise_findings) -> Session:
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
    session = Session(config, preflight, tell)
    config.pluginmanager.register(session, "drdrill-session")
    return session


class Session:
    """One run of pytest that drills."""

    def __init__(self, config: pytest.Config, preflight: Preflight, tell: Callable[[list[str]], None]) -> None:
        self.config = config
        self._tell = tell
        self.preflight = preflight
        self.lines = Lines(config)
        self.outcomes: list[tuple[pytest.Item, Outcome]] = []
        self._others_failed = False
        self._interrupted = False
        self._stopped = False
        self._unhealed: str | None = None
        given = config.getoption("--drill-out")
        self.out: Path = config.invocation_params.dir / given if given else config.rootpath / "reports" / "out"

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
        findings = list(self.config.stash[collector.FINDINGS])
        sentences = rooms.sentences()
        for item in session.items:
            if isinstance(item, pytest.Function) and isinstance(item.parent, collector.FeatureFile):
                plan = plan_of(item, collector.shown_path(item.path, self.config), sentences)
                item.stash[PLAN] = plan
                findings += plan.findings or self.preflight.findings(plan.calls)
        findings += collector.unlike_twins([item for item in session.items if PLAN in item.stash])
        if findings:
            self._tell(list(dict.fromkeys(findings)))

    # --- running ------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Before the first drill: is the estate there, and does every way in and way back work?"""
        plans = [item.stash[PLAN] for item in session.items if PLAN in item.stash]
        if plans and not session.config.option.collectonly and not session.testsfailed:
            try:
                self.preflight.open([call for plan in plans for call in plan.calls])
            except DrdrillError as error:
                pytest.exit(f"refused, nothing was touched: {error}", returncode=error.exit_status)
        with _terminated_like_ctrl_c():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Begin the drill, let the sentences run, then heal and judge whatever happened; before `--pdb` opens."""
        plan = pyfuncitem.stash.get(PLAN, None)
        if plan is None:
            return (yield)
        running = self._begin(pyfuncitem, plan)
        error: BaseException | None = None
        try:
            result = yield
        except BaseException as caught:  # noqa: BLE001 - Ctrl-C, SIGTERM and pytest.exit heal like everything else
            error = caught
        outcome = self._end(pyfuncitem, running, error)
        if isinstance(error, KeyboardInterrupt | SystemExit | Exit):
            raise error
        if self._stopped:
            raise KeyboardInterrupt
        if outcome.result is not Result.MET:
            raise Told(outcome.words, error) from error
        return result

    def _begin(self, item: pytest.Function, plan: Plan) -> Running:
        scenario = scenario_of(item)
        shown = collector.shown_path(item.path, self.config)
        self.lines.title(scenario.name, f"{shown}:{scenario.line_number}")
        try:
            if self._unhealed:
                raise Refused(
                    f"an earlier drill left the estate unhealed ({self._unhealed}), so no other may strike it"
                )
            drill = self.preflight.begin(about(item, scenario, shown), self.out, self.lines.say)
        except DrdrillError as error:
            # It never began, so nothing was touched, whatever the error is called.
            refused = Outcome(Result.REFUSED, Restoration.RESTORED, tuple(str(error).splitlines()))
            self._record(item, refused)
            self.lines.outcome(refused, [])
            raise Told(refused.words) from error
        running = item.stash[RUNNING] = Running(drill, scenario, plan, self.lines)
        return running

    def _end(self, item: pytest.Function, running: Running, error: BaseException | None) -> Outcome:
        # An alarm of pytest-timeout must not cut a heal in two; it rings when this is done.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        try:
            outcome = self._healed_and_judged(running, error)
            self._record(item, outcome)
            written = reports.of(outcome.folder)
            item.user_properties.extend(p for p in written.properties if p[0] not in {"result", "restoration"})
            self.lines.outcome(outcome, written.lines)
        finally:
            del item.stash[RUNNING]
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return outcome

    def _healed_and_judged(self, running: Running, error: BaseException | None) -> Outcome:
        if isinstance(error, Failed):  # a team's step that says pytest.fail means the same as one that asserts
            error = AssertionError(str(error))
        try:
            try:
                running.ended(error)
            finally:
                ended = running.drill.finish(error)
        except BaseException as broken:  # noqa: BLE001 - a drill that cannot say how it ended is not restored
            words = f"the drill could not be ended properly: {type(broken).__name__}: {broken}"
            return Outcome(Result.ABORTED, Restoration.UNKNOWN, (words,), running.drill.folder)
        # Signals that came while it healed were only remembered; the run ends now.
        self._stopped = self._stopped or bool(ended.stopped)
        whole = ended.restoration is Restoration.RESTORED
        left = () if whole else reports.differences(ended.folder)
        return Outcome(ended.result, ended.restoration, tuple(ended.reasons), ended.folder, left)

    def _record(self, item: pytest.Item, outcome: Outcome) -> None:
        item.stash[OUTCOME] = outcome
        item.user_properties.extend([("result", str(outcome.result)), ("restoration", str(outcome.restoration))])
        self.outcomes.append((item, outcome))
        if outcome.restoration is not Restoration.RESTORED:
            self._unhealed = self._unhealed or f"{outcome.restoration} after {item.name}"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """An estate that is not proven whole again is an error of its own, beside the result."""
        result = yield
        outcome = item.stash.get(OUTCOME, None)
        if outcome is not None and outcome.restoration is not Restoration.RESTORED:
            left = "; ".join(outcome.differences) or "the drill could not tell what is left"
            raise Told(f"restoration {outcome.restoration}: {left}")
        return result

    # --- sentences ----------------------------------------------------------------------------------------------------

    def pytest_bdd_before_step(self, request: pytest.FixtureRequest, scenario: Scenario, step: Step) -> None:
        """A sentence begins."""
        if RUNNING in request.node.stash:
            request.node.stash[RUNNING].before(scenario, step)

    def pytest_bdd_after_step(self, request: pytest.FixtureRequest) -> None:
        """A sentence ended well. The other ends are seen around the whole call: hooks miss Ctrl-C and pytest.skip."""
        if RUNNING in request.node.stash:
            request.node.stash[RUNNING].ended()

    # --- telling ------------------------------------------------------------------------------------------------------

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """The result of a drill in place of pytest's word; its letter is left out, since lines were printed already."""
        result = dict(report.user_properties).get("result") if report.when == "call" else None
        if not isinstance(result, str) or report.outcome == "skipped":
            return None
        return report.outcome, "", (result.upper(), {"green" if report.passed else "red": True})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the words of a drill stand first in every report, and remember whether anything else failed."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, Told):
            report.longrepr = error.text
        elif report.failed:
            self._others_failed = True
        return report

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, SIGTERM, SIGHUP; pytest also comes here for its own reasons to stop, which are none of these."""
        self._interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted | Exit)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """One line for each drill: result, restoration, where its folder is."""
        if not self.outcomes:
            return
        terminalreporter.section("drills")
        for item, outcome in self.outcomes:
            where = reports.place(outcome.folder, self.config) if outcome.folder else "nothing was touched"
            terminalreporter.write_line(f"{outcome.result:<12} {outcome.restoration:<10} {item.name}  {where}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """The exit status of a run that drills."""
        statuses = [status for _, outcome in self.outcomes for status in outcome.statuses]
        own = int(exitstatus)
        if own == pytest.ExitCode.TESTS_FAILED:
            # pytest says 1 for every drill that was not met; only what is no drill counts as it is.
            statuses += [MISSED] if self._others_failed else []
        elif own == pytest.ExitCode.INTERRUPTED:
            # Without Ctrl-C it is a file of a team that could not be collected.
            statuses.append(INTERRUPTED if self._interrupted else USAGE)
        else:
            statuses.append(own if own != pytest.ExitCode.NO_TESTS_COLLECTED else NOTHING)
        session.exitstatus = run_status(statuses)


def _terminated_like_ctrl_c() -> Any:
    """SIGTERM and SIGHUP stop a run as Ctrl-C does, so that it heals."""
    from drdrill.drill import signals  # noqa: PLC0415 - the whole drill is behind it

    return signals.guard()
