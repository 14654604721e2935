# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that carries the tag of a drill, wherever a way in can see it: what is in force, and what is only left over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Artefact:
    """One thing that a drill made.

    Args:
        what: a word: hold, table, timer, folder, record, guardian.
        tag: the hold that it belongs to.
        drill: whose it is; empty where nobody wrote it down.
        where: the host, or the lab, or the folder of this machine.
        age_s: how old it is; None where that cannot be told.
        in_force: whether something is broken by it now. What is not is only left over.
    """

    what: str
    tag: str
    drill: str
    where: str
    age_s: float | None
    in_force: bool


@dataclass(frozen=True)
class Sight:
    """What was seen, and where nobody could look: one sentence for each such place."""

    artefacts: Sequence[Artefact]
    unseen: Sequence[str] = ()


@runtime_checkable
class Findable(Protocol):
    """A way in that strikes, as far as what it made can be found and taken away by its tag alone."""

    name: str

    def found(self) -> Sight:
        """Everything of this way in's kind that carries a tag of ours, on every host that names it. Raises Unreachable."""

    def remove(self, tag: str) -> None:
        """Heal and take away everything that carries this tag; fine when nothing does. Raises WayInFailed, BadInput."""
