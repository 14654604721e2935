# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One sentence, compiled: the one call that its step will make, before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Call:
    """What a step will call. Two calls are equal when they do the same, wherever and in whatever language they are written.

    Args:
        noun: estate, workload, drill, operations, availability or consistency.
        verb: the method of the noun.
        args: positional arguments, as the step gave them.
        kwargs: the others.
        where: file:line of the sentence, for findings.
        text: the sentence as it is written, for findings.
    """

    noun: str
    verb: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    where: str = field(default="", compare=False)
    text: str = field(default="", compare=False)

    @property
    def checks(self) -> bool:
        """Whether it judges something that can fail. What must be so before a strike is no check of what the strike does."""
        return self.noun in {"availability", "consistency"} or (self.noun, self.verb) in _CHECKS

    @property
    def strikes(self) -> bool:
        """Whether it breaks or moves something."""
        return (self.noun, self.verb) in _STRIKES


_CHECKS: Final = frozenset({("operations", "await_in_step"), ("drill", "await_baseline")})
_STRIKES: Final = frozenset({("drill", "strike"), ("operations", "switch_over")})
