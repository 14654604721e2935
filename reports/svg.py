# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The drawing model as SVG, written by hand: it prints, it diffs, and it needs nothing.

Every state has a form of its own, so the picture is read without colour: good is a slim bar, bad a full block, not measured
a dotted line. Colours come from the style sheet of the report, by class.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Final

from drdrill.reports import figures, strips
from drdrill.reports.drawing import WIDTH, Bars, Strip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.reports.drawing import Axis, Band, Bracket, Drawing, Group, Segment

LEFT: Final = 196
"""The gutter for labels."""
RIGHT: Final = 16
_HEIGHT: Final = {"client": 22, "endpoint": 11, "claims": 11}
_SLIM: Final = {"client": 8, "endpoint": 4, "claims": 2}
_LEAST: Final = 2.0
"""A bad block is at least this wide, in pixels: one bad attempt of a long drill must be seen."""
_MOST_HOVERS: Final = 150
"""Strips that flap more often than this share one hover text, so that the file stays small."""


def paint(drawing: Drawing) -> str:
    """The whole picture, as one element that can stand in an HTML page."""
    canvas = _Canvas(drawing.axis)
    _bands(canvas, "Faults", "fault", drawing.faults)
    _bands(canvas, "Moves", "move", drawing.moves)
    _sentences(canvas, drawing)
    top = canvas.y
    for group in drawing.groups:
        _group(canvas, group)
    _ruler(canvas)
    behind = _behind(drawing, canvas, top)
    return (
        f'<svg class="timeline" role="img" aria-labelledby="timeline-title timeline-desc" '
        f'viewBox="0 0 {LEFT + WIDTH + RIGHT} {canvas.y:g}">'
        f'<title id="timeline-title">What happened when</title><desc id="timeline-desc">{escape(drawing.description)}</desc>'
        f"{_PATTERNS}{behind}{''.join(canvas.parts)}</svg>"
    )


_PATTERNS: Final = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="6" height="6"/><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/></pattern>'
    '<pattern id="veil" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line class="veil-line" x1="1" y1="0" x2="1" y2="5"/></pattern></defs>'
)
"""Hatched: writers were paused. Veiled: what lies under it is shown, not judged."""


@dataclass
class _Canvas:
    """Where the pen is."""

    axis: Axis
    y: float = 4.0
    parts: list[str] = field(default_factory=list)

    def x(self, seconds: float) -> float:
        """The horizontal place of an instant, held inside the picture."""
        share = (seconds - self.axis.from_s) / (self.axis.to_s - self.axis.from_s)
        return LEFT + min(max(share, 0.0), 1.0) * WIDTH

    def label(self, text: str, y: float, kind: str = "label", note: str = "") -> None:
        """A name in the gutter, with a quieter note behind it."""
        room = LEFT - 16 - (_width(note, 10) + 6 if note else 0)
        shown = _fit(text, room, 12)
        self.parts.append(f'<text class="{kind}" x="0" y="{y:g}">{escape(shown)}')
        self.parts.append(f"<title>{escape(text)}</title>" if shown != text else "")
        self.parts.append(f'<tspan class="note" dx="6">{escape(note)}</tspan></text>' if note else "</text>")

    def rect(self, kind: str, x: float, y: float, width: float, height: float, *, hover: str = "") -> None:
        """A rectangle of a class."""
        box = f'<rect class="{kind}" x="{x:.5g}" y="{y:g}" width="{width:.5g}" height="{height:g}"'
        self.parts.append(f"{box}><title>{escape(hover)}</title></rect>" if hover else f"{box}/>")


# --- faults, moves, sentences ----------------------------------------------------------------------------------------


def _bands(canvas: _Canvas, heading: str, kind: str, bands: Sequence[Band]) -> None:
    """Bars with their names, on as many lanes as overlapping needs."""
    if not bands:
        return
    lanes: list[float] = []
    places = []
    for band in bands:
        begin, end = canvas.x(band.from_s), canvas.x(band.to_s)
        width = max(end - begin, 3.0)
        name = band.title + (", lapsed" if band.lapsed else ", no end recorded" if band.open else "")
        named = _width(name, 11.5) + 12
        inside = named <= width
        text_x = begin + 6 if inside else begin + width + 5
        if not inside and text_x + named > LEFT + WIDTH:
            text_x = max(begin - named + 4, LEFT)
        low, high = min(begin, text_x), max(begin + width, text_x + named)
        lane = next((i for i, taken in enumerate(lanes) if taken <= low), len(lanes))
        lanes[lane : lane + 1] = [high + 6]
        places.append((band, name, begin, width, text_x, lane, "" if inside else " beside"))
    canvas.label(heading, canvas.y + 14, "heading")
    for band, name, begin, width, text_x, lane, beside in places:
        y = canvas.y + lane * 22
        extra = " lapsed" if band.lapsed else " open" if band.open else ""
        canvas.rect(f"{kind}-bar{extra}", begin, y, width, 19, hover=band.hover)
        canvas.parts.append(
            f'<text class="{kind}-name{beside}" x="{text_x:.5g}" y="{y + 13.5:g}">{escape(name)}</text>'
        )
    canvas.y += len(lanes) * 22 + 5


