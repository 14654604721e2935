# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a person sees on the terminal while drills run: plain lines, through pytest's own reporter.

They appear at once, also when pytest captures output, and without a terminal. Printing never fails a heal: whatever goes
wrong here is swallowed, since the journal has it all.
"""

from __future__ import annotations

import contextlib
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

from drdrill.checkers.verdict import Restoration, Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest
    from pytest_bdd.parser import Step

    from drdrill.bdd.outcome import Outcome

_MARKUP: dict[str, dict[str, bool]] = {
    Result.MET: {"green": True, "bold": True},
    Result.MISSED: {"red": True, "bold": True},
    Result.INCONCLUSIVE: {"yellow": True, "bold": True},
    Result.ABORTED: {"yellow": True, "bold": True},
    Result.REFUSED: {"yellow": True, "bold": True},
}
WIDTH = 110
_FIRST_WORDS: dict[str, dict[str, bool]] = {
    "STRIKE": {"yellow": True, "bold": True},
    "SWITCH": {"yellow": True},
    "HEAL": {"green": True},
}
"""What breaks, moves and heals stands out from what clients see."""
_SLOW_S = 1.0
"""A sentence that took longer than this says so at its end."""


class Lines:
    """The lines of one run. Safe to call from any thread."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._lock = threading.RLock()
        self._begun = 0.0
        self._step_begun = 0.0

    def title(self, title: str, where: str) -> None:
        """A drill begins."""
        self._begun = time.monotonic()
        self._write(("", {}))
        self._write((title, {"bold": True}), (f"  {where}", {"light": True}))

    def sentence(self, step: Step) -> None:
        """A sentence begins: seconds since the drill began, and its text."""
        self._step_begun = time.monotonic()
        seconds = self._step_begun - self._begun
        self._write((f"{seconds:7.1f} s  ", {"light": True}), (f"{step.keyword} ", {"cyan": True}), (step.name, {}))

    def sentence_ended(self, status: str, message: str | None) -> None:
        """A sentence ended; what is as it should be and was quick needs no second line."""
        took = time.monotonic() - self._step_begun
        if status == "passed":
            if took >= _SLOW_S:
                self.say(f"done after {took:.1f} s", light=True)
            return
        good = status in {"refused", "aborted", "unknown"}
        self.say(f"{status} after {took:.1f} s: {message or ''}".rstrip(": "), yellow=good, red=not good)

    def say(self, words: str, **markup: bool) -> None:
        """Something that happened below a sentence: what is struck, what clients see."""
        with contextlib.suppress(ValueError, IndexError):
            markup = markup or _FIRST_WORDS.get(
                words.partition(" ")[0], {"light": True} if ": waiting for " in words else {}
            )
            for part in words.splitlines():
                # A wrapped line stands below its words; a path or a command stays whole, so that it can be copied.
                below = " " * (len(part) - len(part.lstrip()) + 2)
                wrapped = textwrap.wrap(
                    part, WIDTH, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
                )
                for line in wrapped or [""]:
                    self._write((" " * 11 + line, markup))

    def outcome(self, outcome: Outcome, summary: Iterable[str]) -> None:
        """How a drill ended, in words."""
        seconds = time.monotonic() - self._begun
        markup = _MARKUP[outcome.result]
        self._write(
            (f"{seconds:7.1f} s  ", {"light": True}),
            (outcome.result.upper(), markup),
            (", ", {}),
            self._restored(outcome),
        )
        # The result and the title stand in the line above and at the top.
        summary = [words for words in summary if words and not words.startswith(f"{outcome.result.upper()}: ")]
        here = f"{self._config.invocation_params.dir}/"
        for words in summary or outcome.reasons:
            self.say(words.replace(here, ""))

    @staticmethod
    def _restored(outcome: Outcome) -> tuple[str, dict[str, bool]]:
        if outcome.restoration is Restoration.RESTORED:
            return "nothing was touched" if outcome.result is Result.REFUSED else "the estate is restored", {}
        known = outcome.restoration is Restoration.RESIDUAL
        return f"THE ESTATE IS NOT {'' if known else 'PROVEN '}RESTORED", {"red": True, "bold": True}

    def _write(self, *parts: tuple[str, dict[str, bool]]) -> None:
        # A closed pipe, a full disk under the log, a terminal that went away: none of them may stop a drill.
        with contextlib.suppress(Exception), self._lock:
            reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
            if reporter is None:
                return
            capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
            uncaptured = capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()
            with uncaptured:
                reporter.ensure_newline()
                for text, markup in parts:
                    reporter.write(text, flush=True, **markup)
                reporter.write("\n", flush=True)
                # The reporter remembers the file whose dots it was printing; after our lines it must name it again.
                reporter.currentfspath = None
