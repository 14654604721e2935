# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What one drill may strike: each strike of its plan once, on its candidates, while enough approvals are in their window.

It is asked at the moment of the strike. A step that strikes something else than what was planned, as often as it likes, or when
the window has closed, is refused there, whatever was found before the run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from drdrill.drill.plan import fault_words
from drdrill.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.drill.approvals import Approval
    from drdrill.drill.plan import Drill, Plan
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Targets


def wall_clock() -> datetime:
    """What windows of approvals are held against: persons agreed on a time of day."""
    return datetime.now(UTC)


class Permit:
    """For one drill.

    Args:
        plan: of the whole run.
        drill: this drill's part of it.
        approvals: all of them good when the run began.
        now: with its zone.
        probe_only: nothing is struck at all, so nobody has to approve it.
    """

    def __init__(
        self,
        plan: Plan,
        drill: Drill,
        approvals: Sequence[Approval] = (),
        now: Callable[[], datetime] = wall_clock,
        *,
        probe_only: bool = False,
    ) -> None:
        self.probe_only = probe_only
        self._plan = plan
        self._left = list(drill.strikes)
        self._moves = [words for sentence in drill.sentences for words in sentence.moves]
        self._approvals = tuple(approvals)
        self._now = now

    def require_open(self) -> None:
        """Enough persons have approved this moment. Raises Refused."""
        if self.probe_only:
            return
        now = self._now()
        persons = {one.person for one in self._approvals if one.open_at(now)}
        if len(persons) < self._plan.needed:
            closed = "; ".join(str(one) for one in self._approvals if not one.open_at(now))
            raise Refused(f"the window of its approvals is closed now ({closed}), so nothing more is struck")

    def use(self, fault: Fault, targets: Targets) -> None:
        """Let this strike happen, once.

        Raises:
            Refused: it is not in the plan, it was done as often as it was planned, or a target was no candidate.
        """
        self.require_open()
        same = [strike for strike in self._left if strike.words == fault_words(fault)]
        if not same:
            raise Refused(
                f"{fault.title}: this strike is not in the plan of this drill, or not once more, so it is not done"
            )
        strike = same[0]
        others = [host for host in targets.hosts if host not in strike.hosts]
        others += [f"site {site}" for site in targets.sites if site not in strike.sites]
        if others or len(targets.hosts) > strike.most:
            planned = f"{strike.most} of {', '.join(strike.hosts)}"
            raise Refused(
                f"{fault.title}: would strike {', '.join(others or targets.hosts)}, and the plan of this drill has {planned}"
            )
        self._left.remove(strike)

    def use_move(self, words: str) -> None:
        """Let this planned move happen, once. Raises Refused: as `use`."""
        self.require_open()
        if words not in self._moves:
            raise Refused(f"{words}: this move is not in the plan of this drill, or not once more, so it is not done")
        self._moves.remove(words)

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        said = [
            {"person": one.person, "from": one.begin.isoformat(), "until": one.end.isoformat()}
            for one in self._approvals
        ]
        return {"plan": self._plan.digest, "approvals": said, "probe_only": self.probe_only}


def may_begin(estate: Estate, permit: Permit | None) -> None:
    """A drill of this estate may begin. Raises Refused: its window is closed, or approvals are needed and nobody planned it."""
    if permit is not None:
        permit.require_open()
    elif estate.production or estate.approvals is not None:
        words = f"drills of the estate {estate.name} need approvals"
        raise Refused(f"{words}, and this one was not planned, so nobody can have given any")
