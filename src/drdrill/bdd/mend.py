# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Findings that come with what to type instead, and putting it into the file."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BOM: Final = "\ufeff"
_PLACE: Final = re.compile(r"(.*?)(?::(\d+))?: ")


@dataclass(frozen=True)
class Mend:
    """One finding that a machine can mend. As text it is the finding and, in a line of its own, what to type.

    Args:
        shown: the file as people typed its path.
        line: from 1.
        what: is wrong, after the place.
        old: a part of that line, as it stands there.
        new: what to type in its place.
    """

    shown: str
    line: int
    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return finding(f"{self.shown}:{self.line}", self.what, self.new.strip().removeprefix(BOM))

    @property
    def done(self) -> str:
        """For the person who asked for it: what was changed."""
        if self.old == BOM:
            return f"{self.shown}:1: the byte order mark is gone"
        return f"{self.shown}:{self.line}: {self.old.strip()}\n  now: {self.new.strip()}"


Finding = str | Mend


def finding(where: str, what: str, fix: str = "") -> str:
    """A finding as text; what to type stands below it, so that it can be copied."""
    return f"{where}: {what}" + (f"\n  type: {fix}" if fix else "")


def mended(text: str, mends: Iterable[Mend]) -> str:
    """The text with these mends, in their order; every other character is as it was."""
    lines = text.split("\n")
    for mend in mends:
        lines[mend.line - 1] = lines[mend.line - 1].replace(mend.old, mend.new, 1)
    return "\n".join(lines)


def mend_file(path: Path, mends: Sequence[Mend]) -> None:
    """Put mends into a file, whole or not at all; its mode stays. Raises OSError."""
    path = path.resolve()  # a link stays a link
    text = path.read_bytes().decode("utf-8")
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            part.write(mended(text, mends).encode("utf-8"))
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).chmod(path.stat().st_mode & 0o7777)
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each once, by file and line; files in the order in which they came."""
    found = list(dict.fromkeys(findings))
    files: dict[str, int] = {}

    def place(one: Finding) -> tuple[int, int]:
        match = _PLACE.match(str(one))
        name, line = (match[1], int(match[2] or 0)) if match else ("", 0)
        return files.setdefault(name, len(files)), line

    return sorted(found, key=place)
