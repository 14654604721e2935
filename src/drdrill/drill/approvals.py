# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Approvals: who said yes to which plan, for which estate, from when until when; and whether that is enough. Pure but for reading.

An approval is a small JSON file. What is signed is its text, with a line before it that no other signature of ours has, so that a
signature under something else can never be one under this. The key of a person is the one that the estate file has for the name;
what the approval says of its key is for people.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from drdrill.drill.canonical import text
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.drill.plan import Plan

    Verifies = Callable[[str, str, bytes], bool]

_BEFORE: Final = "drdrill approval 1\n"
_LARGEST: Final = 65536
"""An approval is half a kilobyte."""


@dataclass(frozen=True)
class Approval:
    """One yes.

    Args:
        digest: of the plan.
        estate: its name.
        person: as the estate file calls them.
        begin: of the window.
        end: of the window.
        signature: base64.
        shown: how messages name the file.
    """

    digest: str
    estate: str
    person: str
    begin: datetime
    end: datetime
    signature: str = ""
    shown: str = ""

    @property
    def signed(self) -> bytes:
        """The bytes under which the signature stands."""
        return f"{_BEFORE}{text(self._said())}".encode()

    def _said(self) -> dict[str, str]:
        window = {"from": self.begin.astimezone(UTC).isoformat(), "until": self.end.astimezone(UTC).isoformat()}
        return {"digest": self.digest, "estate": self.estate, "person": self.person, **window}

    def as_json(self) -> dict[str, Any]:
        """What stands in the file."""
        return {"approval": self._said(), "signature": self.signature}

    def open_at(self, now: datetime) -> bool:
        """Whether the window is open."""
        return self.begin <= now < self.end

    def __str__(self) -> str:
        return f"{self.person}, from {self.begin.isoformat()} until {self.end.isoformat()}"


def moment(written: str) -> datetime:
    """A time with its zone. Raises BadInput."""
    try:
        found = datetime.fromisoformat(written)
        if found.tzinfo is not None:
            found.astimezone(UTC)  # what is signed; the first and the last day of the calendar have none in some zones
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{written}: is not a time such as 2027-05-02T22:00+02:00") from error
    if found.tzinfo is None:
        raise BadInput(f"{written}: says no zone, so nobody knows when that is; write {written}+02:00, or {written}Z")
    return found


def read(path: Path) -> Approval:
    """An approval from its file. Raises BadInput: it is none."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST)
        kept = json.loads(raw)
        said, signature = kept["approval"], kept["signature"]
        words = [said[key] for key in ("digest", "estate", "person")]
        begin, end = moment(str(said["from"])), moment(str(said["until"]))
    except OSError as error:
        raise BadInput(f"{path}: the approval cannot be read ({error.strerror})") from error
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise BadInput(f"{path}: is no approval as `drdrill approve` writes it") from error
    if not all(isinstance(word, str) and word.isprintable() for word in (*words, signature)):
        raise BadInput(f"{path}: is no approval as `drdrill approve` writes it")
    return Approval(words[0], words[1], words[2], begin, end, signature, str(path))


def refusals(
    plan: Plan, given: Sequence[Approval], now: datetime, verifies: Verifies, *, probe_only: bool = False
) -> list[str]:
    """Why this plan may not be run now, one complete sentence each; empty when it may.

    Args:
        plan: what would be run.
        given: every approval that was named. One that is not good refuses the run, whatever the others are.
        now: with its zone.
        verifies: whether a public key made this signature under these bytes.
        probe_only: nothing is struck, so that no approval is needed, and no window has to be open.
    """
    when = None if probe_only else now
    found = [f"approval {one.shown}: {words}" for one in given if (words := _wrong(plan, one, when, verifies))]
    found += [
        f"{person} has approved {times} times: one person counts once"
        for person, times in Counter(one.person for one in given).items()
        if times > 1
    ]
    persons = {one.person for one in given}
    if not found and not probe_only and len(persons) < plan.needed:
        found.append(_too_few(plan, sorted(persons)))
    return found


def _wrong(plan: Plan, one: Approval, now: datetime | None, verifies: Verifies) -> str | None:
    name = str(plan.estate["name"])
    key = plan.keys.get(one.person)
    if one.estate != name:
        return f'is for the estate "{one.estate}", and this one is "{name}"'
    if key is None:
        known = ", ".join(plan.keys) or "nobody"
        return f'nobody called "{one.person}" may approve: approvals.keys of the estate has {known}'
    if not verifies(key, one.signature, one.signed):
        return f"its signature is not one of {one.person} under what it says, so somebody changed or forged it"
    if one.digest != plan.digest:
        return (
            f"is for the plan {one.digest[:12]}, and this run is {plan.digest[:12]}: a feature, a step, the estate, what was "
            "selected or drdrill is not what was approved; plan it and approve it again"
        )
    if now is not None and not one.open_at(now):
        when = "is over since" if now >= one.end else "opens at"
        return f"its window {when} {(one.end if now >= one.end else one.begin).isoformat()}"
    return None


def _too_few(plan: Plan, persons: Sequence[str]) -> str:
    have = f"has {len(persons)} ({', '.join(persons)})" if persons else "has none"
    who = (
        f"who may approve: {', '.join(plan.keys)}"
        if plan.keys
        else "add `approvals:` with their keys to the estate file"
    )
    why = "the estate is marked production, and this run" if plan.estate["production"] else "this run"
    persons_ = "1 person" if plan.needed == 1 else f"{plan.needed} different persons"
    return (
        f"{why} needs the approval of {persons_} and {have}; {who}. "
        "drdrill plan --json PLAN.json, drdrill approve PLAN.json, then drdrill run --approval FILE"
    )