def _sentences(canvas: _Canvas, drawing: Drawing) -> None:
    """A number for each sentence, where it ran: it leads to the text below the picture."""
    if not drawing.sentences:
        return
    canvas.label("Sentences", canvas.y + 12, "heading")
    taken = 0.0
    for sentence in drawing.sentences:
        begin, end = canvas.x(sentence.from_s), canvas.x(sentence.to_s)
        width = max(end - begin - 1, 1.5)
        canvas.rect(f"sentence {escape(sentence.status)}", begin, canvas.y + 2, width, 13, hover=sentence.hover)
        number = str(sentence.number)
        x = begin + 3
        if width >= _width(number, 10) + 5 and x >= taken:
            canvas.parts.append(f'<text class="sentence-number" x="{x:.5g}" y="{canvas.y + 12:g}">{number}</text>')
            taken = x + _width(number, 10) + 3
    canvas.y += 22


# --- strips and bars -------------------------------------------------------------------------------------------------


def _group(canvas: _Canvas, group: Group) -> None:
    canvas.y += 8
    canvas.parts.append(f'<line class="rule" x1="0" x2="{LEFT + WIDTH}" y1="{canvas.y:g}" y2="{canvas.y:g}"/>')
    canvas.parts.append(f'<text class="heading" x="0" y="{canvas.y + 17:g}">{escape(group.heading)}</text>')
    canvas.y += 27
    for row in group.rows:
        if isinstance(row, Bars):
            _bars(canvas, row)
        else:
            _strip(canvas, row)


def _strip(canvas: _Canvas, strip: Strip) -> None:
    height, slim = _HEIGHT[strip.kind], _SLIM[strip.kind]
    if strip.brackets:
        canvas.y += 5
        _brackets(canvas, strip.brackets)
    middle = canvas.y + height / 2
    canvas.label(strip.label, middle + 4, "label strong" if strip.kind == "client" else "label", strip.note)
    canvas.parts.append(
        f'<line class="absent" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{middle:g}" y2="{middle:g}">'
        "<title>not measured, or silent</title></line>"
    )
    calm = "quiet" if strip.kind == "claims" else "good"
    loud = "claim" if strip.kind == "claims" else "bad"
    _blocks(canvas, calm, [s for s in strip.segments if s.state == strips.GOOD], middle - slim / 2, slim)
    _blocks(canvas, loud, [s for s in strip.segments if s.state == strips.BAD], canvas.y, height)
    for from_s, to_s in strip.unjudged:
        begin = canvas.x(from_s)
        words = f"not judged from {figures.relative(from_s)} to {figures.relative(to_s)}: this site was struck"
        canvas.rect("unjudged", begin, canvas.y, canvas.x(to_s) - begin, height, hover=words)
    canvas.y += height + 7


def _blocks(canvas: _Canvas, kind: str, segments: Sequence[Segment], y: float, height: float) -> None:
    least = _LEAST if kind in {"bad", "claim"} else 0.0
    if len(segments) > _MOST_HOVERS:
        path = "".join(
            f"M{LEFT + s.first} {y:g}h{max(s.after - s.first, least):g}v{height:g}H{LEFT + s.first}z" for s in segments
        )
        canvas.parts.append(
            f'<path class="{kind}" d="{path}"><title>{len(segments)} intervals: see the table</title></path>'
        )
        return
    for s in segments:
        canvas.rect(kind, LEFT + s.first, y, max(s.after - s.first, least), height, hover=s.hover)


def _brackets(canvas: _Canvas, brackets: Sequence[Bracket]) -> None:
    """The outages as they were judged, above the strip that they were judged on."""
    taken = 0.0
    y = canvas.y + 12
    for outage in brackets:
        begin, end = canvas.x(outage.from_s), max(canvas.x(outage.to_s), canvas.x(outage.from_s) + _LEAST)
        canvas.parts.append(
            f'<path class="bracket {escape(outage.verdict)}" d="M{begin:.5g} {y + 4:g}v-4H{end:.5g}v4">'
            f"<title>{escape(outage.hover)}</title></path>"
        )
        width = _width(outage.label, 11.5)
        x = min(max((begin + end - width) / 2, LEFT), LEFT + WIDTH - width)
        if x >= taken:
            canvas.parts.append(
                f'<text class="bracket-label {escape(outage.verdict)}" x="{x:.5g}" y="{y - 4:g}">{escape(outage.label)}</text>'
            )
            taken = x + width + 8
    canvas.y += 20


