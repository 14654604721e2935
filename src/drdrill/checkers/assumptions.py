# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every verdict leans on. An assumption that does not hold turns met into inconclusive, and nothing else. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from drdrill.checkers.check import some
from drdrill.checkers.controls import probes_know_wrong, probes_saw_the_cut
from drdrill.checkers.schedules import probes_kept_schedule, writers_kept_schedule
from drdrill.checkers.verdict import Judgement, Verdict, worst
from drdrill.journal import events
from drdrill.journal.records import Done, intents_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.journal.journal import Event
    from drdrill.journal.recording import Recording, Strike

BEFORE_NS: Final = 2_000_000_000
"""The writers are looked at in the 2 s before each strike and each operation."""
SHARE: Final = 0.8


def assumptions(recording: Recording, checks: Sequence[Judgement]) -> tuple[Judgement, ...]:
    """Every assumption that applies to this drill."""
    found = [
        probes_kept_schedule(recording), writers_kept_schedule(recording), probes_know_wrong(recording),
        written_before(recording), took_hold(recording), held(recording), probes_saw_the_cut(recording),
        nothing_went_around(recording), never_slept(recording), no_check_crashed(checks),
    ]  # fmt: skip
    return tuple(a for a in found if a is not None)


def written_before(recording: Recording) -> Judgement | None:
    """80 % of the writes due in the 2 s before each strike or operation were acknowledged, at each site not struck yet."""
    writers = [e.data for e in recording.journal.of(events.WRITES_STARTED)]
    line = recording.timeline
    changes = [(s.first_ns, s.title) for s in line.strikes] + [(o.first_ns, o.title) for o in line.operations]
    if not writers or not changes:
        return None
    title = "writes were acknowledged before each strike and operation"
    verdicts, wrong, looked, due, acked = [], [], 0, 0, 0
    least: tuple[float, str] = (1.0, "")
    for at, what in sorted(changes):
        for writer in writers:
            if any(
                writer["site"] in s.sites and s.first_ns < at and not (s.healed_ns and s.healed_ns < at)
                for s in line.strikes
            ):
                continue
            n, ok = _due_and_acknowledged(recording, writer["stream"], at)
            looked, due, acked = looked + 1, due + n, acked + ok
            if n:
                least = min(least, (ok / n, f"at {writer['site']} before {what}"))
            verdicts.append(Verdict.UNKNOWN if not n else Verdict.PASS if ok >= SHARE * n else Verdict.FAIL)
            if verdicts[-1] is not Verdict.PASS:
                wrong.append(f"{ok} of {n} at {writer['site']} before {what}")
    counts: dict[str, int | float | str] = {"looked": looked, "due": due, "acknowledged": acked}
    saw = {"operations": due}
    if due:
        counts |= {"percent": _percent(acked / due), "least_percent": _percent(least[0])}
    if wrong:
        words = f"In the 2 s before, fewer than 80 % of the writes that were due were acknowledged: {'; '.join(wrong)}."
        return Judgement("written_before", title, worst(verdicts), words, counts, tuple(wrong), saw)
    each = some(len(changes), "strike or operation", "strikes and operations")
    fewest = f"; fewest {least[1]}, {counts['least_percent']} %" if least[1] else ""
    words = f"In the 2 s before each of {each} {acked:,d} of {due:,d} writes were acknowledged, {counts.get('percent')} %{fewest}."
    return Judgement("written_before", title, worst(verdicts), words, counts, saw=saw)


def _percent(share: float) -> int:
    """Rounded down: nothing measured is rounded in our favour."""
    return math.floor(100 * share)


def _due_and_acknowledged(recording: Recording, stream: str, at: int) -> tuple[int, int]:
    intents, operations = recording.streams.get(intents_of(stream)), recording.streams.get(stream)
    if intents is None or operations is None:
        return 0, 0
    due = intents.records["due"]
    ok = operations.records[operations.records["outcome"] == Done.OK]["due"]
    return int(((due >= at - BEFORE_NS) & (due < at)).sum()), int(((ok >= at - BEFORE_NS) & (ok < at)).sum())


def took_hold(recording: Recording) -> Judgement | None:
    """Every fault was proven to be in force after its strike."""
    strikes = recording.timeline.strikes
    if not strikes:
        return None
    title = "every fault took hold"
    looks = {s.hold: _looks(recording, s.hold, "took_hold") for s in strikes}
    answers = [(s.title, s.took_hold, _told(looks[s.hold])) for s in strikes]
    seen = "; ".join(f"{s.title}: {_told(looks[s.hold])}" for s in strikes)
    good = f"{some(len(strikes), 'fault')} proven in force after the strike. {seen[:1].upper()}{seen[1:]}."
    saw = {"looks": sum(map(len, looks.values()))}
    bad, doubt = "did not take hold", "is not proven to have taken hold"
    return _each("took_hold", title, answers, good=good, bad=bad, doubt=doubt, saw=saw)


