# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""From verdicts to the result of a drill. Pure.

Missed outranks aborted, aborted outranks inconclusive, inconclusive outranks met. A promise that was not kept stays so,
whatever else is in doubt; a doubt only keeps a drill from being met. Refused means that nothing was struck or moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.checkers.verdict import Judgement, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def result(
    checks: Sequence[Judgement], assumptions: Sequence[Judgement], *, struck: bool, error: str | None
) -> tuple[Result, tuple[str, ...]]:
    """The result and its reasons, complete sentences with the headline first.

    Args:
        checks: of the sentences and of the whole drill, the outages against their objectives among them.
        assumptions: what the checks lean on.
        struck: whether anything was struck or moved.
        error: why the sentences ended early, if it was not a check that failed.
    """
    failed = _said(checks, Verdict.FAIL)
    broken = _said(assumptions, Verdict.FAIL)
    unknown = _said(checks, Verdict.UNKNOWN) + _said(assumptions, Verdict.UNKNOWN)
    doubts = broken + unknown
    stopped = [error] if error else []
    if not struck:
        return Result.REFUSED, tuple(stopped + failed + unknown) or ("Nothing was struck or moved.",)
    if failed:
        return Result.MISSED, tuple(failed + stopped + doubts)
    if stopped:
        return Result.ABORTED, tuple(stopped + doubts)
    if doubts:
        return Result.INCONCLUSIVE, tuple(doubts)
    if not checks:
        return Result.INCONCLUSIVE, ("No check judged anything, so nothing is proven.",)
    return Result.MET, (f"All {len(checks)} checks passed and all {len(assumptions)} assumptions held.",)


def _said(judgements: Iterable[Judgement], verdict: Verdict) -> list[str]:
    """The messages of this verdict, each once: what a sentence said at its place is often said again at the end."""
    return list(dict.fromkeys(j.message for j in judgements if j.verdict is verdict))
