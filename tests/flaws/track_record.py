# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""docs/track-record.md: what each flaw met, written by a run of all of them. `pytest tests/flaws --flaws=all --track-record`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from harness import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flaws.catalogue import Flaw

DOCUMENT: Final = ROOT / "docs" / "track-record.md"
_ROW: Final = re.compile(r"^\| `([\w-]+)` \|", re.MULTILINE)
_LONGEST: Final = 330


@dataclass(frozen=True)
class Caught:
    """What a drill came to that met a flaw."""

    verdict: str
    result: str
    restoration: str
    message: str
    seconds: float


CAUGHT: Final = pytest.StashKey[dict[str, Caught]]()

_HEAD: Final = """<!-- SPDX-FileCopyrightText: 2026 the drdrill authors -->
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by ./scripts/track-record. Do not edit: run it again. -->
# Track record: what a drill was shown, and what it said

A drill is worth what it catches. Each line is something wrong on purpose, planted in the pocket lab, in the software of the
hospital, or in the measuring itself, and a real drill that met it. A drill that ends in *met* with one of them would be a lie.
None may: `tests/flaws/` asserts which check speaks, with which verdict and which words, and how the drill ends.

Run on {date} with drdrill {version}, {machine}; {count} flaws in {minutes:.0f} minutes of drills.

| flaw | what is wrong | caught by | it said | the drill ended | in |
| --- | --- | --- | --- | --- | --- |
"""

_TAIL: Final = """
*Missed*: a promise was not kept. *Inconclusive*: nothing is known to be broken, and the drill does not believe itself.
*Refused* and *not collected*: nothing was touched. Each of these estates was *restored* in the end.

Five of them, in turn, run with each `./scripts/test`, which prints their names (`--flaws=NAME,...` repeats them); with `--all`
all of them do.
"""


def render(flaws: Iterable[Flaw], caught: Mapping[str, Caught], about: Mapping[str, str]) -> str:
    """The document."""
    flaws = list(flaws)
    minutes = sum(caught[flaw.name].seconds for flaw in flaws) / 60
    rows = "".join(_row(flaw, caught[flaw.name]) for flaw in flaws)
    return _HEAD.format(**about, count=len(flaws), minutes=minutes) + rows + _TAIL


def _row(flaw: Flaw, found: Caught) -> str:
    words = found.message
    if len(words) > _LONGEST:
        words = words[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    cells = (
        f"`{flaw.name}`", flaw.wrong, f"`{flaw.caught_by}`: {found.verdict}", words, f"{found.result}, {found.restoration}",
        f"{found.seconds:.0f} s",
    )  # fmt: skip
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def named(text: str) -> list[str]:
    """The flaws that a document names, in its order."""
    return _ROW.findall(text)
