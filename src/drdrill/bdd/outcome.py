# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Results of drills in pytest's words and in the exit status of a run. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.checkers.verdict import Restoration, Result

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MET, MISSED, INTERRUPTED, INTERNAL, USAGE, NOTHING, DOUBTFUL, REFUSED, NOT_RESTORED = range(9)
_ORDER: Final = (NOT_RESTORED, INTERNAL, MISSED, INTERRUPTED, DOUBTFUL, REFUSED, USAGE, NOTHING)
_OF_RESULT: Final = {
    Result.MET: MET,
    Result.MISSED: MISSED,
    Result.INCONCLUSIVE: DOUBTFUL,
    Result.ABORTED: DOUBTFUL,
    Result.REFUSED: REFUSED,
}


@dataclass(frozen=True)
class Outcome:
    """How the drill of one item ended.

    Args:
        result: on the first axis.
        restoration: on the second.
        reasons: why the result is what it is, complete sentences.
        folder: of the drill; None when it never began.
        differences: what is not as it was before, with the command that a person can type.
        tried: nothing was struck on purpose, and everything else works.
    """

    result: Result
    restoration: Restoration
    reasons: tuple[str, ...]
    folder: Path | None = None
    differences: tuple[str, ...] = ()
    tried: bool = False

    @property
    def status(self) -> int:
        """The exit status that this drill alone would give."""
        return NOT_RESTORED if self.restoration is not Restoration.RESTORED else self._of_result

    @property
    def statuses(self) -> tuple[int, ...]:
        """Both axes as statuses, for the status of a whole run."""
        return (self.status, self._of_result)

    @property
    def _of_result(self) -> int:
        return MET if self.tried else _OF_RESULT[self.result]

    @property
    def words(self) -> str:
        """The result first, then why, one reason a line."""
        first, *rest = self.reasons or ("no reason was given",)
        return "\n".join([f"{self.result}: {first}", *rest])


def run_status(statuses: Iterable[int]) -> int:
    """The exit status of a run of several drills: the first of 8, 3, 1, 2, 6, 7, 4, 5 that is among them, else 0."""
    found = set(statuses)
    return next((status for status in _ORDER if status in found), MET)
