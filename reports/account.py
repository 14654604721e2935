# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording says about its drill, arranged for people: result, promises, sentences, faults, notes.

Every report draws on this one account, so that terminal, JUnit and HTML can never disagree. Nothing is judged here: what
the journal does not say is given as not known, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.journal.journal import Event
    from drdrill.journal.recording import Recording

MEANINGS: Final = {
    "met": "Every check passed, every objective was met, and every assumption held.",
    "missed": "A check failed, or an objective was not met.",
    "inconclusive": "Nothing failed, but not everything was proven.",
    "aborted": "The drill had to stop before it could be judged.",
    "refused": "The drill was not allowed to start. Nothing was struck or moved.",
    "restored": "The estate is proven to be as it was before the drill.",
    "residual": "Something is not as it was before the drill. What it is and what to type stands under Restoration.",
    "unknown": "It is not proven that the estate is as it was before the drill.",
}


_NOT_COMPARED: Final = (
    "No comparison with the state before the drill was recorded. Type `drdrill recover`: it heals what may still be broken "
    "and says what it found."
)


@dataclass(frozen=True)
class Ending:
    """How the drill ended on one axis: the word, what the word means, and why it was given."""

    word: str
    reasons: tuple[str, ...]

    @property
    def meaning(self) -> str:
        """One sentence for those who do not know our words."""
        return MEANINGS.get(self.word, "")


@dataclass(frozen=True)
class Sentence:
    """One step. `begun_ns` and `seconds` are None for a sentence that was not run."""

    number: int
    keyword: str
    text: str
    line: int | None
    status: str
    begun_ns: int | None
    seconds: float | None
    message: str
    overridden: str = ""


@dataclass(frozen=True)
class Blow:
    """One fault, from plan to heal, with every look that proves it."""

    hold: str
    title: str
    fault: str
    targets: tuple[str, ...]
    why: str
    events: tuple[Event, ...] = field(repr=False)

    def of(self, *kinds: str) -> list[Event]:
        """Its events of these kinds."""
        return [e for e in self.events if e.kind in kinds]

    def looks(self, question: str) -> list[Mapping[str, Any]]:
        """What was seen each time that this question was asked."""
        return [e.data for e in self.of(events.FAULT_LOOKED) if e.data["question"] == question]


# --- the two axes ----------------------------------------------------------------------------------------------------


def result(recording: Recording) -> Ending:
    """How the drill ended, as it was judged; aborted, and why, when nobody lived to judge it."""
    judged = recording.journal.last(events.DRILL_JUDGED)
    if judged is not None:
        return Ending(judged.data["result"], tuple(judged.data.get("reasons") or ()))
    return Ending("aborted", (_unfinished(recording),))


def restoration(recording: Recording) -> Ending:
    """Whether the estate is as it was, as it was compared; unknown when it was not compared."""
    compared = recording.journal.last(events.DRILL_RESTORED)
    if compared is not None:
        word = compared.data["restoration"]
        return Ending(word, _compared(word, compared.data.get("differences") or ()))
    return Ending("unknown", (_NOT_COMPARED,))


