# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What was promised against what was measured, with the verdicts that the journal gives. Nothing is judged here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drdrill.journal import events
from drdrill.journal.records import Done, intents_of
from drdrill.reports import figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.journal.recording import Recording

_RANK: Final = {"pass": 0, "unknown": 1, "fail": 2}


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


def promises(recording: Recording) -> list[Promise]:
    """One for each service whose objective is known, with its worst judged outage."""
    known = (recording.about.get("objectives") or {}).get("services") or {}
    return [_promise(recording, name, float(objective["rto_s"])) for name, objective in known.items()]


def _promise(recording: Recording, service: str, objective_s: float) -> Promise:
    judged = [e.data for e in recording.journal.of(events.OUTAGE) if e.data["service"] == service and e.data["judged"]]
    if judged:
        worst = max(judged, key=lambda o: (_RANK[o["verdict"]], float("inf") if o["upper_s"] is None else o["upper_s"]))
        told = ["seen from the clients" if worst["strip"] == "client" else f"seen at the endpoint of {worst['strip']}"]
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
    done = dict.fromkeys(Done, 0)
    for entry in started:
        stream = recording.streams.get(entry["stream"])
        if stream is not None:
            for outcome in Done:
                done[outcome] += int((stream.records["outcome"] == outcome).sum())
            done[Done.UNKNOWN] += _unanswered(recording, entry["stream"])
    asked = _loss_checks(recording)
    known = [c["counts"] for c in asked if c["verdict"] != "unknown"]
    objectives = (recording.about.get("objectives") or {}).get("databases") or {}
    rpo = max((float(d["rpo_s"]) for d in objectives.values()), default=0.0)
    return Writes(
        acknowledged=sum(int(c["acknowledged"]) for c in known) if known else done[Done.OK],
        failed=done[Done.FAIL],
        unknown=sum(int(c["unknown"]) for c in known) if known else done[Done.UNKNOWN],
        unsent=done[Done.UNSENT],
        lost=sum(int(c["lost"]) for c in known) if known and len(known) == len(asked) else None,
        verdict=max((str(c["verdict"]) for c in asked), key=_RANK.__getitem__, default="unknown"),
        promised="nothing that was acknowledged is lost"
        if rpo == 0
        else f"at most {figures.promise(rpo)} of writes lost",
        words=" ".join(c["message"] for c in asked) or "Whether an acknowledged write was lost was not judged.",
    )


def _unanswered(recording: Recording, stream: str) -> int:
    """Writes that were meant and whose end was never recorded: their outcome is unknown."""
    meant = recording.streams.get(intents_of(stream))
    if meant is None:
        return 0
    return int((~np.isin(meant.records["seq"], recording.streams[stream].records["seq"])).sum())


def _loss_checks(recording: Recording) -> list[Mapping[str, Any]]:
    """What was said of lost writes, for each database the worst that was said, the last time that it was said.

    A check that could not look for the writes knows of none that is lost, and of none that is not: its counts are left out.
    """
    worst: dict[str, Mapping[str, Any]] = {}
    for event in recording.journal.of(events.CHECK):
        said, of = event.data, str(event.data["counts"].get("database", ""))
        if said["check"] == "lost_write" and (of not in worst or _RANK[said["verdict"]] >= _RANK[worst[of]["verdict"]]):
            worst[of] = said
    return list(worst.values())
