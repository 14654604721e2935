# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a check says: pass, fail or unknown, with what it saw."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

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


SAW_NOTHING: Final = "But it does not say that it saw anything, so nothing is proven."


@dataclass(frozen=True)
class Judgement:
    """What one check or assumption says.

    Args:
        name: of the check, as in its file: `lost_write`.
        title: the question in a few words.
        verdict: pass, fail or unknown.
        message: one or two complete sentences that an engineer can act on, with the numbers.
        counts: what it found, as figures.
        witnesses: what it points at (keys, times, hosts); all of them.
        saw: how much it looked at, by kind: `samples` (answers to probes, and of members), `operations` (writes), `rows`
            (read back), `replicas` (members read or asked), `looks` (at a fault, a host, a connection), `judgements`, `events`.

    A pass that saw nothing, or does not say what it saw, is no pass: it becomes unknown right here, so that no check of
    anybody can be green without a reason.
    """

    name: str
    title: str
    verdict: Verdict
    message: str
    counts: Mapping[str, int | float | str] = field(default_factory=dict)
    witnesses: tuple[str, ...] = ()
    saw: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict is Verdict.PASS and not any(n > 0 for n in self.saw.values()):
            object.__setattr__(self, "verdict", Verdict.UNKNOWN)
            object.__setattr__(self, "message", f"{self.message} {SAW_NOTHING}")
