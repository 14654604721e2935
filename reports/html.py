# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One file that says what happened in a drill, for a board in the morning and an engineer at night.

No script, no font, no picture, and no address is loaded: the file is whole in itself, and says so in its own policy.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from drdrill.journal import events
from drdrill.journal.journal import FILE_NAME
from drdrill.reports import account, figures, guardian, objectives, proof, svg, tables, timeline
from drdrill.reports.drawing import Bars, Strip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.journal.recording import Recording
    from drdrill.reports.drawing import Axis, Drawing

NAME = "report.html"
MOST_WITNESSES = 50
_ABOUT = ("drill", "estate", "links", "lab_flaws", "feature", "description", "tags", "versions")
"""What the template asks of a drill's beginning; all of it is unknown when not even that was recorded."""


def write(recording: Recording, out: Path) -> Path:
    """Write the report of a recording to `out` and return it. The file appears whole or not at all."""
    text = render(recording)
    part = out.with_name(out.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(out)
    return out


def render(recording: Recording) -> str:
    """The report as text."""
    drawing = timeline.draw(recording)
    about = dict.fromkeys(_ABOUT) | dict(recording.about)
    wrote = objectives.writes(recording)
    return _template().render(
        about=about,
        begun=bool(recording.about),
        language=str(about.get("language") or "en"),
        title=about.get("title") or recording.folder.name,
        result=account.result(recording),
        restoration=account.restoration(recording),
        differences=_differences(recording),
        promises=objectives.promises(recording),
        writes=wrote,
        drawing=drawing,
        axis=drawing.axis if drawing else None,
        legend=_legend(drawing),
        picture=Markup(svg.paint(drawing)) if drawing else "",  # noqa: S704 - svg escapes every text that it is given
        moments=tables.moments(recording, drawing.axis) if drawing else [],
        intervals=list(tables.intervals(recording, drawing.axis)) if drawing else [],
        written=tables.written(drawing) if drawing else ([], []),
        sentences=account.sentences(recording),
        outages=[e.data for e in recording.journal.of(events.OUTAGE)],
        checks=_checks(recording),
        assumptions=[{"saw": None, **e.data} for e in recording.journal.of(events.ASSUMPTION)],
        not_asked=account.not_asked(recording),
        readbacks=[e.data for e in recording.journal.of(events.READBACK)],
        blows=[_blow(b, drawing.axis) for b in account.blows(recording)] if drawing else [],
        operations=recording.timeline.operations,
        guardian=guardian.told(recording),
        notes=account.notes(recording),
        environment=_environment(recording),
        chain=_chain(recording),
        files=_files(recording),
        folder=str(recording.folder),
        journal_name=FILE_NAME,
    )


@functools.cache
def _template() -> Template:
    """The template, with autoescape on: sentences, messages and keys come from outside and may hold anything."""
    folder = resources.files("drdrill.reports") / "templates"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        code=_code,
        counts=_counts,
        count=figures.count,
        span=figures.span,
        promise=figures.promise,
        plural=figures.plural,
        relative=figures.relative,
        saw=figures.saw,
        sentence=figures.sentence,
        paragraphs=figures.paragraphs,
    )
    environment.globals.update(
        bounds=figures.bounds,
        clock=figures.clock,
        style=Markup((folder / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )
    return environment.from_string((folder / "report.html.j2").read_text(encoding="utf-8"))


def _code(text: object) -> Markup:
    """Escape a text, and set what stands between backticks as something to type."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def _legend(drawing: Drawing | None) -> set[str]:
    """Which forms occur in the picture; only those are explained."""
    if drawing is None:
        return set()
    rows = [row for group in drawing.groups for row in group.rows]
    bars = [row for row in rows if isinstance(row, Bars)]
    strips = [row for row in rows if isinstance(row, Strip)]
    occurs = {
        "shade": drawing.faults,
        "strips": [s for s in strips if s.kind != "claims"],
        "claims": [s for s in strips if s.kind == "claims"],
        "unjudged": [s for s in strips if s.unjudged],
        "bars": bars,
        "paused": [b for b in bars if b.pauses],
    }
    return {name for name, found in occurs.items() if found}


def _differences(recording: Recording) -> list[Mapping[str, Any]]:
    compared = recording.journal.last(events.DRILL_RESTORED)
    return list(compared.data.get("differences") or ()) if compared else []


def _checks(recording: Recording) -> list[dict[str, Any]]:
    """The checks in the order in which they were first asked; asked again with the same answer, they are told once."""
    found: dict[str, dict[str, Any]] = {}
    for event in recording.journal.of(events.CHECK):
        data = event.data
        same = json.dumps([data["check"], data["title"], data["verdict"], data["message"], data.get("witnesses")])
        phase = str(data.get("phase", "end"))
        asked = f"at sentence {int(phase) + 1}" if phase.isdigit() else "over the whole drill"
        if same in found:
            found[same]["asked"] += f" and {asked}"
            continue
        shown = [str(w) for w in (data.get("witnesses") or ())[:MOST_WITNESSES]]
        total = int(data.get("witnesses_total") or len(shown))
        prose = any(" " in w for w in shown)
        found[same] = {
            "saw": None,
            **data,
            "shown": shown,
            "prose": prose,
            "hidden": max(0, total - len(shown)),
            "total": total,
            "asked": asked,
        }
    return list(found.values())


def _counts(counts: Mapping[str, Any], saw: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """What a check counted, as pairs of a name and a figure; names that end in `_s` are seconds."""
    rows = []
    for key, value in counts.items():
        # What it saw stands in a line of its own.
        if value in ("", None) or (saw or {}).get(key) == value:
            continue
        seconds = key.endswith("_s") and isinstance(value, int | float)
        name = key.removesuffix("_s") if seconds else key
        figure = (
            figures.promise(value)
            if seconds
            else figures.count(value)
            if isinstance(value, int | float)
            else str(value)
        )
        rows.append((name.replace("_", " "), figure))
    return rows


def _blow(blow: account.Blow, axis: Axis) -> dict[str, Any]:
    looks = [
        (figures.relative(axis.at(e.t)), e.data["question"].replace("_", " "), e.data["answer"], e.data.get("words") or "",
         ", ".join(f"{k} {v}" for k, v in (e.data.get("counts") or {}).items()))
        for e in blow.of(events.FAULT_LOOKED)
    ]  # fmt: skip
    commands = [e.data["command"] for e in blow.of(events.FAULT_RESIDUAL) if e.data.get("command")]
    return {
        "title": blow.title,
        "fault": blow.fault,
        "proof": proof.life(blow, axis),
        "looks": looks,
        "commands": commands,
    }


def _environment(recording: Recording) -> list[tuple[str, str]]:
    """Where the drill ran and with what, as pairs; nested figures are flattened."""
    about = recording.about
    rows: list[tuple[str, str]] = []
    for key, name in (("estate", "Estate"), ("estate_file", "Estate file"), ("lab", "Lab"), ("links", "Links")):
        if about.get(key):
            rows.append((name, str(about[key])))
    if about.get("lab_flaws"):
        rows.append(("Flaws of the lab", ", ".join(map(str, about["lab_flaws"]))))
    if about.get("file"):
        rows.append(("Feature file", f"{about['file']}:{about.get('line') or 1}"))
    ended = recording.journal.last(events.DRILL_ENDED)
    if ended is not None:
        rows.append(("The drill took", figures.span(ended.data["seconds"])))
    for group in ("versions", "machine"):
        for key, value in (about.get(group) or {}).items():
            words = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
            rows.append((str(key).replace("_", " "), words))
    return rows


def _chain(recording: Recording) -> tuple[str, str]:
    """The state of the journal's chain (intact, torn, broken) and a sentence about it."""
    journal = recording.journal
    events_ = figures.plural(len(journal.events), "event")
    if journal.broken:
        return "broken", f"The chain does not hold: {journal.broken}. The {events_} before that place are intact."
    if journal.torn:
        return "torn", f"The writer died in the middle of an event: {journal.torn}. The {events_} before it are intact."
    return "intact", f"{events_}; each carries the hash of the one before, and all of them hold."


def _files(recording: Recording) -> list[tuple[str, str, str, str]]:
    """Name, kind, records and state of each file that this report was made from."""
    rows = []
    head = recording.folder / FILE_NAME
    if head.exists():
        last = recording.journal.events[-1].hash if recording.journal.events else "none"
        rows.append((FILE_NAME, "journal", figures.count(len(recording.journal.events)), f"last hash {last}"))
    for name, stream in sorted(recording.streams.items()):
        state = f"torn: {stream.torn}" if stream.torn else "whole"
        rows.append((f"data/{name}.bin", str(stream.head.get("kind", "")), figures.count(len(stream.records)), state))
    return rows
