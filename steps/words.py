# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The grammar of sentences: kind and quoted name, event, place, deadline last.

A sentence is written with places for its words: `service "{service}" is available again within {deadline:rto}`. A place in
quotes takes a name in "these" or “these” quotes; the others say their kind after the colon. Spaces and commas are exact.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from pytest_bdd.parsers import StepParser

from drdrill.errors import BadInput
from drdrill.estate import durations

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.estate.durations import Deadline, Promise

ROLES: Final = {
    "database": "database", "application": "application", "entry": "entry",
    "数据库": "database", "应用": "application", "入口": "entry",
}  # fmt: skip

_PLACE = re.compile(r'"\{(?P<name>\w+)\}"|\{(?P<word>\w+):(?P<kind>\w+)\}')
_QUOTED = r'(?:"(?P<{0}>[^"“”]+)"|“(?P<{0}_>[^"“”]+)”)'


def _promised(promise: Promise) -> Callable[[str], Deadline]:
    """A deadline that may also be the promise of this kind of sentence, and no other."""

    def read(text: str) -> Deadline:
        deadline = durations.deadline(text)
        if deadline.promise not in (None, promise):
            right = durations.Deadline(promise=promise)
            raise BadInput(f'"{text}" is not promised by what this sentence is about; write "{right}" or a duration')
        return deadline

    return read


def _number(text: str) -> int:
    return int(text)


_KINDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    # Anything may stand where a duration is expected: a wrong one is answered with what a duration looks like, which
    # helps more than "there is no such sentence".
    "rto": (r"(?P<{0}>\S.*?)", _promised("rto")),
    "recovery": (r"(?P<{0}>\S.*?)", _promised("recovery")),
    "duration": (r"(?P<{0}>\S.*?)", durations.seconds),
    "number": (r"(?P<{0}>\d+)", _number),
    # The end of a sentence that may be left out; what it says has to be allowed by the estate file.
    "expected": (r"(?P<{0}>(?: with expected loss of quorum)?)", bool),
    "预期": (r"(?P<{0}>(?:并预期失去仲裁)?)", bool),
    "role": (r"(?P<{0}>database|application|entry)", ROLES.__getitem__),
    "角色": (r"(?P<{0}>数据库|应用|入口)", ROLES.__getitem__),
}


_ANY_QUOTED: Final = re.compile(
    r"[\"“”„‟＂「」『』《》](?P<name>[^\"“”„‟＂「」『』《》]+)[\"“”„‟＂「」『』《》]|['‘’](?P<name_>[^'‘’]+)['‘’]"
)
"""Names in quotes as they come out of input methods and word processors; which one opens and which one closes is no matter."""
_LOOSE: Final = {
    "rto": r"<[^<>]+>|\d+(?:\.\d+)?\s*[^\W\d]+|i\s*t\s*s\s*R\s*T\s*O|其\s*R\s*T\s*O",
    "recovery": r"<[^<>]+>|\d+(?:\.\d+)?\s*[^\W\d]+|i\s*t\s*s\s*recovery\s*time|其\s*恢\s*复\s*时\s*间",
    "duration": r"<[^<>]+>|\d+(?:\.\d+)?\s*[^\W\d]+",
    "number": r"\d+|<[^<>]+>",
    "expected": r"(?:with\s*expected\s*loss\s*of\s*quorum)?",
    "预期": r"(?:并\s*预\s*期\s*失\s*去\s*仲\s*裁)?",
    "role": r"database|application|entry|<[^<>]+>",
    "角色": r"数据库|应用|入口|<[^<>]+>",
}
"""What each kind of place may hold when spaces do not count; `<x>` is a column of examples."""
_WRITTEN: Final = {
    "itsRTO": "its RTO",
    "其RTO": "其 RTO",
    "itsrecoverytime": "its recovery time",
    "其恢复时间": "其恢复时间",
    "withexpectedlossofquorum": " with expected loss of quorum",
    "并预期失去仲裁": "并预期失去仲裁",
}


def _plain(text: str) -> str:
    """A text with half-width signs and spaces, and every name in straight quotes; what stands in the quotes stays as it is."""
    out, at = "", 0
    for quoted in _ANY_QUOTED.finditer(text):
        name = quoted["name"] or quoted["name_"]
        out += unicodedata.normalize("NFKC", text[at : quoted.start()]) + f'"{name.strip()}"'
        at = quoted.end()
    return out + unicodedata.normalize("NFKC", text[at:])


def _loosely(literal: str) -> str:
    """An expression for a text in which spaces do not count."""
    return r"\s*".join(re.escape(sign) for sign in literal if not sign.isspace())


def _spaced(value: str) -> str:
    """A value as it should be typed: `10 s`, `其 RTO`."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([^\W\d]+)", value)
    return f"{number[1]} {number[2]}" if number else _WRITTEN.get("".join(value.split()), value)


class Sentence(StepParser):
    """One sentence, in one language, for pytest-bdd."""

    def __init__(self, template: str) -> None:
        super().__init__(template)
        self.template = template
        self._kinds: dict[str, Callable[[str], Any]] = {}
        pattern, at = "", 0
        for place in _PLACE.finditer(template):
            pattern += re.escape(template[at : place.start()])
            if place["name"]:
                self._kinds[place["name"]] = str
                pattern += _QUOTED.format(place["name"])
            else:
                expression, self._kinds[place["word"]] = _KINDS[place["kind"]]
                pattern += expression.format(place["word"])
            at = place.end()
        self._pattern = re.compile(pattern + re.escape(template[at:]))

    def nearly(self, text: str) -> str | None:
        """What to type, when a text differs from this sentence only in spaces, in the form of its quotes, or in full-width signs.

        None when it differs in more.
        """
        match = self._loose.fullmatch(_plain(text).strip())
        if match is None:
            return None
        exact = _PLACE.sub(
            lambda place: f'"{match[place["name"]]}"' if place["name"] else _spaced(match[place["word"]]), self.template
        )
        return exact if "<" in exact or self.is_matching(exact) else None

    @functools.cached_property
    def _loose(self) -> re.Pattern[str]:
        pattern, at = "", 0
        for place in _PLACE.finditer(self.template):
            pattern += _loosely(self.template[at : place.start()]) + r"\s*"
            pattern += (
                f'"(?P<{place["name"]}>[^"]+)"' if place["name"] else f"(?P<{place['word']}>{_LOOSE[place['kind']]})"
            )
            pattern += r"\s*"
            at = place.end()
        return re.compile(pattern + _loosely(self.template[at:]))

    def is_matching(self, name: str) -> bool:
        """Whether this text is this sentence."""
        return self._pattern.fullmatch(name) is not None

    def parse_arguments(self, name: str) -> dict[str, Any] | None:
        """The words of a text, each in its own type. Raises BadInput for a duration that is none."""
        match = self._pattern.fullmatch(name)
        if match is None:
            return None
        found: dict[str, str] = match.groupdict()
        return {word: read(found[word] or found.get(f"{word}_", "")) for word, read in self._kinds.items()}
