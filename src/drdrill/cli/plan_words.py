# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A plan in words, for a person who is to say yes or no to it: at most 100 columns. Pure."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.drill.plan import Drill, Plan, Sentence, Strike

WIDTH: Final = 100


def lines(plan: Plan) -> Iterator[str]:
    """Line by line."""
    marked = ", which is PRODUCTION" if plan.estate["production"] else ""
    yield f"{_some(len(plan.drills), 'drill')} on the estate {plan.estate['name']}{marked}"
    for drill in plan.drills:
        yield ""
        yield from _drill(plan, drill)
    yield ""
    yield from _wrapped(_limits(plan), "limits     ")
    asked = f"{', '.join(plan.guards)}: each is asked before each strike" if plan.guards else "none are installed"
    yield from _wrapped(asked, "guards     ")
    yield from _wrapped(", ".join(f"{name} {v}" for name, v in plan.versions.items()), "versions   ")
    yield from _approvals(plan)
    yield f"digest     {plan.digest}"


def _drill(plan: Plan, drill: Drill) -> Iterator[str]:
    yield from _wrapped(drill.title, "")
    yield f"  {shown(drill.where)}"
    for sentence in drill.sentences:
        yield from _wrapped(sentence.written.text, "  ")
        yield from _wrapped(sentence.written.step, "      step       ")
        yield from _done(plan, sentence)
    struck = f"at most {_some(drill.most, 'host')} struck at once" if drill.most else "nothing is struck"
    yield f"  {struck}"


def _done(plan: Plan, sentence: Sentence) -> Iterator[str]:
    for words in sentence.moves:
        yield from _wrapped(words, "      MOVES      ")
    for strike in sentence.strikes:
        yield from _wrapped(_struck(strike), "      STRIKES    ")
        yield from _wrapped(strike.why, "      because    ")
        used = "; ".join(f"{capability} through {' or '.join(names)}" for capability, names in strike.ways.items())
        yield from _wrapped(used, "      by         ")
        longest = f"until it is healed, for at most {plan.longest_s:g} s (limits.longest_fault)"
        yield from _wrapped(longest, "      how long   ")
        yield from _wrapped(_healed(strike), "      heals      ")


def _struck(strike: Strike) -> str:
    hosts = ", ".join(strike.hosts)
    if strike.most < len(strike.hosts):
        hosts = f"{strike.most} of {hosts}, decided at the moment of the strike"
    site = f"the whole of site {', '.join(strike.sites)}: " if strike.sites else ""
    return f"{site}{hosts}" + ("" if strike.takes_down else " (nothing is down by it)")


def _healed(strike: Strike) -> str:
    """How, and who does it when the drill dies."""
    if not strike.alone:
        return "by the drill; if it dies, by itself where the fault is, when its lease of 30 s is over"
    return f"by the drill; if it dies, by its guardian, since there is no lease for {', '.join(strike.alone)}"


def _limits(plan: Plan) -> str:
    """Each that is set, as the estate has it."""
    said = {
        key: value for key, value in plan.estate["limits"].items() if key != "is" and value not in (None, [], False)
    }
    return ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in said.items()
    )


def shown(words: str) -> str:
    """Words with every sign that would move the cursor, hide or turn round what stands beside it written out."""
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else ascii(c)[1:-1] for c in words)


def _approvals(plan: Plan) -> Iterator[str]:
    if not plan.needed:
        yield "approvals  none are needed: this estate is not marked production and has no approvals"
        return
    who = ", ".join(plan.keys) or "nobody: approvals.keys of the estate is empty"
    yield from _wrapped(f"{plan.needed} missing, of different persons; who may approve: {who}", "approvals  ")


def _wrapped(words: str, head: str) -> Iterator[str]:
    """A long text below its own beginning; what has no space in it stays whole, so that it can be copied."""
    below = " " * (len(head) if head.strip() else len(head) + 2)
    yield from textwrap.wrap(
        shown(words),
        WIDTH,
        initial_indent=head,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
