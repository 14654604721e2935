# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Did a site acknowledge a write while it was cut off? What it acknowledges alone it may have to forget.

Counted are writes that were sent and acknowledged while the cut was in force. Fewer than ten that were sent prove nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.checkers.check import Case, seconds, some
from drdrill.checkers.sides import in_force, proven_in_force, side, writers_at
from drdrill.checkers.verdict import Judgement, Verdict
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drdrill.journal.recording import Recording

NAME: Final = "no_ack_while_cut"
FEWEST: Final = 10


def judge(case: Case) -> Iterable[Judgement]:
    """Again over the whole drill, for each site of which a sentence said so."""
    said = (e.data for e in case.recording.journal.of(events.CHECK) if e.data["check"] == NAME)
    counts = [s["counts"] for s in said]
    for site, cut, campus in dict.fromkeys((c["site"], c.get("cut", ""), c.get("campus", "")) for c in counts):
        yield acknowledged(case.recording, str(site), tuple(str(cut).split()), str(campus))


def acknowledged(recording: Recording, site: str, cut: Sequence[str] = (), campus: str = "") -> Judgement:
    """Whether `site` acknowledged a write during any of its cuts up to now, or of the cuts of the sites `cut` of a campus."""
    it = f'campus "{campus}"' if cut else "it"
    was = f"{it} was cut off"
    title = f'site "{site}" acknowledges no write while {it} is isolated'
    cuts = [s for s in recording.timeline.strikes if (set(cut) == set(s.sites) if cut else site in s.sites)]
    proven = [s for s in cuts if proven_in_force(s)]
    writers = writers_at(recording, [site], inside=True)
    sides = [(cut, side(recording, writers, in_force(cut))) for cut in proven]
    sent = sum(s.sent for _, s in sides)
    early = sum(s.early for _, s in sides)
    wrong = [(key, at - cut.last_ns) for cut, s in sides for key, at in s.sure]
    counts: dict[str, int | float | str] = {
        "site": site, "cut": " ".join(cut), "campus": campus,
        "cuts": len(cuts), "sent": sent, "acknowledged": len(wrong), "acknowledged_sent_before": early,
    }  # fmt: skip
    saw = {"operations": sent}
    if not proven:
        why = "was not cut off" if not cuts else "was struck, but it is not proven that the cut was in force"
        who, it = (f'Campus "{campus}"', f'site "{site}"') if cut else (f'Site "{site}"', "it")
        words = f"{who} {why}, so what {it} acknowledges then cannot be told."
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
    if wrong:
        words = (
            f'Site "{site}" acknowledged {some(len(wrong), "write")} of {sent} that were sent while {was}, the last one '
            f"{seconds(max(after for _, after in wrong))} after the cut. What it confirms alone is lost when the others go on."
        )
        return Judgement(NAME, title, Verdict.FAIL, words, counts, tuple(key for key, _ in wrong), saw)
    if sent < FEWEST:
        words = f'Only {some(sent, "write")} were sent at site "{site}" while {was}; fewer than {FEWEST} prove nothing.'
        return Judgement(NAME, title, Verdict.UNKNOWN, words, counts, saw=saw)
    late = (
        f" {some(early, 'write')} sent before the cut {'was' if early == 1 else 'were'} answered after it."
        if early
        else ""
    )
    words = f'Site "{site}" acknowledged none of {some(sent, "write")} that were sent while {was}.{late}'
    return Judgement(NAME, title, Verdict.PASS, words, counts, saw=saw)
