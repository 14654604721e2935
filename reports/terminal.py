# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The closing lines on the terminal: what a person reads who has just watched the drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.journal import events
from drdrill.reports import account, figures, objectives

if TYPE_CHECKING:
    from drdrill.journal.recording import Recording

_LABEL = 14


def lines(recording: Recording) -> list[str]:
    """Result, restoration, each objective with its bounds, what failed and why, and where the report is."""
    ending, restored = account.result(recording), account.restoration(recording)
    title = recording.about.get("title") or recording.folder.name
    found = ["", f"{ending.word.upper()}: {title}"]
    said = ending.reasons or (ending.meaning,)
    found += [f"  {reason}" for reason in said]
    found.append(_line("estate", f"{restored.word}. {' '.join(restored.reasons) or restored.meaning}"))
    found += [_line("type", command) for command in _commands(recording)]
    found += [
        _line(
            p.service,
            f"away {p.words}" if p.outages else p.words,
            f"promised {figures.promise(p.objective_s)}",
            p.verdict,
        )
        for p in objectives.promises(recording)
    ]
    wrote = objectives.writes(recording)
    if wrote is not None:
        lost = "lost: not judged" if wrote.lost is None else f"{figures.count(wrote.lost)} lost"
        counts = f"{figures.count(wrote.acknowledged)} acknowledged, {lost}, {figures.count(wrote.unknown)} unknown"
        found.append(_line("writes", counts, "", wrote.verdict))
    for kind, word in ((events.CHECK, "check"), (events.ASSUMPTION, "assumption")):
        bad = {(e.data["message"], e.data["verdict"]): None for e in recording.journal.of(kind)}
        found += [_line(f"{word} {v}", message) for message, v in bad if v != "pass" and message not in said]
    found += _passed(recording)
    found.append(_line("report", str(recording.folder / "report.html")))
    return found


def _passed(recording: Recording) -> list[str]:
    """What stands behind each check of the whole drill that passed: how much it looked at. No green without a reason."""
    passed = [
        e.data for e in recording.journal.of(events.CHECK) if e.data["verdict"] == "pass" and e.data["phase"] == "end"
    ]
    return [_line("passed", f"{c['title']}: saw {figures.saw(c['saw'])}") for c in passed if c.get("saw")]


def _commands(recording: Recording) -> list[str]:
    """What a person can type to put right what is not as it was, each once."""
    compared = recording.journal.last(events.DRILL_RESTORED)
    differences = (compared.data.get("differences") or ()) if compared else ()
    residual = [e.data for e in recording.journal.of(events.FAULT_RESIDUAL)]
    return list(dict.fromkeys(str(d["command"]) for d in (*differences, *residual) if d.get("command")))


def _line(label: str, words: str, promised: str = "", verdict: str = "") -> str:
    ends = ", ".join(part for part in (promised, verdict) if part)
    return f"  {label:<{_LABEL}} {words}" + (f" ({ends})" if ends else "")
