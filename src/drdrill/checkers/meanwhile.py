# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What clients were answered while a service was away: the first thing that an engineer asks. Pure; two checks say it.

Where probes were answered well while nothing was acknowledged, the words say that instead: then it is the health answer that lies,
and whoever watches the service by it has not noticed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from drdrill.checkers.check import some
from drdrill.journal import events
from drdrill.journal.records import Seen

if TYPE_CHECKING:
    from drdrill.journal.outage import Outage
    from drdrill.journal.recording import Recording

CLIENT: Final = "client"
_SEEN: Final = {
    Seen.LATE: "a late answer",
    Seen.REFUSED: "a refused connection",
    Seen.SILENT: "no answer",
    Seen.BROKEN: "a broken connection",
    Seen.OWN_DELAY: "nothing in time that we could have heard",
}
_MOST: Final = 3
"""Kinds of answers that are named, for each endpoint; the rest is counted together."""


def meanwhile(recording: Recording, outage: Outage, horizon_ns: int) -> str:
    """One sentence with a space before it, or nothing where no probe of that place was due meanwhile."""
    until = outage.good_ns or horizon_ns
    found = {p["url"]: _answers(recording, p, outage.first_ns, until) for p in _probes(recording, outage)}
    total = sum((answers for answers in found.values()), Counter())
    good, bad = total.pop("good", 0), total.total()
    if not good and not bad:
        return ""
    if outage.way == "acknowledgements" and good > bad:
        asked = _asked(recording, outage)
        at = " and ".join(found)
        return (
            f" Meanwhile nothing was acknowledged, although {asked} answered well {some(good, 'time')} at {at}: "
            "it does not ask for what a write needs."
        )
    return f" Meanwhile {'; '.join(f'{url} gave {_words(answers)}' for url, answers in found.items() if answers)}."


def _probes(recording: Recording, outage: Outage) -> list[dict[str, Any]]:
    """The probes from outside of the strip; a site's own where nobody probes it from outside."""
    started = [e.data for e in recording.journal.of(events.PROBES_STARTED) if e.data["service"] == outage.service]
    here = [p for p in started if outage.strip in {CLIENT, p["site"]}]
    outside = [p for p in here if p.get("vantage_site") is None]
    return outside or here


def _asked(recording: Recording, outage: Outage) -> str:
    probe = _probes(recording, outage)[0]
    return f"{probe['method']} {probe['path']}" if probe.get("path") else "its health"


def _answers(recording: Recording, probe: dict[str, Any], begin: int, end: int) -> Counter[str]:
    stream = recording.streams.get(probe["stream"])
    if stream is None:
        return Counter()
    inside = stream.records[(stream.records["due"] >= begin) & (stream.records["due"] < end)]
    found: Counter[str] = Counter()
    for outcome, note in zip(inside["outcome"].tolist(), inside["note"].tolist(), strict=True):
        seen = Seen(outcome)
        wrong = note.decode("ascii", "replace") or "a wrong answer"
        found["good" if seen is Seen.GOOD else _SEEN.get(seen, wrong)] += 1
    return found


def _words(answers: Counter[str]) -> str:
    common = [(what, n) for what, n in answers.most_common() if what != "good"]
    words = [f"{what} {some(n, 'time')}" for what, n in common[:_MOST]]
    rest = sum(n for _, n in common[_MOST:])
    words += [f"other bad answers {some(rest, 'time')}"] if rest else []
    words += [f"good answers {some(answers['good'], 'time')}"] if answers["good"] else []
    return ", ".join(words)
