# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Is a service available again after what was done to it, and since when? The verdict of one sentence. Pure.

It is answered by a stable run that starts at or after the last command of the strike, heal or operation before the sentence.
The deadline is met by the start of that run; its bounds are those of an outage counted from the commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.checkers.check import some
from drdrill.checkers.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from drdrill.checkers.causes import Cause
    from drdrill.journal.outage import Outage, Strip

NAME: Final = "available_again"


@dataclass(frozen=True)
class Again:
    """What is known now. `lower_ns` and `upper_ns` bound the time from the commands to the stable run.

    `upper_ns` is None while there is no stable run; `away` is the outage that it has to end, or None.
    """

    away: Outage | None
    lower_ns: int
    upper_ns: int | None


def again(strip: Strip, since: Cause, stable_ns: int, early_ns: int) -> Again:
    """Look for the first stable run that answers the sentence.

    Without an outage it starts at the last command, and is not believed before `early_ns` (twice the latency bound) have
    passed: an outage may still be about to show. What happens after that run is no matter of this sentence.
    """
    away = None
    start = since.last_ns
    for outage in strip.outages:
        if outage.good_ns is not None and outage.good_ns <= since.last_ns:
            continue
        if outage.first_ns - start >= max(stable_ns, early_ns):
            break
        away = outage
        if outage.good_ns is None:
            return Again(away, _still_away(away, since), None)
        start = outage.good_ns
    if away is None or away.end_by_ns is None:
        seen = strip.samples > 0 and strip.horizon_ns - start >= max(stable_ns, early_ns)
        return Again(None, 0, since.last_ns - since.first_ns if seen else None)
    return Again(away, _still_away(away, since), away.end_by_ns - since.first_ns)


def _still_away(outage: Outage, since: Cause) -> int:
    """How long after the last command it was surely away."""
    until = outage.first_ns + outage.least_ns if outage.until_ns is None else outage.until_ns
    return max(0, until - since.last_ns)


def conclude(
    strip: Strip, since: Cause, found: Again, *, stable_s: float, allowed_s: float, site: str | None, more: str = ""
) -> Judgement:
    """The verdict when the sentence has an answer, or its time is over. `more` is said where it was not good in time."""
    where = f' at site "{site}"' if site else ""
    name = f'service "{strip.service}"{where}'
    title = f"{name} is available again within {allowed_s:g} s"
    lower_s = found.lower_ns / 1e9
    upper_s = None if found.upper_ns is None else found.upper_ns / 1e9
    counts: dict[str, int | float | str] = {
        "service": strip.service, "site": site or "", "allowed_s": allowed_s, "samples": strip.samples,
        "acknowledged": strip.acknowledged, "lower_s": round(lower_s, 3),
    }  # fmt: skip
    if upper_s is not None:
        counts["upper_s"] = round(upper_s, 3)
    saw = {"samples": strip.samples, "operations": strip.acknowledged}
    seen = f"{some(strip.samples, 'attempt')}, {some(strip.acknowledged, 'acknowledged write')}"
    name = name[0].upper() + name[1:]
    if upper_s is not None and found.away is None:
        words = f"{name} was good all the time after the last command of: {since.title} ({seen})."
        return Judgement(NAME, title, Verdict.PASS, words, counts, saw=saw)
    if upper_s is not None and upper_s <= allowed_s:
        words = f"{name} was good again {lower_s:.2f} to {upper_s:.2f} s after {since.title} ({seen})."
        return Judgement(NAME, title, Verdict.PASS, words, counts, saw=saw)
    if lower_s > allowed_s:
        ended = f"{lower_s:.2f} to {upper_s:.2f} s" if upper_s is not None else f"more than {lower_s:.2f} s"
        words = f"{name} was away for {ended} after {since.title}; {allowed_s:g} s are allowed ({seen}).{more}"
        return Judgement(NAME, title, Verdict.FAIL, words, counts, saw=saw)
    if upper_s is not None:
        words = (
            f"{name} was good again {lower_s:.2f} to {upper_s:.2f} s after {since.title}; whether within {allowed_s:g} s "
            f"cannot be told ({seen}).{more}"
        )
    else:
        words = (
            f"{name} showed no stable run of {stable_s:g} s after {since.title}, and what was measured does not prove that "
            f"it was away for {allowed_s:g} s ({seen}): look whether the probes ran all the time."
        )
    return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
