# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The report: whole, honest, and safe, for each way in which a drill can end."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import drills
import pytest

from drdrill.drill.judge import judge
from drdrill.errors import BadInput
from drdrill.journal import events
from drdrill.journal.fake import Scene
from drdrill.journal.journal import FILE_NAME
from drdrill.journal.recording import load
from drdrill.reports import account, figures, html, write_all

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = (
    "promised",
    "timeline",
    "sentences",
    "checks",
    "assumptions",
    "faults",
    "restoration",
    "environment",
    "record",
)
VOID = {"meta", "link", "br", "img", "input", "hr", "rect", "line", "use", "path", "circle"}


class Page(HTMLParser):
    """Collects what a browser would see, and fails when elements are not nested."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"[ \n]+", " ", " ".join(self.words))


def page(folder: Path) -> tuple[str, Page]:
    (path,) = write_all(folder)
    assert path == folder / "report.html"
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


@pytest.mark.parametrize("name", drills.ALL)
def test_every_drill_gives_a_whole_page_with_every_section(name: str, tmp_path: Path) -> None:
    _, seen = page(drills.ALL[name](tmp_path / name))
    ids = [attrs.get("id") for _, attrs in seen.tags]
    assert [i for i in ids if i in SECTIONS] == list(SECTIONS)
    assert len([i for i in ids if i]) == len({i for i in ids if i})


@pytest.mark.parametrize("name", drills.ALL)
def test_the_file_loads_nothing_from_anywhere(name: str, tmp_path: Path) -> None:
    text, seen = page(drills.ALL[name](tmp_path / name))
    for tag, attrs in seen.tags:
        assert tag not in {"script", "link", "iframe", "object", "img"}
        for key, value in attrs.items():
            assert key not in {"src", "srcset", "data"}
            assert not key.startswith("on")
            if key.endswith("href"):
                assert value is not None
                assert value.startswith("#")
    style = text.split("<style>")[1].split("</style>")[0]
    assert "@import" not in style
    assert set(re.findall(r"url\(([^)]*)\)", style)) == {"#hatch", "#veil"}


@pytest.mark.parametrize(
    ("name", "result", "restoration"),
    [
        ("met", "met", "restored"),
        ("missed", "missed", "restored"),
        ("lapsed", "inconclusive", "restored"),
        ("killed", "aborted", "unknown"),
        ("refused", "refused", "restored"),
        ("residual", "aborted", "residual"),
    ],
)
def test_result_and_restoration_come_first_and_in_words(
    name: str, result: str, restoration: str, tmp_path: Path
) -> None:
    text, seen = page(drills.ALL[name](tmp_path / name))
    body = text[text.index("</header>") : text.index('id="promised"')]
    assert re.findall(r'<p class="word">.*?<span>(\w+)</span>', body) == [result, restoration]
    assert f"{result.capitalize()}, {restoration}:" in seen.text


def test_lost_keys_are_shown_escaped_and_the_rest_is_counted(tmp_path: Path) -> None:
    text, seen = page(drills.missed(tmp_path / "missed"))
    assert drills.LOST[0] in seen.text
    assert "and 4 more, 54 in all" in seen.text
    assert "<script" not in text
    hidden = drills.Folder(tmp_path / "few")
    drills.begin(hidden)
    drills.check(hidden, 1.0, "lost_write", "No write is lost", "fail", "One is.", witnesses=drills.LOST[-1:])
    text, seen = page(drills.close(hidden, 2.0, "missed", ["One is."]))
    assert "&lt;script&gt;" in text
    assert drills.LOST[-1] in seen.text


def test_what_people_wrote_is_never_markup(tmp_path: Path) -> None:
    folder = drills.Folder(tmp_path / "hostile")
    evil = "\"><img src=x onerror=alert(1)>'&{{ 7 * 7 }}</title></svg>"
    drills.begin(folder, title=evil, feature=evil, description=evil, steps=[(evil, evil)], tags=[evil], estate=evil)
    drills.probes(folder, drills.Story(), lambda *_: drills.Seen.GOOD, service=evil)
    drills.writers(folder, drills.Story(), service=evil)
    drills.steps(folder, ((1.0, 2.0, "failed", evil),), ((evil, evil),))
    drills.assumptions(folder, 3.0, held=("fail", evil))
    text, seen = page(drills.close(folder, 4.0, "missed", [evil]))
    assert "<img" not in text
    assert "{{ 7 * 7 }}" in seen.text
    assert {tag for tag, _ in seen.tags}.isdisjoint({"img", "script"})


def test_sentences_that_were_not_run_are_shown_as_not_run(tmp_path: Path) -> None:
    text, _ = page(drills.killed(tmp_path / "killed"))
    rows = re.findall(r'<tr class="([\w-]+)">\s*<td class="number ordinal">(\d+)</td>', text)
    assert rows == [(s, str(n)) for n, s in enumerate(["passed"] * 4 + ["unfinished"] + ["not-run"] * 4, 1)]


def test_a_killed_runner_leaves_a_report_that_judges_nothing(tmp_path: Path) -> None:
    _, seen = page(drills.killed(tmp_path / "killed"))
    assert "holds no judgement: the drill was killed, or it is still running" in seen.text
    assert "19 bytes of an unfinished event were cut from the end" in seen.text
    assert "3 bytes of an unfinished record were cut" in seen.text
    assert "drdrill recover" in seen.text
    assert "no heal was recorded" in seen.text


def test_a_broken_chain_is_said_first_and_nothing_after_it_is_believed(tmp_path: Path) -> None:
    folder = drills.met(tmp_path / "met")
    lines = (folder / FILE_NAME).read_bytes().split(b"\n")
    lines[12] = lines[12].replace(b'"data":{', b'"data":{"forged":1,', 1)
    (folder / FILE_NAME).write_bytes(b"\n".join(lines))
    text, seen = page(folder)
    assert text.index("The journal is broken") < text.index('id="promised"')
    assert "cannot be trusted and is not shown" in seen.text
    assert "Aborted, unknown:" in seen.text


@pytest.mark.parametrize("content", [b"", b'{"n":0,"t":1'])
def test_a_journal_without_a_single_event_still_gives_a_page(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    _, seen = page(tmp_path)
    assert "holds not one readable event" in seen.text


def test_a_folder_without_a_journal_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no journal can be read there"):
        write_all(tmp_path)


def test_what_user_space_links_and_killed_processes_cannot_show_is_said(tmp_path: Path) -> None:
    _, cut = page(drills.met(tmp_path / "met"))
    assert "user-space links" in cut.text
    assert "page cache" not in cut.text
    _, power = page(drills.residual(tmp_path / "residual"))
    assert "page cache" in power.text
    _, real = page(drills.switchover(tmp_path / "switchover"))
    assert "user-space" not in real.text


def test_a_residual_estate_names_the_command_to_type(tmp_path: Path) -> None:
    text, seen = page(drills.residual(tmp_path / "residual"))
    assert "<code>drdrill recover --estate pocket</code>" in text
    assert "host east-db1 (before: up; now: off)" in seen.text
    assert "no command is known for this; look at it" in seen.text


def test_a_chinese_drill_says_so_to_the_browser(tmp_path: Path) -> None:
    text, seen = page(drills.chinese(tmp_path / "chinese"))
    assert '<html lang="en">' in text
    assert '<h1 lang="zh-CN">东院区被隔离</h1>' in text
    assert "没有丢失任何已确认的写入" in seen.text


def test_bounds_stand_beside_the_objective_and_contain_what_was_measured(tmp_path: Path) -> None:
    _, seen = page(drills.met(tmp_path / "met"))
    # 4.0462 to 4.1513 s in the journal: rounded away from each other, never towards us.
    assert "4.04 to 4.16\u202fs" in seen.text
    assert "at most 15\u202fs" in seen.text


def test_ten_minutes_render_fast_and_stay_small(tmp_path: Path) -> None:
    folder = drills.long(tmp_path / "long")
    begun = time.process_time()
    (path,) = write_all(folder)
    assert time.process_time() - begun < 2.0
    assert path.stat().st_size < 1_000_000


def test_writing_again_gives_the_same_file(tmp_path: Path) -> None:
    folder = drills.met(tmp_path / "met")
    first = write_all(folder)[0].read_bytes()
    assert write_all(folder)[0].read_bytes() == first
    assert sorted(p.name for p in folder.iterdir()) == ["data", FILE_NAME, "report.html"]


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (text, ground)
        for ground, texts in {
            "paper": ("ink", "soft", "green", "red", "amber", "slate", "blue"),
            "mist": ("ink", "soft"),
            "green-mist": ("ink", "soft", "green"),
            "red-mist": ("ink", "soft", "red"),
            "amber-mist": ("ink", "soft", "amber"),
            "slate-mist": ("ink", "soft", "slate"),
            "shade": ("ink",),
        }.items()
        for text in texts
    ],
)
def test_every_text_stands_out_from_its_ground(text: str, ground: str, tmp_path: Path) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    page_text, _ = page(drills.refused(tmp_path / "refused"))
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", page_text))

    def luminance(name: str) -> float:
        digits = colours[name][1:]
        digits = digits if len(digits) == 6 else "".join(d * 2 for d in digits)
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(text), luminance(ground)), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_each_check_and_assumption_shows_how_much_it_saw(tmp_path: Path) -> None:
    text = html.render(load(drills.met(tmp_path / "met"))).replace("\u202f", " ").replace("\u00a0", " ")
    assert text.count("Saw 3 200 samples, 1 746 operations, 1 268 rows, 2 replicas") == 3
    assert text.count('<td class="nowrap">6 looks</td>') == 4


@pytest.mark.parametrize(
    ("saw", "words"),
    [({}, "nothing"), (None, "nothing"), ({"rows": 0}, "nothing"), ({"looks": 1, "rows": 2}, "1 look, 2 rows")],
)
def test_what_was_seen_in_words(saw: dict[str, int] | None, words: str) -> None:
    assert figures.saw(saw).replace("\u00a0", " ") == words


def test_what_was_not_asked_is_said_with_the_reason(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.probes("east")
    scene.event(
        61, events.ASSUMPTION, assumption="probes_kept_schedule", title="t", verdict="pass", message="m", counts={}
    )
    text = html.render(scene.recording())
    assert "Not asked in this drill: whether the writers kept their schedule: no writer ran; " in text
    assert "whether the probes kept their schedule: no probe ran" not in text


def test_what_is_called_not_asked_are_assumptions_that_a_drill_can_ask(tmp_path: Path) -> None:
    """In a drill in which everything is asked none of these is missing: they are names of assumptions."""
    scene = Scene(tmp_path)
    scene.probes("east")
    scene.writes("east")
    scene.strike("h1", "a cut", at=10, healed=30)
    scene.event(20, events.AUDIT, answer=True, words="none", counts={})
    asked = {a.name for a in judge(scene.recording()).assumptions}
    assert set(account._ASKED_WHEN) <= asked
