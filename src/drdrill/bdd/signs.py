# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What Chinese input methods and Windows editors type in place of the signs of Gherkin. Pure.

Gherkin takes a line that it does not know for prose, so `背景：` with a full-width colon makes a whole background vanish without
a word. But full-width signs are right in prose: descriptions, doc strings, comments and table cells are never touched, and a
line of a description counts as a keyword only where steps, or rows, follow it.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drdrill.bdd.mend import BOM, Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

_LANGUAGE: Final = re.compile(r"(\s*)[#＃]\s*language\s*[:：]\s*([\w-]+)\s*$")
_CHINESE: Final = frozenset({"zh", "cn", "zh-hans", "zh-hans-cn", "chs", "chinese"})
_PROSE: Final = "。，；、：,;.!?！？"
"""A line that ends so is no step and no name."""
_DOC: Final = re.compile(r'"""|```')
_WIDE_DOC: Final = re.compile(r"(\s*)[“”＂]{3}(.*)")
_NEVER: Final = re.compile(r"(?!)")
_TAGS: Final = re.compile(r"\s*([@＠][^\s@＠]+\s*)+")


@dataclass(frozen=True)
class Words:
    """The keywords of a language, as expressions over a line. `titles` gives the keyword, `steps` a step's begin."""

    titles: re.Pattern[str]
    steps: re.Pattern[str]
    kinds: dict[str, str] = field(default_factory=dict, compare=False)


@functools.cache
def words_of(language: str) -> Words | None:
    """The keywords of a language as Gherkin has them; None for a language that it does not have."""
    from gherkin.dialect import Dialect  # noqa: PLC0415 - only a run that drills pays for it

    dialect = Dialect.for_name(language)
    if dialect is None:
        return None
    kinds = {
        word: kind
        for kind in ("feature", "rule", "background", "examples", "scenario", "scenario_outline")
        for word in getattr(dialect, f"{kind}_keywords")
    }
    steps = {
        w for kind in ("given", "when", "then", "and", "but") for w in getattr(dialect, f"{kind}_keywords") if w != "* "
    }
    longest = sorted(kinds, key=len, reverse=True)
    titles = re.compile(rf"(\s*)({'|'.join(map(re.escape, longest))})(\s*[:：])(.*)", re.DOTALL)
    begins = "|".join(re.escape(w.rstrip(" ")) + (r"(?=\s)" if w.endswith(" ") else "") for w in sorted(steps, key=len))
    return Words(titles, re.compile(rf"(\s*)(\*(?=\s)|{begins})(\s?)(.*)", re.DOTALL), kinds)


def language_of(code: str) -> str:
    """A language code as Gherkin writes it: `zh_CN`, `zh` and `ZH-cn` are `zh-CN`. One that it cannot know stays."""
    from gherkin.dialect import DIALECTS  # noqa: PLC0415 - only a run that drills pays

    plain = code.replace("_", "-").lower()
    if plain in _CHINESE:
        return "zh-CN"
    return next((known for known in DIALECTS if known.lower() == plain), code)


def mends(text: str, shown: str) -> list[Mend]:
    """What to type instead, line by line. Applied in order they leave a text that has nothing to mend.

    Args:
        text: of a feature, decoded as UTF-8; a byte order mark is part of it.
        shown: how findings name the file.
    """
    return list(_Reader(text, shown).all())