def _compared(restoration: str, differences: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What is not as it was, in one sentence."""
    words = {"residual": "Not as it was", "unknown": "Could not be told, or not as it was"}.get(restoration, "Reported")
    told = [f"{d['what']} (before: {d['before']}; now: {d['after']})" for d in differences]
    return (f"{words}: {'; '.join(told)}.",) if told else ()


def _unfinished(recording: Recording) -> str:
    journal = recording.journal
    if not journal.events:
        return "The journal holds not one readable event, so nothing is known of this drill."
    last = journal.events[-1]
    at = f"{last.wall[11:23]} UTC, after event {last.n} ({last.kind})"
    if journal.broken:
        return f"The chain of the journal is broken: what was recorded after {at} cannot be trusted and is not shown."
    return (
        f"The journal ends at {at} and holds no judgement: the drill was killed, or it is still running. "
        "What was recorded up to then is all that is known."
    )


# --- sentences, faults, notes ----------------------------------------------------------------------------------------


def sentences(recording: Recording) -> list[Sentence]:
    """Every step of the scenario in order, also those that were not run."""
    journal = recording.journal
    begun = {e.data["index"]: e for e in journal.of(events.STEP_BEGUN)}
    ended = {e.data["index"]: e for e in journal.of(events.STEP_ENDED)}
    instead = {e.data["index"]: str(e.data["by"]) for e in journal.of(events.STEP_OVERRIDDEN)}
    found = []
    for index, step in enumerate(recording.about.get("steps") or ()):
        start, end = begun.get(index), ended.get(index)
        status = end.data["status"] if end else "unfinished" if start else "not run"
        message = (end.data.get("message") or "") if end else ""
        found.append(
            Sentence(
                number=index + 1,
                keyword=str(step["keyword"]).strip(),
                text=str(step["text"]),
                line=step.get("line"),
                status=status,
                begun_ns=start.t if start else None,
                seconds=(end.t - start.t) / 1e9 if start and end else None,
                message=message,
                overridden=instead.get(index, ""),
            )
        )
    return found


def blows(recording: Recording) -> list[Blow]:
    """Every fault that was planned, in order."""
    found = []
    for planned in recording.journal.of(events.FAULT_PLANNED):
        data = planned.data
        own = tuple(e for e in recording.journal.events if e.data.get("hold") == data["hold"])
        found.append(
            Blow(
                hold=data["hold"],
                title=data["title"],
                fault=data["fault"],
                targets=tuple(str(t) for t in data.get("targets") or ()),
                why=data.get("why") or "",
                events=own,
            )
        )
    return found


def notes(recording: Recording) -> list[str]:
    """What a reader must know before trusting the figures: what this estate cannot show, and what went wrong around it."""
    about = recording.about
    found = []
    flaws = about.get("lab_flaws") or ()
    if flaws:
        found.append(
            f"This lab was made wrong on purpose ({', '.join(map(str, flaws))}), to show that a drill catches it. "
            "Its figures say nothing about a sound estate."
        )
    if about.get("links") == "user-space":
        found.append(
            "The links of this estate are user-space links: its supervisor carries every connection between hosts and freezes "
            "it. Kernel routing, firewalls, and address takeover were not part of this drill."
        )
    if about.get("lab") and any(_cuts_power(b.fault) for b in blows(recording)):
        found.append(
            "Power was cut by killing the processes of a host. The page cache of the machine beneath survives that, so data "
            "that was written but not synced to disk is still there afterwards; after a real power cut it would be gone."
        )
    if about.get("lab") and any(b.fault == "host-frozen" for b in blows(recording)):
        found.append(
            "A host was frozen by stopping its processes. The kernel beneath goes on accepting connections and bytes for them; "
            "a host whose own kernel hangs accepts none, so its clients notice it at other times."
        )
    found += [
        words[:1].upper() + words[1:]
        for e in recording.journal.of(events.NOTE, events.CLOCK)
        if (words := str(e.data["words"]))
    ]
    found += [
        f"Sentence {e.data['index'] + 1} was run by a step of the team, {e.data['by']}, in place of the shipped one."
        for e in recording.journal.of(events.STEP_OVERRIDDEN)
    ]
    found += [f"{name}: {s.torn}" for name, s in recording.streams.items() if s.torn]
    return list(dict.fromkeys(found))


_ASKED_WHEN: Final = {
    "probes_kept_schedule": "whether the probes kept their schedule: no probe ran",
    "writers_kept_schedule": "whether the writers kept their schedule: no writer ran",
    "written_before": "whether writes were acknowledged before: no writer ran, or nothing was struck or moved",
    "took_hold": "whether faults took hold: none was struck",
    "held": "whether faults were held: none was struck and took hold",
    "nothing_went_around": "whether a connection went around a cut: no link was cut, or nobody can tell here",
    "no_check_crashed": "whether a check crashed: none was asked",
}


def not_asked(recording: Recording) -> list[str]:
    """The assumptions that this drill did not look at, each with the reason; nothing where it was not judged at all."""
    found = {e.data["assumption"] for e in recording.journal.of(events.ASSUMPTION)}
    return [words for name, words in _ASKED_WHEN.items() if name not in found] if found else []


def _cuts_power(fault: str) -> bool:
    """Whether a fault, by its name in the journal, takes power away: site-lost, host-loses-power and their kin."""
    return "power" in fault.lower() or fault.lower().endswith("lost")
