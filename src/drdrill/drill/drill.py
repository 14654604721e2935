# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The drill: one scenario run, from the lock of its estate to its last line in the journal.

It is what the nouns see of it (`Context`). What sentences strike and heal with stands in `drill_noun`, how it ends in `ending`,
how one fault lives in `hold`.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from drdrill.checkers.verdict import Judgement, Verdict
from drdrill.connect.registry import Ways
from drdrill.drill import baseline, ending, state
from drdrill.drill.about import About, Ended, begun, slug, unused
from drdrill.drill.asks import Asks
from drdrill.drill.hold import Tools
from drdrill.drill.holds import Holds
from drdrill.drill.lock import EstateLock
from drdrill.drill.named import named
from drdrill.drill.undo_log import UndoLog
from drdrill.drill.watches import Watches
from drdrill.errors import BadInput
from drdrill.journal import events
from drdrill.journal.journal import Journal
from drdrill.journal.recording import Recording, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.estate.model import Estate

__all__ = ["About", "Drill", "Ended"]

T = TypeVar("T")

NAP_S: Final = 0.1
SPEAK_EVERY_S: Final = 10.0
MOST_WITNESSES: Final = 50


class Drill(Asks):
    """One drill. Made by `begin`, ended by `finish`, which must always be called."""

    def __init__(
        self,
        estate: Estate,
        about: About,
        journal: Journal,
        lock: EstateLock,
        *,
        drill_id: str,
        say: Callable[[str], None],
    ) -> None:
        self.id = drill_id
        super().__init__(estate, Ways(estate))
        self.about = about
        self.journal = journal
        self.folder: Path = journal.folder
        self.lock = lock
        self.holds = Holds()
        self.watches = Watches(self._tripped)
        self.before: baseline.Picture | None = None
        self.unknowns: list[str] = []
        self._say = say
        self._phase = "begin"
        self._struck = False
        self._begun_ns = time.monotonic_ns()
        self._nouns: dict[str, Any] = {}
        self.tools = Tools(journal, UndoLog(state.folder(estate.name)), self.say, nap=self._nap)

    @classmethod
    def begin(cls, estate: Estate, about: About, out: Path, say: Callable[[str], None]) -> Self:
        """Take the estate for this drill and write down what it is.

        Args:
            estate: loaded, with the addresses of its lab.
            about: the scenario.
            out: where drills are kept; this one gets the folder `<utc>-<title>` there.
            say: one line for the person who watches.

        Raises:
            EstateBusy: another drill holds the estate.
            Unreachable: the supervisor of the lab does not answer.
            BadInput: the state folder cannot be used, or the drill cannot be recorded.
        """
        now = datetime.now(UTC)
        drill_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        lock = EstateLock(state.folder(estate.name), estate.name).take(drill_id)
        try:
            with Ways(estate) as ways:
                words = begun(estate, about, ways.inventory())
            journal = Journal(unused(out, f"{now:%Y%m%dT%H%M%SZ}-{slug(about.title)}"))
            clock = {"mono_ns": journal.clock.mono_ns, "wall_ns": journal.clock.wall_ns}
            journal.write(events.DRILL_BEGUN, drill=drill_id, **words, clock=clock)
            return cls(estate, about, journal, lock, drill_id=drill_id, say=say)
        except OSError as error:
            lock.release()
            raise BadInput(f"{out}: the drill cannot be recorded there ({error.strerror or error})") from error
        except BaseException:
            lock.release()
            raise

    @property
    def nouns(self) -> Mapping[str, Any]:
        """What a sentence may use, by name: estate, workload, drill, operations, availability, consistency."""
        if not self._nouns:
            from drdrill.drill.availability import Availability  # noqa: PLC0415 - numpy and the workers are behind them
            from drdrill.drill.consistency import Consistency  # noqa: PLC0415 - numpy and the workers are behind it
            from drdrill.drill.drill_noun import DrillNoun  # noqa: PLC0415 - numpy and the workers are behind it
            from drdrill.drill.estate_noun import EstateNoun  # noqa: PLC0415 - numpy and the workers are behind it
            from drdrill.drill.operations import Operations  # noqa: PLC0415 - numpy and the workers are behind it
            from drdrill.drill.workload import Workload  # noqa: PLC0415 - numpy and the workers are behind it

            workload = Workload(self, named(self.estate, self.about.calls))
            self._nouns = {
                "estate": EstateNoun(self, self.ways, self.tools.log),
                "workload": workload,
                "drill": DrillNoun(self),
                "operations": Operations(self, self.before_change, self.moved, DrillNoun(self)),
                "availability": Availability(self, workload),
                "consistency": Consistency(self, workload),
            }
        return self._nouns

    # --- what the nouns see (Context) ---------------------------------------------------------------------------------

    def wait_until(self, look: Callable[[], T | None], deadline_s: float, words: str) -> T | None:
        """Call `look` until it gives something that is not None, or the deadline has passed. Feeds every hold meanwhile."""
        begun_at = time.monotonic()
        spoken = begun_at - SPEAK_EVERY_S + 2.0
        while True:
            self.feed()
            found = look()
            now = time.monotonic()
            if found is not None or now - begun_at >= deadline_s:
                return found
            if now - spoken >= SPEAK_EVERY_S:
                spoken = now
                self.say(f"  {now - begun_at:.0f} s of {deadline_s:.0f} s: waiting for {words}")
            time.sleep(min(NAP_S, max(0.0, begun_at + deadline_s - now)))

    def feed(self) -> None:
        """Renew every open hold whose time has come, and look at what is watched. Raises what `wait_until` raises."""
        self.holds.feed()
        self.watches.look()

    def conclude(self, judgement: Judgement) -> None:
        """Record the verdict of a sentence. A fail raises AssertionError with its message; an unknown is remembered."""
        witnesses = list(judgement.witnesses)
        self.journal.write(
            events.CHECK,
            check=judgement.name,
            title=judgement.title,
            verdict=str(judgement.verdict),
            message=judgement.message,
            counts=dict(judgement.counts),
            saw=dict(judgement.saw),
            witnesses=witnesses[:MOST_WITNESSES],
            witnesses_total=len(witnesses),
            phase=self._phase,
        )
        if judgement.verdict is Verdict.FAIL:
            raise AssertionError(judgement.message)
        if judgement.verdict is Verdict.UNKNOWN:
            self.unknowns.append(judgement.message)
            self.say(f"unknown: {judgement.message}")

    def recording(self) -> Recording:
        """Everything on disk up to now."""
        return load(self.folder)

    def say(self, words: str) -> None:
        """One line for the person who watches. A terminal that went away stops no drill."""
        with contextlib.suppress(OSError, ValueError):
            self._say(words)

    def phase(self) -> str:
        """The index of the running step as text, or "end"."""
        return self._phase

    def struck(self) -> bool:
        """Whether anything was struck or moved yet."""
        return self._struck

    # --- sentences ----------------------------------------------------------------------------------------------------

    def step_begun(self, index: int) -> None:
        """A sentence begins. Feeds every hold, so it raises what `wait_until` raises."""
        self._phase = str(index)
        self.unknowns.clear()
        text = self.about.steps[index][1] if index < len(self.about.steps) else ""
        self.journal.write(events.STEP_BEGUN, index=index, text=text)
        self.feed()

    def step_ended(self, index: int, status: str, message: str | None = None) -> None:
        """A sentence ended: passed, failed, unknown, refused or aborted. What passed with a doubt is unknown."""
        if status == "passed" and self.unknowns:
            status, message = "unknown", self.unknowns[0]
        self.journal.write(events.STEP_ENDED, index=index, status=status, message=message)

    # --- the end ------------------------------------------------------------------------------------------------------

    def finish(self, error: BaseException | None = None) -> Ended:
        """Heal everything, wait until it is quiet, judge, compare with before, and let the estate go.

        Args:
            error: what ended the sentences, or None.
        """
        self._phase = "end"
        self.watches.end()
        return ending.end(self, error, self._begun_ns)

    def measure(self) -> None:
        """To be called before anything is struck or moved: everything that the scenario names is probed from now on.

        Raises:
            Refused: something of it is not good.
        """
        if not self._struck:
            self.nouns["workload"].watch_all()

    def before_change(self) -> None:
        """To be called before the first strike or operation: how the estate looks while it is whole."""
        self.measure()
        if self.before is None:
            self.before = self.picture()

    def moved(self) -> None:
        """Something was moved: from now on this drill is not one that touched nothing."""
        self._struck = True

    @property
    def measuring(self) -> bool:
        """Whether any noun was asked for, so that clients may be measuring."""
        return bool(self._nouns)

    def audit(self) -> None:
        """Write down whether any connection went around the links, while a cut is in force and somebody can tell."""
        inventory = self.ways.inventory()
        if inventory is not None and any("links" in hold.fault.needs for hold in self.holds.open):
            look = inventory.audit()
            self.journal.write(events.AUDIT, answer=look.answer, words=look.words, counts=dict(look.counts))

    def close(self) -> None:
        """Let everything go: connections, journal, and last the estate."""
        self.ask_no_more()
        self.journal.close()
        self.lock.release()

    def _tripped(self, watch: str, words: str) -> None:
        self.journal.write(events.TRIPPED, watch=watch, words=words)
        self.say(f"ABORT {watch}: {words}")

    def _nap(self) -> None:
        """Between two looks at one hold: the others are not to starve."""
        with contextlib.suppress(Exception):
            self.holds.feed()
        time.sleep(NAP_S)
