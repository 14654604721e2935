# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""How a drill ends: heal, quiet, judge, compare with before. Nothing that goes wrong in one of them stops the next.

The order matters. Healing comes first and waits for nothing. Measuring goes on until the estate is quiet, because a stall at
the healing is an outage too. Judging reads only what is on disk by then.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from drdrill.checkers.verdict import Judgement, Restoration, Result, Verdict
from drdrill.drill import baseline, probing
from drdrill.drill.about import Ended
from drdrill.drill.signals import Stopped, uninterrupted
from drdrill.errors import DrdrillError
from drdrill.journal import events
from drdrill.measure.strips import strips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.drill.drill import Drill
    from drdrill.drill.hold import Hold
    from drdrill.estate.model import Estate

T = TypeVar("T")


def recovery_s(estate: Estate) -> float:
    """How long the whole estate may take to be as it was: the longest recovery time of its databases; 30 s without any."""
    return max((d.recovery_s for d in estate.databases.values()), default=30.0)


def end(drill: Drill, error: BaseException | None, begun_ns: int) -> Ended:
    """Everything from the last sentence to the last line of the journal. Never raises for what the estate does."""
    with uninterrupted(drill.holds.still_open, drill.say) as heard:
        try:
            drill.journal.best_effort()
            left = _heal(drill, error)
            from_ns = time.monotonic_ns()
            if drill.struck():
                reason = _tried(
                    drill, "waiting until it is quiet", lambda: _quiet(drill, left, heard), "it could not be told"
                )
                _tried(drill, "reading back", lambda: _read_back(drill, heard), None)
                told = {"from_ns": from_ns, "to_ns": time.monotonic_ns(), "reason": reason}
                _tried(drill, "writing that it is quiet", lambda: drill.journal.write(events.DRILL_QUIET, **told), None)
            _tried(drill, "ending the measuring", lambda: _stop(drill), None)
            nothing: list[baseline.Difference] = []
            tables = _tried(drill, "removing the tables of this drill", lambda: _clean_up(drill), nothing)
            result, reasons, tried = _tried(drill, "judging", lambda: _judge(drill, error), _UNJUDGED)
            restoration = _tried(
                drill, "comparing with before", lambda: _restored(drill, left, tables), Restoration.UNKNOWN
            )
            _tried(drill, "letting the guardian go", lambda: _let_go(drill), None)
            seconds = round((time.monotonic_ns() - begun_ns) / 1e9, 3)
            last = {"result": str(result), "restoration": str(restoration), "seconds": seconds}
            _tried(drill, "writing the last line", lambda: drill.journal.write(events.DRILL_ENDED, **last), None)
            return Ended(result, restoration, reasons, drill.folder, tuple(heard), tried=tried)
        finally:
            drill.close()


_UNJUDGED: Final[tuple[Result, tuple[str, ...], bool]] = (
    Result.ABORTED,
    ("The drill could not be judged; its journal says why.",),
    False,
)


def _heal(drill: Drill, error: BaseException | None) -> Sequence[Hold]:
    if drill.holds.open:
        _tried(drill, "looking for what goes around", drill.audit, None)
        drill.say("HEAL everything that is open")
    # A missed promise ends the sentences, not the drill: its heal is the end that was planned.
    planned = error is None or isinstance(error, AssertionError)
    return drill.holds.heal_all("end" if planned else "abort")


def _quiet(drill: Drill, left: Sequence[Hold], heard: Sequence[str]) -> str:
    """Wait until the estate is as it was and its clients see it so, its recovery time is over, or somebody is in a hurry.

    An outage that is cut off by the end of the measuring has no length, and its objective no verdict. One whose probes or
    writers died can end no more, so nobody waits for it.
    """
    before = drill.before
    if left:
        return f"not waited for; not proven healed: {'; '.join(h.title for h in left)}"

    def quiet() -> str | None:
        if heard:
            return f"cut short by {heard[0]}"
        if before is not None and baseline.differences(drill.estate, before, drill.picture()):
            return None
        if _sees(drill) and any(o.good_ns is None for s in strips(drill.recording()) for o in s.outages):
            return None
        return "everything is as it was"

    within = recovery_s(drill.estate)
    return drill.wait_until(quiet, within, "the estate to be quiet") or f"not quiet after {within:g} s"


def _let_go(drill: Drill) -> None:
    """What the guardian did stands in its own journal, in this drill's folder; that it healed stands in both."""
    if drill.guardian is None:
        return
    for line in drill.guardian.end():
        if line["kind"] == events.GUARDIAN_HEALING:
            drill.journal.write(events.GUARDIAN_HEALING, **line["data"])


def _sees(drill: Drill) -> bool:
    """Whether clients are measuring, all of them."""
    return drill.measuring and not drill.nouns["workload"].worker_deaths("probes", "writes")


def _read_back(drill: Drill, heard: Sequence[str]) -> None:
    """What is judged over the whole drill needs every row once more."""
    if drill.measuring and not heard:
        drill.nouns["consistency"].read_back_at_end()


def _stop(drill: Drill) -> None:
    """End every measuring process."""
    if drill.measuring:
        drill.nouns["workload"].stop()


