# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A drill that only probes: everything but its strikes, for real, so that what is missing is found before the night of the drill.

The first strike or move that is not done parts a scenario in two. Before it every sentence is run as it is. After it only those
are run that mean something on a whole estate (replicas are read back, who answers for an address is asked); the others are passed
over, and each says so. What was passed over is unknown, so such a drill can never end in met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drdrill.checkers.verdict import Result, Verdict
from drdrill.drill.operations import drained_by
from drdrill.errors import Refused
from drdrill.journal import events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.drill.drill import Drill
    from drdrill.faults.fault import Fault, Reach, Targets
    from drdrill.journal.recording import Recording

MOVE: Final = ("operations", "switch_over")
_STRIKES: Final = frozenset({("drill", "strike"), MOVE})
_ALSO_WHOLE: Final = frozenset(
    {
        ("estate", "require_healthy"),
        ("workload", "write_through"),
        ("workload", "write_to"),
        ("operations", "await_in_step"),
        ("availability", "await_one_holder"),
        ("consistency", "await_same"),
        ("consistency", "none_lost"),
        ("drill", "await_baseline"),
    }
)
"""What can be tried although nothing was struck: it asks the estate for something that a missing right would keep from it."""


class PassedOver(Exception):
    """A team's own step, which cannot be looked into, stands behind a strike that was not done."""


class Probing:
    """One drill that only probes."""

    def __init__(self, drill: Drill) -> None:
        self._drill = drill
        self.parted = False
        """Whether a strike or a move was passed over by now."""

    def noun(self, name: str, noun: Any) -> Any:
        """A noun whose sentences are tried or passed over."""
        return _Tried(self, name, noun)

    def of(self, name: str, verb: str, noun: Any) -> Callable[..., None]:
        """What a sentence calls instead of this verb."""
        if (name, verb) in _STRIKES:
            return lambda *args, **kwargs: self._strike(name, verb, noun, *args, **kwargs)
        if self.parted and (name, verb) not in _ALSO_WHOLE:
            return lambda *_args, **_kwargs: self.over("passed over: it needs what was not struck or moved")
        found: Callable[..., None] = getattr(noun, verb)
        return found

    def over(self, words: str) -> None:
        """Say that a sentence is not done, and let it be unknown."""
        self._drill.say(f"  {words}")
        self._drill.unknowns.append(words)

    def _strike(self, name: str, verb: str, noun: Any, *args: Any, **kwargs: Any) -> None:
        if (name, verb) == MOVE and drained_by(self._drill.estate, *args, **kwargs) is None:
            words = self._move(*args, **kwargs)
        else:
            getattr(noun, verb)(*args, **kwargs)
            words = "not struck: everything that comes before the strike works"
        self.parted = True
        self.over(words)

    def _move(self, service: str, site: str) -> str:
        """As far as it goes without moving. Raises what the engine raises."""
        found = self._drill.estate.service_named(service)
        if found.database is None:
            raise Refused(f'service "{found.name}" names no database, so it has no writer to switch over')
        self._drill.before_change()
        writer = self._drill.engine(found.database).writer()
        at = self._drill.estate.site_named(site).name
        return f"not moved to site {at}: {writer or 'no single member'} is the writer of database {found.database} now"


class _Tried:
    def __init__(self, probing: Probing, name: str, noun: Any) -> None:
        self._probing = probing
        self._name = name
        self._noun = noun

    def __getattr__(self, verb: str) -> Any:
        return self._probing.of(self._name, verb, self._noun)


def try_ways(drill: Drill, fault: Fault, reach: Reach, targets: Targets) -> None:
    """Everything of a strike but the strike: its ways in and back on the hosts that are meant now, its undo on disk.

    Raises:
        Refused: something of it does not work.
    """
    for capability, way in reach.ways.items():
        look = way.ready(targets.hosts)
        if look.answer is not True:
            raise Refused(f"{fault.title}: {capability} through {way.name}: {look.words}")
    undo = fault.plan(reach, targets)
    drill.tools.keep(undo, reach.hard_end_s)
    drill.tools.forget(undo.hold)
    words = f"{fault.title}: would strike {', '.join(targets.hosts)} ({targets.why})"
    drill.journal.write(events.NOTE, words=f"only probed: {words}")
    drill.say(f"  PROBED {words}")


def outcome(recording: Recording, refused: Sequence[str], error: str | None) -> tuple[Result, tuple[str, ...], bool]:
    """The result of a drill that only probed, its reasons, and whether everything that could be tried works. Pure.

    Args:
        recording: what it left.
        refused: what is said of a drill that struck nothing.
        error: why its sentences ended early, or None.
    """
    said = [e.data for e in recording.journal.of(events.CHECK) if e.data["phase"] != "end"]
    wrong = [str(c["message"]) for c in said if c["verdict"] == str(Verdict.FAIL)]
    doubts = [str(c["message"]) for c in said if c["verdict"] == str(Verdict.UNKNOWN)]
    ended = [e.data for e in recording.journal.of(events.STEP_ENDED)]
    wrong += [str(e["message"]) for e in ended if e["status"] in {"failed", "refused", "aborted"}]
    if error or wrong:
        return Result.REFUSED, tuple(dict.fromkeys([*([error] if error else wrong), *doubts])) or tuple(refused), False
    if doubts:
        return Result.INCONCLUSIVE, ("Only probed, and not everything could be told.", *doubts), False
    passed = sum(e["status"] == "unknown" for e in ended)
    words = (
        f"Only probed: nothing was struck, so nothing is proven. {len(ended) - passed} sentences were done and work; "
        f"{passed} need a strike or are one, and were passed over."
    )
    return Result.INCONCLUSIVE, (words,), True
