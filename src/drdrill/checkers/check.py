# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a check is: a pure function from what was recorded to judgements, one for each thing that it judges.

A new check is one new file: a function `judge(case)` and a line in `registry`, or an entry point in the group
`drdrill.checks` of another package. What it does not apply to it leaves out; what it applies to and cannot see is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.checkers.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drdrill.journal.outage import Strip
    from drdrill.journal.recording import Recording

END = "end"
"""The phase of everything that is judged over the whole drill."""


@dataclass(frozen=True)
class Case:
    """What is judged: a recording, the strips with their outages, and the phase whose readback counts."""

    recording: Recording
    strips: Sequence[Strip]
    phase: str = END


Check = Callable[[Case], "Iterable[Judgement]"]


def tried(name: str, check: Check, case: Case) -> tuple[Judgement, ...]:
    """What a check says. One that crashes has judged nothing: unknown, with its name and its error."""
    try:
        return tuple(check(case))
    except Exception as error:  # noqa: BLE001 - a check of anybody; the others must still be heard
        words = f"The check {name} crashed and judged nothing: {type(error).__name__}: {error}."
        return (Judgement(name, f"the check {name}", Verdict.UNKNOWN, words, {"crashed": 1}),)


def some(number: float, one: str, many: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    figure = f"{number:,d}" if isinstance(number, int) else f"{number:,g}"
    return f"{figure} {one if number == 1 else many or one + 's'}"


def seconds(ns: float) -> str:
    """Nanoseconds as `1.234 s`."""
    return f"{ns / 1e9:.3f} s"