def _clean_up(drill: Drill) -> list[baseline.Difference]:
    """Drop what the drill made in databases; what is left of it. Its rows were read back by now."""
    left = drill.nouns["workload"].clean_up() if drill.measuring else ()
    return [baseline.Difference(what, "not there", words, command, certain=True) for what, words, command in left]


def _judge(drill: Drill, error: BaseException | None) -> tuple[Result, tuple[str, ...], bool]:
    """Judge what is on disk, and write it down. Of a drill that only probed also whether everything else works."""
    from drdrill.drill.judge import judge, write  # noqa: PLC0415 - numpy is behind it

    recording, why, tried = drill.recording(), _why(error), False
    judged = judge(recording, why)
    if drill.probes_only:
        result, reasons, tried = probing.outcome(recording, judged.reasons, why)
        judged = replace(judged, result=result, reasons=reasons)
    if judged.result is Result.REFUSED and drill.struck():
        # A strike that died in the middle left no `struck` in the journal. Nothing is proven; it was not nothing.
        judged = replace(judged, result=Result.ABORTED)
    if drill.journal.lost and (tried or judged.result is Result.MET):
        words = f"{len(drill.journal.lost)} events of its end could not be written, so nobody can check it."
        judged, tried = replace(judged, result=Result.INCONCLUSIVE, reasons=(words,)), False
    write(drill.journal, judged)
    return judged.result, judged.reasons, tried


def _why(error: BaseException | None) -> str | None:
    """Why the sentences ended early, as a sentence. A check that failed is no such error: it stands in the journal."""
    if error is None or isinstance(error, AssertionError):
        return None
    if isinstance(error, Stopped):
        return f"The drill was told to stop by {error}."
    if isinstance(error, KeyboardInterrupt):
        return "The drill was interrupted by Ctrl-C."
    if isinstance(error, DrdrillError):
        return _sentence(str(error))
    return _sentence(f"{type(error).__name__}: {error}")


def _sentence(words: str) -> str:
    words = words.strip() or "It ended without a reason"
    return words[0].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def _restored(drill: Drill, left: Sequence[Hold], tables: Sequence[baseline.Difference]) -> Restoration:
    """Whether the estate is whole again, from what is seen of it now."""
    before = drill.before
    if before is None or not drill.struck():
        return _told(drill, tables)
    after = drill.picture()
    found = [*baseline.differences(drill.estate, before, after), *tables]
    for hold in left:
        if not any(d.what == f"hold {hold.undo.hold}" for d in found):
            words = f"{hold.title} is not proven healed: {hold.words}"
            found.append(
                baseline.Difference(
                    f"hold {hold.undo.hold}", "not there", words, hold.undo.command, certain=hold.whole is False
                )
            )
    for words in baseline.moved(before, after):
        drill.journal.write(events.NOTE, words=words)
        drill.say(f"note: {words}")
    return _told(drill, baseline.with_causes(found, [hold.undo for hold in drill.holds.all]))


def _told(drill: Drill, found: Sequence[baseline.Difference]) -> Restoration:
    """What these differences come to, said and written down."""
    certain = any(d.certain for d in found)
    restoration = Restoration.RESIDUAL if certain else Restoration.UNKNOWN if found else Restoration.RESTORED
    for words in _grouped(found):
        drill.say(words)
    drill.journal.write(events.DRILL_RESTORED, restoration=str(restoration), differences=[d.as_json() for d in found])
    return restoration


def _grouped(found: Sequence[baseline.Difference]) -> list[str]:
    """One line for everything that is wrong in the same way: a dead supervisor is one thing, not one for each host."""
    same: dict[tuple[str, str | None], list[str]] = {}
    for difference in found:
        same.setdefault((difference.after, difference.command), []).append(difference.what)
    lines = (f"not as before: {', '.join(what)}: {after}" for (after, _), what in same.items())
    return [line + (f". Type: {command}" if command else "") for line, (_, command) in zip(lines, same, strict=True)]


def as_before(found: Sequence[baseline.Difference], within_s: float, compared: baseline.Picture) -> Judgement:
    """The verdict of the sentence `the estate is as it was before`, after it was compared with that picture. Pure."""
    well = [
        name
        for kind in (compared.hosts, compared.databases, compared.addresses)
        for name, look in kind.items()
        if look.answer is True
    ]
    saw = {"looks": len(well)}
    if not found:
        words = f"Everything that was well before is well again: {', '.join(well)}."
        return Judgement("baseline", "the estate is as it was", Verdict.PASS, words, {"differences": 0}, saw=saw)
    verdict = Verdict.FAIL if any(d.certain for d in found) else Verdict.UNKNOWN
    words = f"After {within_s:g} s the estate is not as it was: {'; '.join(map(str, found))}."
    return Judgement("baseline", "the estate is as it was", verdict, words, {"differences": len(found)}, saw=saw)


def _tried(drill: Drill, what: str, act: Callable[[], T], otherwise: T) -> T:
    """Do it; if it fails, say so and go on. A drill that stops half-way through its end leaves a lock, or worse."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - the end of a drill goes on, whatever one part of it does
        words = f"{what} failed: {type(error).__name__}: {error}"
        drill.say(words)
        with contextlib.suppress(OSError):
            drill.journal.write(events.NOTE, words=words)
        return otherwise
