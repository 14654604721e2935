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
from drdrill.journal.records import Done
from drdrill.reports import figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.journal.journal import Event
    from drdrill.journal.recording import Recording

_RANK: Final = {"pass": 0, "unknown": 1, "fail": 2}

MEANINGS: Final = {
    "met": "Every check passed, every objective was met, and every assumption held.",
    "missed": "A check failed, or an objective was not met.",
    "inconclusive": "Nothing failed, but not everything was proven.",
    "aborted": "The drill had to stop before it could be judged.",
    "refused": "The drill was not allowed to start. Nothing was struck or moved.",
    "restored": "The estate is proven to be as it was before the drill.",
    "residual": "Something is not as it was before the drill. The commands below put it right.",
    "unknown": "It is not proven that the estate is as it was before the drill.",
}


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
class Promise:
    """The objective of one service against the outage that came nearest to it, or went farthest beyond.

    `lower_s` and `upper_s` are None when no outage was judged; `words` says what there is instead.
    """

    service: str
    objective_s: float
    lower_s: float | None
    upper_s: float | None
    verdict: str
    words: str
    detail: str
    outages: int = 0


@dataclass(frozen=True)
class Writes:
    """What became of the writes. `lost` is None when it was not judged."""

    acknowledged: int
    failed: int
    unknown: int
    unsent: int
    lost: int | None
    verdict: str
    promised: str
    words: str


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


def count_of(answers: Sequence[Mapping[str, Any]]) -> str:
    """`5 looks: 4 yes, 1 unknown`."""
    names = {True: "yes", False: "no", None: "unknown"}
    parts = [f"{n} {word}" for value, word in names.items() if (n := sum(a["answer"] is value for a in answers))]
    return f"{figures.plural(len(answers), 'look')}: {', '.join(parts)}" if answers else "no look was recorded"


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
        return Ending(compared.data["restoration"], tuple(_compared(compared.data.get("differences") or ())))
    return Ending(
        "unknown",
        (
            "No comparison with the state before the drill was recorded. Type `drdrill recover`: it heals what may still be "
            "broken and says what it found.",
        ),
    )


def _compared(differences: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is not as it was: things to put right, and things that only moved."""
    for broken, words in ((True, "To put right"), (False, "Reported, nothing to put right")):
        named = [
            f"{d['what']} ({d['before']}, now {d['after']})" for d in differences if bool(d.get("command")) is broken
        ]
        if named:
            yield f"{words}: {'; '.join(named)}."


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
        "What was recorded up to then is shown below."
    )


# --- objectives ------------------------------------------------------------------------------------------------------


def promises(recording: Recording) -> list[Promise]:
    """One for each service whose objective is known, with its worst judged outage."""
    known = (recording.about.get("objectives") or {}).get("services") or {}
    return [_promise(recording, name, float(objective["rto_s"])) for name, objective in known.items()]


def _promise(recording: Recording, service: str, objective_s: float) -> Promise:
    judged = [e.data for e in recording.journal.of(events.OUTAGE) if e.data["service"] == service and e.data["judged"]]
    if judged:
        worst = max(judged, key=lambda o: (_RANK[o["verdict"]], float("inf") if o["upper_s"] is None else o["upper_s"]))
        told = [f"seen from {'the clients' if worst['strip'] == 'client' else worst['strip']}"]
        if worst.get("cause_title"):
            told.append(f"after: {worst['cause_title']}")
        if len(judged) > 1:
            told.append(f"the worst of {len(judged)} outages")
        words = figures.bounds(worst["lower_s"], worst["upper_s"])
        return Promise(
            service,
            objective_s,
            worst["lower_s"],
            worst["upper_s"],
            worst["verdict"],
            words,
            "; ".join(told),
            len(judged),
        )
    probes = [e.data["stream"] for e in recording.journal.of(events.PROBES_STARTED) if e.data["service"] == service]
    seen = sum(len(recording.streams[name].records) for name in probes if name in recording.streams)
    if not seen:
        return Promise(service, objective_s, None, None, "unknown", "not measured", "no probe of it was recorded")
    if recording.journal.last(events.DRILL_JUDGED) is None:
        return Promise(
            service, objective_s, None, None, "unknown", "not judged", f"{figures.count(seen)} attempts recorded"
        )
    verdict = _named_verdict(recording, "objectives", service)
    return Promise(service, objective_s, None, None, verdict, "no outage seen", f"{figures.count(seen)} attempts")


def _named_verdict(recording: Recording, check: str, service: str) -> str:
    """What the check of the objectives said where it names no outage; unknown when there was none."""
    said = [e.data for e in recording.journal.of(events.CHECK) if e.data["check"].startswith(check)]
    own = [c for c in said if service in c["message"] or service in c["title"]] or said
    return max((str(c["verdict"]) for c in own), key=_RANK.__getitem__, default="unknown")


def writes(recording: Recording) -> Writes | None:
    """What became of all writes; None when the drill wrote nothing."""
    started = [e.data for e in recording.journal.of(events.WRITES_STARTED)]
    if not started:
        return None
    done = {outcome: 0 for outcome in Done}
    for entry in started:
        stream = recording.streams.get(entry["stream"])
        if stream is not None:
            for outcome in Done:
                done[outcome] += int((stream.records["outcome"] == outcome).sum())
    check = _worst_check(recording, "lost_write")
    counts = check["counts"] if check else {}
    lost = counts.get("lost")
    objectives = (recording.about.get("objectives") or {}).get("databases") or {}
    rpo = max((float(d["rpo_s"]) for d in objectives.values()), default=0.0)
    return Writes(
        acknowledged=int(counts.get("acknowledged", done[Done.OK])),
        failed=done[Done.FAIL],
        unknown=int(counts.get("unknown", done[Done.UNKNOWN])),
        unsent=done[Done.UNSENT],
        lost=None if lost is None else int(lost),
        verdict=check["verdict"] if check else "unknown",
        promised="nothing that was acknowledged is lost"
        if rpo == 0
        else f"at most {figures.promise(rpo)} of writes lost",
        words=check["message"] if check else "Whether an acknowledged write was lost was not judged.",
    )


def _worst_check(recording: Recording, name: str) -> Mapping[str, Any] | None:
    said = [e.data for e in recording.journal.of(events.CHECK) if e.data["check"] == name]
    return max(reversed(said), key=lambda c: _RANK[c["verdict"]], default=None)


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
    found += [str(e.data["words"]) for e in recording.journal.of(events.NOTE)]
    found += [
        f"Sentence {e.data['index'] + 1} was run by a step of the team, {e.data['by']}, in place of the shipped one."
        for e in recording.journal.of(events.STEP_OVERRIDDEN)
    ]
    found += [f"{name}: {s.torn}" for name, s in recording.streams.items() if s.torn]
    return list(dict.fromkeys(found))


def _cuts_power(fault: str) -> bool:
    """Whether a fault, by its name in the journal, takes power away: site-lost, host-loses-power and their kin."""
    return "power" in fault.lower() or fault.lower().endswith("lost")