def _bars(canvas: _Canvas, bars: Bars) -> None:
    # The dotted line is what was due. After a stall writers catch up, and those bars are cut at the top of the row.
    full, height = 24.0, 31.0
    floor = canvas.y + height
    canvas.label(bars.label, floor - full / 2 + 4, note=bars.note)
    for from_s, to_s in bars.pauses:
        begin = canvas.x(from_s)
        words = f"paused on purpose from {figures.relative(from_s)} to {figures.relative(to_s)}; part of no outage"
        canvas.rect("paused", begin, canvas.y, max(canvas.x(to_s) - begin, _LEAST), height, hover=words)
    canvas.parts.append(f'<line class="floor" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{floor:g}" y2="{floor:g}"/>')
    canvas.parts.append(
        f'<line class="due" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{floor - full:g}" y2="{floor - full:g}"/>'
    )
    for i, (acknowledged, unanswered) in enumerate(zip(bars.acknowledged, bars.unanswered, strict=True)):
        begin = canvas.x(bars.from_s + i * bars.bin_s)
        width = canvas.x(bars.from_s + (i + 1) * bars.bin_s) - begin
        width -= 0.6 if width > 6 else 0  # noqa: PLR2004 - narrow bars stand side by side, so that a full row looks full
        if acknowledged:
            tall = min(max(round(acknowledged / bars.due * full, 2), 1.0), height)
            canvas.rect("acknowledged", begin, floor - tall, width, tall, hover=bars.hovers[i])
        if unanswered:
            canvas.rect("unanswered", begin, floor + 1.5, max(width, _LEAST), 4, hover=bars.hovers[i])
    canvas.y = floor + 14


# --- the axis, and what lies behind the strips -----------------------------------------------------------------------


def _ticks(axis: Axis, most: int = 11) -> list[float]:
    length = axis.to_s - axis.from_s
    step = next((s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600) if length / s <= most), 7200)
    first = math.ceil(axis.from_s / step)
    return [i * step for i in range(first, math.floor(axis.to_s / step) + 1)]


def _ruler(canvas: _Canvas) -> None:
    y = canvas.y + 2
    canvas.parts.append(f'<line class="axis" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y:g}" y2="{y:g}"/>')
    canvas.label("From the first strike" if "strike" in canvas.axis.zero_is else "From zero", y + 17, "axis-name")
    canvas.label("Wall clock, UTC", y + 33, "axis-name")
    taken = 0.0
    for second in _ticks(canvas.axis):
        x = canvas.x(second)
        wall = figures.clock(canvas.axis.zero_wall + timedelta(seconds=second), 0)
        canvas.parts.append(
            f'<line class="axis" x1="{x:.5g}" x2="{x:.5g}" y1="{y:g}" y2="{y + 4:g}"/>'
            f'<text class="tick" x="{x:.5g}" y="{y + 17:g}">{figures.tick(second)}</text>'
        )
        if x - 26 >= taken and x + 26 <= LEFT + WIDTH + RIGHT:
            canvas.parts.append(f'<text class="tick wall" x="{x:.5g}" y="{y + 33:g}">{wall}</text>')
            taken = x + 30
    canvas.y = y + 42


def _behind(drawing: Drawing, canvas: _Canvas, top: float) -> str:
    """Faults shade everything that happened while they were in force; fine lines lead down to the axis."""
    floor = canvas.y - 40
    parts = []
    for second in _ticks(drawing.axis):
        x = canvas.x(second)
        parts.append(f'<line class="grid" x1="{x:.5g}" x2="{x:.5g}" y1="{top:g}" y2="{floor:g}"/>')
    for band in drawing.faults:
        x, end = canvas.x(band.from_s), canvas.x(band.to_s)
        parts.append(f'<rect class="shade" x="{x:.5g}" y="0" width="{max(end - x, 1):.5g}" height="{floor:g}"/>')
    for band in (*drawing.faults, *drawing.moves):
        x = canvas.x(band.from_s)
        parts.append(f'<line class="moment" x1="{x:.5g}" x2="{x:.5g}" y1="4" y2="{floor:g}"/>')
    return "".join(parts)


def _width(text: str, size: float) -> float:
    """About how wide a text is: a full-width character takes a whole em, others a little more than half of one."""
    ems = sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.55 for c in text)
    return ems * size


def _fit(text: str, room: float, size: float) -> str:
    """A text cut to a width, with an ellipsis."""
    while text and _width(text, size) > room:
        text = text[:-2] + "\u2026" if text.endswith("\u2026") else text[:-1] + "\u2026"
    return text
