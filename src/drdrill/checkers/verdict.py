# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a check says: pass, fail or unknown, with what it saw."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Verdict(enum.StrEnum):
    """Fail outranks unknown, unknown outranks pass."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    UNKNOWN = "unknown"
    FAIL = "fail"


_RANK = {Verdict.PASS: 0, Verdict.UNKNOWN: 1, Verdict.FAIL: 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them. Nothing looked at is unknown: a pass needs something that passed."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.UNKNOWN)


class Result(enum.StrEnum):
    """How a drill ended, on the first axis."""

    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"
    REFUSED = "refused"


class Restoration(enum.StrEnum):
    """How a drill ended, on the second axis."""

    RESTORED = "restored"
    RESIDUAL = "residual"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judgement:
    """What one check or assumption says.

    Args:
        name: of the check, as in its file: `lost_write`.
        title: the question in a few words.
        verdict: pass, fail or unknown.
        message: one or two complete sentences that an engineer can act on, with the numbers.
        counts: how many samples, operations, rows, replicas it saw.
        witnesses: what it points at (keys, times, hosts); all of them.
    """

    name: str
    title: str
    verdict: Verdict
    message: str
    counts: Mapping[str, int | float | str] = field(default_factory=dict)
    witnesses: tuple[str, ...] = ()