class _Reader:
    """Goes over the lines once, and knows whether it stands in prose, among steps, or in a doc string."""

    def __init__(self, text: str, shown: str) -> None:
        self.shown = shown
        self.lines = text.split("\n")
        self.place = "head"
        """What was read last. head: nothing yet. feature (or rule): steps are prose here. scenario (or background): prose, until
        a step comes. rows: Examples. steps: no prose is possible."""
        self.doc = ""
        """What ends the doc string that is being read."""
        self.wide_doc = False
        self.words = words_of("en") or Words(_NEVER, _NEVER)
        self.width = 0
        """Of the table that is being read."""

    def all(self) -> Iterator[Mend]:
        """Every mend."""
        if self.lines[0].startswith(BOM):
            yield Mend(self.shown, 1, "begins with a byte order mark; save it as UTF-8 without one", BOM, "")
            self.lines[0] = self.lines[0].removeprefix(BOM)
        for at, line in enumerate(self.lines):
            found = self._line(at, line)
            if found is not None:
                what, new = found
                self.lines[at] = new
                yield Mend(self.shown, at + 1, what, line, new)

    def _line(self, at: int, line: str) -> tuple[str, str] | None:
        """What is wrong with a line and the line as it should be; None when nothing is."""
        bare = line.strip()
        if self.doc:
            return self._doc(line)
        if not bare.startswith(("|", "｜")):
            self.width = 0
        if not bare:
            return None
        if self.place == "head" and (match := _LANGUAGE.match(line)):
            return self._language(line, match)
        if bare.startswith(("#", "＃")):
            wide = bare.startswith("＃") and self.place in {"head", "steps"}
            return ('has a full-width "＃"', line.replace("＃", "#", 1)) if wide else None
        return self._title(at, line) or self._tags(at, line) or self._step(line) or self._inside(line)

    def _doc(self, line: str) -> tuple[str, str] | None:
        """A line of a doc string: prose, but for the mark that ends it. One that began with wide marks may end so."""
        bare = line.strip()
        if self.wide_doc and _WIDE_DOC.fullmatch(bare) and len(bare) == len(self.doc):
            self.doc = ""
            return "has full-width quotes", line.replace(bare, '"""')
        if bare.startswith(self.doc):
            self.doc = ""
        return None

    def _language(self, line: str, match: re.Match[str]) -> tuple[str, str] | None:
        code = language_of(match[2])
        self.words = words_of(code) or self.words  # Gherkin will say that it does not know that language
        new = line.replace("＃", "#", 1).replace("：", ": " if f"：{match[2]}" in line else ":", 1)
        new = new.replace(match[2], code)
        if new == line:
            return None
        what = f'names the language "{match[2]}", which Gherkin calls "{code}"'
        return (what if code != match[2] else "has full-width signs"), new

    def _title(self, at: int, line: str) -> tuple[str, str] | None:
        match = self.words.titles.match(line)
        if match is None or not self._is_title(at, match):
            return None
        indent, word, colon, name = match.groups()
        kind = self.words.kinds[word]
        self.place = {"feature": "feature", "rule": "feature", "examples": "rows"}.get(kind, "scenario")
        if colon == ":":
            return None
        gap = "" if not name.strip() or name[:1].isspace() else " "
        what = 'has a full-width colon "：" after its keyword' if "：" in colon else "has a space before its colon"
        return what, f"{indent}{word}:{gap}{name}"

    def _is_title(self, at: int, match: re.Match[str]) -> bool:
        """Whether a keyword line is meant as one."""
        word, colon, name = match[2], match[3], match[4].strip()
        if colon == ":" or self.place == "steps":
            return True
        if self.words.kinds[word] == "feature":
            return self.place == "head"
        following = self._following(at)
        if self.words.kinds[word] == "examples":
            return self.place != "head" and following.startswith(("|", "｜"))
        step = self.words.steps.match(following)
        return step is not None and not following.endswith(tuple(_PROSE)) and not name.endswith(tuple(_PROSE))

    def _following(self, at: int) -> str:
        """The next line that says something, without its spaces; nothing at the end."""
        rest = (line.strip() for line in self.lines[at + 1 :])
        return next((line for line in rest if line and not line.startswith(("#", "＃"))), "")

    def _tags(self, at: int, line: str) -> tuple[str, str] | None:
        if "＠" not in line or not _TAGS.fullmatch(line):
            return None
        following = self._following(at)
        if not self.words.titles.match(following) and not _TAGS.fullmatch(following):
            return None
        return 'has a full-width "＠"', line.replace("＠", "@")

    def _step(self, line: str) -> tuple[str, str] | None:
        """A step, where Gherkin reads one; `Given` must be followed by a plain space."""
        match = self.words.steps.match(line) if self.place in {"scenario", "steps"} else None
        if match is None:
            return None
        self.place = "steps"
        indent, word, gap, rest = match.groups()
        if word.isascii() and gap and gap != " ":
            return "has an odd space after its keyword", f"{indent}{word} {rest}"
        return None

    def _inside(self, line: str) -> tuple[str, str] | None:
        """Rows of tables, and the marks of doc strings."""
        bare = line.strip()
        if self.place == "steps" and (match := _WIDE_DOC.fullmatch(line)):
            self.doc, self.wide_doc = '"""', True
            return "has full-width quotes", f'{match[1]}"""{match[2]}'
        if self.place == "steps" and (begun := _DOC.match(bare)):
            self.doc, self.wide_doc = begun[0], False
            return None
        if self.place not in {"steps", "rows"} or not bare.startswith(("|", "｜")):
            return None
        self.place = "steps"
        plain = line.replace("｜", "|")
        cells = plain.count("|") - plain.count("\\|")
        # In a row of plain pipes a full-width one is a character like any other, unless the columns say that it is a border.
        border = bare.startswith("｜") or bare.endswith("｜") or (self.width == cells and cells != line.count("|"))
        self.width = self.width or (cells if border else line.count("|") - line.count("\\|"))
        return ('has a full-width pipe "｜"', plain) if border and plain != line else None
