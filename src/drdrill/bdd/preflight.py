# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The estate of a run: its names before anything is touched, then the real thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.drill.about import About
    from drdrill.drill.call import Call
    from drdrill.drill.drill import Drill
    from drdrill.estate.model import Estate


@dataclass
class Preflight:
    """What a run knows of its estate.

    Args:
        name: as a person gave it; None where only the sentences are looked at.
        folder: what that is relative to.
        estate: the records of its file; until `open` without the addresses that only a lab knows.
    """

    name: str | None = None
    folder: Path | None = None
    estate: Estate | None = None

    @classmethod
    def of(cls, name: str, folder: Path) -> Preflight:
        """Read the estate file, as far as it can be read without touching anything. Raises BadInput."""
        from drdrill.estate.load import find, load  # noqa: PLC0415 - pydantic and ruamel.yaml are behind it

        path = folder / find(_from(folder, name), folder)
        return cls(str(path), folder, load(str(path), folder=folder, lab=False))

    def findings(self, calls: Sequence[Call], *, whole: bool = True) -> list[str]:
        """What is wrong with the plan of a scenario on this estate, each with file:line; nothing where there is none.

        Not `whole`: some sentence could not be compiled, so what is open where is not known.
        """
        if self.estate is None:
            return []
        from drdrill.drill import preflight  # noqa: PLC0415 - the whole drill is behind it

        return preflight.findings(self.estate, calls, whole=whole)

    def lacking(self, calls: Sequence[Call]) -> list[str]:
        """What the estate names no way in for, though this scenario needs one, each with file:line."""
        if self.estate is None:
            return []
        from drdrill.drill.lacking import lacking  # noqa: PLC0415 - the whole drill is behind it

        return lacking(self.estate, calls)

    def open(self, calls: Sequence[Call]) -> None:
        """Read the estate as it is now, and try every way in and way back that these calls need, without harm.

        Raises:
            Refused: the estate is not there, or a way does not work.
        """
        from drdrill.connect.enter import enter  # noqa: PLC0415 - only a run that drills pays
        from drdrill.connect.registry import Ways  # noqa: PLC0415 - only a run that drills pays
        from drdrill.drill import preflight  # noqa: PLC0415 - only a run that drills pays
        from drdrill.estate.load import load  # noqa: PLC0415 - only a run that drills pays

        self.estate = load(str(self.name), folder=self.folder)
        enter(self.estate)
        with Ways(self.estate) as ways:
            problems = preflight.probe_ways(self.estate, calls, ways)
        if problems:
            raise Refused("\n".join(problems))

    def begin(self, about: About, out: Path, say: Callable[[str], None]) -> Drill:
        """Begin a drill. Raises Refused, BadInput."""
        from drdrill.drill.drill import Drill  # noqa: PLC0415 - only a run that drills pays

        if self.estate is None:
            raise Refused("no estate is open, so nothing can be drilled")
        return Drill.begin(self.estate, about, out, say)


def _from(folder: Path, name: str) -> str:
    """A path relative to the folder, a name as it is."""
    return str(folder / name) if "/" in name or name.endswith((".yaml", ".yml")) else name