def held(recording: Recording) -> Judgement | None:
    """Every fault was in force until its heal was asked for."""
    strikes = [s for s in recording.timeline.strikes if s.took_hold is not False]
    if not strikes:
        return None
    answers: list[tuple[str, bool | None, str]] = []
    looks = {s.hold: _looks(recording, s.hold, "held") for s in strikes}
    for s in strikes:
        if s.lapsed_ns is not None:
            after = (s.lapsed_ns - s.last_ns) / 1e9
            answers.append((s.title, False, f"it lapsed {after:.1f} s after its strike, before its heal was asked for"))
        elif s.healing_ns is None:
            answers.append((s.title, None, "the recording ends while it is in force"))
        elif s.looks:
            answers.append((s.title, s.held, _told(looks[s.hold])))
        else:
            answers.append((s.title, None, "nobody looked"))
    longest_s = max(_longest_unlooked(s, looks[s.hold]) for s in strikes)
    n = sum(s.looks for s in strikes)
    seen = "; ".join(f"{s.title}: {_told(looks[s.hold])}" for s in strikes)
    good = (
        f"{some(len(strikes), 'fault')} held until the heal, seen in {some(n, 'look')}, "
        f"at most {math.ceil(10 * longest_s) / 10:.1f} s apart. {seen[:1].upper()}{seen[1:]}."
    )
    title, doubt = "every fault was held", "is not proven to have been held"
    found = _each("held", title, answers, good=good, bad="was not held", doubt=doubt, saw={"looks": n})
    return replace(found, counts={**found.counts, "longest_unlooked_s": round(longest_s, 3)})


def _each(
    name: str,
    title: str,
    answers: Sequence[tuple[str, bool | None, str]],
    *,
    good: str,
    bad: str,
    doubt: str,
    saw: dict[str, int],
) -> Judgement:
    verdicts = [{True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.UNKNOWN}[a] for _, a, _ in answers]
    wrong = [
        f"the fault ({what}) {bad if a is False else doubt}: {words}" for what, a, words in answers if a is not True
    ]
    counts: dict[str, int | float | str] = {"faults": len(answers), "proven": len(answers) - len(wrong)}
    text = ". ".join(w[0].upper() + w[1:] for w in wrong).rstrip(".") + "." if wrong else good
    return Judgement(name, title, worst(verdicts), text, counts, tuple(wrong), saw)


def _looks(recording: Recording, hold: str, question: str) -> list[Event]:
    """Every look at a hold with this question."""
    looks = recording.journal.of(events.FAULT_LOOKED)
    return [e for e in looks if e.data["hold"] == hold and e.data["question"] == question]


def _told(looks: Sequence[Event]) -> str:
    """The words of the worst look, of equal ones the last."""
    rank = {False: 0, None: 1, True: 2}
    worst_look = min(reversed(looks), key=lambda e: rank[e.data["answer"]], default=None)
    return "nobody looked" if worst_look is None else str(worst_look.data["words"]).rstrip(".")


def _longest_unlooked(strike: Strike, looks: Sequence[Event]) -> float:
    """Seconds: the longest time between the strike, each look at it and its heal."""
    end = strike.healing_ns or strike.lapsed_ns or strike.last_ns
    at = [strike.last_ns, *(e.t for e in looks if e.t <= end), end]
    return max(b - a for a, b in pairwise(at)) / 1e9


def nothing_went_around(recording: Recording) -> Judgement | None:
    """No unexplained connection went around a cut, where somebody looked: events `audit`, and counts `unexplained` of looks."""
    audits: list[tuple[bool | None, str]] = [
        (e.data["answer"], e.data["words"]) for e in recording.journal.of(events.AUDIT)
    ]
    for event in recording.journal.of(events.FAULT_LOOKED):
        if "unexplained" in event.data.get("counts", {}):
            found = event.data["counts"]["unexplained"]
            audits.append(
                (
                    not found,
                    f"{some(int(found), 'unexplained connection')} beside the links of hold {event.data['hold']}",
                )
            )
    if not audits:
        return None
    verdict = worst({True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.UNKNOWN}[a] for a, _ in audits)
    wrong = tuple(dict.fromkeys(words for a, words in audits if a is not True))
    looks = sum(int(e.data.get("counts", {}).get("looks", 1)) for e in recording.journal.of(events.AUDIT))
    looks += sum("unexplained" in e.data.get("counts", {}) for e in recording.journal.of(events.FAULT_LOOKED))
    good = f"No connection went around the links, in {some(looks, 'look')}."
    text = f"Whether something went around a cut: {'; '.join(wrong)}." if wrong else good
    return Judgement(
        "nothing_went_around",
        "no unexplained connection went around a cut",
        verdict,
        text,
        {"unexplained": len(wrong)},
        wrong,
        {"looks": looks},
    )


def never_slept(recording: Recording) -> Judgement | None:
    """The machine that measures was awake: its clock stands still while it sleeps, and the estate goes on."""
    if not recording.streams:
        return None
    slept = [float(e.data["slept_s"]) for e in recording.journal.of(events.CLOCK) if e.data["slept_s"]]
    looks = len(recording.journal.events)
    counts: dict[str, int | float | str] = {"sleeps": len(slept), "slept_s": round(sum(slept), 1)}
    words = f"Its clocks were looked at {some(looks, 'time')}, with each event, and it never slept."
    if slept:
        words = f"The machine that measures slept for {sum(slept):.1f} s, and no figure has that time."
    verdict = Verdict.FAIL if slept else Verdict.PASS
    title = "the machine that measures never slept"
    return Judgement("never_slept", title, verdict, words, counts, saw={"looks": looks})


def no_check_crashed(checks: Sequence[Judgement]) -> Judgement | None:
    """Every check that was asked has judged."""
    if not checks:
        return None
    crashed = tuple(c.message for c in checks if c.counts.get("crashed"))
    verdict = Verdict.FAIL if crashed else Verdict.PASS
    text = " ".join(crashed) or f"{some(len(checks), 'judgement')}, none of a check that crashed."
    counts: dict[str, int | float | str] = {"crashed": len(crashed)}
    return Judgement(
        "no_check_crashed", "no check crashed", verdict, text, counts, crashed, {"judgements": len(checks)}
    )
