# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Every error that drdrill raises on purpose.

    DrdrillError                 base; `exit_status` is what a command ends with
    +-- BadInput             4   a file, an argument or an option is wrong: what, where, what to do; nothing was touched
    |   +-- Findings         4   several of them, all shown at once
    |   +-- MissingExtra     4   a package that this way in needs is not installed: the line that installs it
    |   +-- LabError         4   the embedded estate cannot be raised here, and why
    +-- Refused              7   the drill was not allowed to strike; nothing was struck or moved
    |   +-- EstateBusy       7   another drill holds this estate
    |   +-- Unreachable      7   a host, service or supervisor does not answer (before a strike; afterwards it aborts)
    +-- Aborted              6   the drill had to stop; everything that it broke was asked to heal
    |   +-- LeaseLost        6   a fault ended before it was asked to
    |   +-- WayInFailed      6   a command that strikes, looks or moves did not succeed
    |   +-- NoWayBack        6   no way back through what was struck: its short first lease ends it, and nothing more is struck
    |   +-- Tripped          6   what is watched while the drill runs is not as it must be, or cannot be seen
    |   +-- Unrecorded       6   the journal takes no event: what is not recorded did not happen
    +-- NotHealed            8   something that was broken is not proven whole again: the command to type

An AssertionError is not in this tree: it means that a check failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class DrdrillError(Exception):
    """Base of all errors raised on purpose."""

    exit_status: ClassVar[int] = 3


class BadInput(DrdrillError):
    """What a person wrote cannot be used. The message says what, where (file:line) and what to do."""

    exit_status = 4


class Findings(BadInput):
    """Several faults of one input, all of them.

    Args:
        findings: one complete sentence for each, with file:line.
    """

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(self.findings))


class MissingExtra(BadInput):
    """A package that is needed here is not installed."""

    def __init__(self, package: str, extra: str, why: str) -> None:
        super().__init__(f"{why} needs the package {package}: pip install 'drdrill[{extra}]'")


class LabError(BadInput):
    """The lab cannot be raised on this machine, or is in a state that it should not be in."""


class Refused(DrdrillError):
    """The drill may not strike. Nothing was struck or moved."""

    exit_status = 7


class EstateBusy(Refused):
    """Another drill holds the lock of this estate."""


class Unreachable(Refused):
    """Something that is needed does not answer."""


class Aborted(DrdrillError):
    """The drill had to stop before its last sentence."""

    exit_status = 6


class LeaseLost(Aborted):
    """A fault ended by its lease before the drill asked for its heal."""


class WayInFailed(Aborted):
    """A command sent to the estate failed or did not answer in time."""


class NoWayBack(Aborted):
    """What was struck cannot be seen by the way that would heal it. Its first lease is short, and ends it."""


class Tripped(Aborted):
    """An abort condition, a guard or another watch says that the drill has to stop, or cannot see any more."""


class Unrecorded(Aborted, OSError):
    """The journal cannot be written. An OSError as well, for whoever only cares that a file could not be written."""


class NotHealed(DrdrillError):
    """Restoration is residual or unknown. The message carries the commands that a person can type."""

    exit_status = 8
