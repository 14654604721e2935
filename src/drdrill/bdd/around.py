# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The hooks around one item that is a drill: begin, sentences, heal and judge, and the words of its reports."""

from __future__ import annotations

import contextlib
import signal
import traceback
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Exit, Failed, OutcomeException

from drdrill.bdd import collector, reports
from drdrill.bdd.compile import PLAN, Plan, scenario_of
from drdrill.bdd.outcome import Outcome
from drdrill.bdd.planned import PERMIT
from drdrill.bdd.running import RUNNING, Running, about
from drdrill.checkers.verdict import Restoration, Result
from drdrill.drill import signals
from drdrill.drill.probing import PassedOver
from drdrill.errors import Aborted, DrdrillError, Refused
from drdrill.journal.events import NOTE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from pytest_bdd.parser import Scenario, Step

    from drdrill.bdd.lines import Lines
    from drdrill.bdd.preflight import Preflight

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


@contextlib.contextmanager
def _alarms_wait() -> Iterator[None]:
    """An alarm of pytest-timeout must not cut a heal in two: it rings when this is done.

    Its handler is put aside, since blocking the signal in this thread would leave it to any other.
    """
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda signum, _frame: rang.append(signum))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
    if rang and callable(before):
        before(signal.SIGALRM, None)


def _meant(error: BaseException | None) -> BaseException | None:
    """A team's step that says pytest.fail means the same as one that asserts; pytest-timeout says it too and means time."""
    if not isinstance(error, Failed):
        return error
    places = [frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__)]
    if "pytest_timeout" in places:
        return Aborted(f"the time that this drill may take is over ({error})")
    return AssertionError(str(error))


class Around:
    """Every drill of a run, one after the other.

    Args:
        config: of pytest.
        preflight: the estate.
        lines: the terminal.
        out: where drills leave their folders.
    """

    def __init__(self, config: pytest.Config, preflight: Preflight, lines: Lines, out: Path) -> None:
        self.config = config
        self.preflight = preflight
        self.lines = lines
        self.out = out
        self.outcomes: list[tuple[pytest.Item, Outcome]] = []
        self.others_failed = False
        """Something failed that is not the result of a drill."""
        self._stopped = False
        self._unhealed: str | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """SIGTERM and SIGHUP stop a run as Ctrl-C does, so that it heals."""
        with signals.guard():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Begin the drill, let the sentences run, then heal and judge whatever happened; before `--pdb` opens."""
        plan = pyfuncitem.stash.get(PLAN, None)
        if plan is None:
            return (yield)
        running = self._begin(pyfuncitem, plan)
        error: BaseException | None = None
        result: object = True
        try:
            result = yield
        except PassedOver as over:
            self.lines.say(str(over))
            running.drill.journal.write(NOTE, words=str(over))
        except BaseException as caught:  # noqa: BLE001 - Ctrl-C, SIGTERM and pytest.exit heal like everything else
            error = caught
        outcome = self._end(pyfuncitem, running, error)
        if isinstance(error, KeyboardInterrupt | SystemExit | Exit):
            raise error
        if self._stopped:
            raise KeyboardInterrupt
        if outcome.tried:
            pytest.skip(outcome.words)  # neither good nor bad: nothing was drilled
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
            permit = item.stash.get(PERMIT, None)
            drill = self.preflight.begin(about(item, scenario, shown, plan), self.out, self.lines.say, permit)
        except DrdrillError as error:
            # It never began, so nothing was touched, whatever the error is called.
            refused = Outcome(Result.REFUSED, Restoration.RESTORED, tuple(str(error).splitlines()))
            self._record(item, refused)
            self.lines.outcome(refused, [])
            raise Told(refused.words) from error
        running = item.stash[RUNNING] = Running(drill, scenario, plan, self.lines)
        return running

    def _end(self, item: pytest.Function, running: Running, error: BaseException | None) -> Outcome:
        with _alarms_wait(), signals.uninterrupted(lambda: "nothing but its report", self.lines.say) as heard:
            outcome = self._healed_and_judged(running, error)
            self._record(item, outcome)
            written = reports.of(outcome.folder)
            item.user_properties.extend(p for p in written.properties if p[0] not in {"result", "restoration"})
            self.lines.outcome(outcome, written.lines)
            del item.stash[RUNNING]
        # Signals that came while it healed were only remembered; the run ends now.
        self._stopped = self._stopped or bool(heard)
        return outcome

    def _healed_and_judged(self, running: Running, error: BaseException | None) -> Outcome:
        error = _meant(error)
        try:
            try:
                running.ended(error)
            except OSError as unrecorded:
                # What a sentence came to is not on disk, so nobody can judge by it; the drill must not end in met.
                error = error if isinstance(error, KeyboardInterrupt | SystemExit | Exit) else unrecorded
            finally:
                ended = running.drill.finish(error)
        except BaseException as broken:  # noqa: BLE001 - a drill that cannot say how it ended is not restored
            words = f"the drill could not be ended properly: {type(broken).__name__}: {broken}"
            return Outcome(Result.ABORTED, Restoration.UNKNOWN, (words,), running.drill.folder)
        self._stopped = self._stopped or bool(ended.stopped)
        whole = ended.restoration is Restoration.RESTORED
        left = () if whole else reports.differences(ended.folder)
        return Outcome(ended.result, ended.restoration, tuple(ended.reasons), ended.folder, left, tried=ended.tried)

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
            self.others_failed = True
        return report
