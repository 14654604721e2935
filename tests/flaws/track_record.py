# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""docs/track-record.md: what each flaw met. A run with `--track-record` renews the lines of the flaws that it caught."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from harness import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flaws.catalogue import Flaw

DOCUMENT: Final = ROOT / "docs" / "track-record.md"
_ROW: Final = re.compile(r"^\| `([\w-]+)` \|.*\n", re.MULTILINE)
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
None may: [tests/flaws](../tests/flaws/catalogue.py) says which check must speak, with which verdict and words, and how it must end.

| flaw | what is wrong | caught by | it said | the drill ended | run |
| --- | --- | --- | --- | --- | --- |
"""

_TAIL: Final = """
*Missed*: a promise was not kept. *Inconclusive*: no promise is known to be broken, and the drill does not believe itself.
*Refused* and *not collected*: nothing was touched. *Residual*: what is not as it was stands in the report; members of a database
that went apart do not come together by themselves, and a drill that said so would lie.

Five of them, in turn, run with each `./scripts/test`, which prints their names (`--flaws=NAME,...` repeats them); with `--all`
all of them do. On a small machine (2 cores) all of them take a quarter of an hour.
"""


def renewed(text: str, flaws: Sequence[Flaw], caught: Mapping[str, Caught], run: str) -> str:
    """The document with new lines for what was caught, and the lines that it had for every other flaw that there still is.

    A flaw without either gets a line that says so.

    Args:
        text: the document as it was, or "".
        flaws: all of them, in their order.
        caught: by name, in this run.
        run: date and version, for the lines of this run.
    """
    rows = {row[1]: row[0] for row in _ROW.finditer(text)}
    rows |= {flaw.name: _row(flaw, caught[flaw.name], run) for flaw in flaws if flaw.name in caught}
    return _HEAD + "".join(rows.get(flaw.name) or _unrecorded(flaw) for flaw in flaws) + _TAIL


def _unrecorded(flaw: Flaw) -> str:
    """The line of a flaw that no recorded run has met yet: it claims nothing."""
    return f"| `{flaw.name}` | {flaw.wrong} | `{flaw.caught_by}` | | not recorded yet | |\n"


def _row(flaw: Flaw, found: Caught, run: str) -> str:
    words = found.message
    if len(words) > _LONGEST:
        words = words[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    took = f"{found.seconds:.0f} s, " if found.seconds else ""
    cells = (
        f"`{flaw.name}`", flaw.wrong, f"`{flaw.caught_by}`: {found.verdict}", words, f"{found.result}, {found.restoration}",
        f"{took}{run}",
    )  # fmt: skip
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def named(text: str) -> list[str]:
    """The flaws that a document names, in its order."""
    return _ROW.findall(text)
