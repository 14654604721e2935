# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""docs/sentences.md, made from the steps that ship: `python -m drdrill.bdd.vocabulary > docs/sentences.md`."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.bdd import compat, rooms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_LETTERS = {
    "service": "S", "site": "X", "peer": "Y", "database": "D", "role": "R", "rate": "n", "deadline": "t", "seconds": "t",
    "campus": "C",
}  # fmt: skip
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_OPTIONAL = {"expected": " [with expected loss of quorum]", "预期": "[并预期失去仲裁]"}
"""Ends that may be left out, by the kind of their place."""
_ORDER = ("estate", "workload", "faults", "operations", "availability", "consistency")
_HEAD = """# The sentences

Made from the code by `python -m drdrill.bdd.vocabulary`; a test keeps it true. Each sentence exists in English and in
Chinese on one function, which makes one call and asserts.

- S is a service, X a site, D a database of the estate file: the name or one of its `aka`, in "these" or “these” quotes. C is a
  campus.
- R is `database`, `application` or `entry` (数据库, 应用, 入口), decided at the moment of the strike.
- n is a number. t is a duration: `10 s`, `500 ms`, `2 min`; `10 秒`, `500 毫秒`, `2 分钟`. Where a sentence says so, t may be
  what the estate file promises: `its RTO` (`其 RTO`) or `its recovery time` (`其恢复时间`).
- What stands in [brackets] may be left out. With it a strike may take the majority or the last good copy, where
  `limits.quorum_loss` of the estate file is true; without it such a strike is refused.
- A duration that is laxer than the promise of the estate file is refused before anything is touched.
"""


@dataclass(frozen=True)
class Row:
    """One step function: its kind, its sentences as people see them, and what it proves."""

    kind: str
    english: str
    chinese: str
    proves: str


def shown(template: str) -> str:
    """A sentence as people see it: `service "S" is available again within t`."""
    return _PLACE.sub(lambda m: _OPTIONAL.get(m[2] or "") or _LETTERS[m[1]], template)


def rows(module: ModuleType) -> Iterator[Row]:
    """The rows of one file of steps, in its order."""
    by_function: dict[Callable[..., object], list[compat.StepFunctionContext]] = {}
    for context in compat.steps_of(module):
        by_function.setdefault(context.step_func, []).append(context)
    for function, contexts in by_function.items():
        texts = [context.parser.name for context in contexts]
        (english,) = [t for t in texts if t.isascii()]
        (chinese,) = [t for t in texts if not t.isascii()]
        promise = next((f" t may be {p}." for k, p in _PROMISES.items() if f":{k}}}" in english), "")
        yield Row(str(contexts[0].type).title(), shown(english), shown(chinese), f"{inspect.getdoc(function)}{promise}")


_PROMISES = {"rto": "`its RTO`", "recovery": "`its recovery time`"}


def markdown() -> str:
    """The whole page."""
    found = {module.__name__.rpartition(".")[2]: module for module in rooms.modules("steps")}
    lines = [_HEAD]
    for name in sorted(found, key=lambda n: (_ORDER.index(n) if n in _ORDER else len(_ORDER), n)):
        table = list(rows(found[name]))
        if not table:
            continue
        lines += [f"## {name.title()}", "", str(inspect.getdoc(found[name])), ""]
        lines += ["| | English | 中文 | what it proves |", "|---|---|---|---|"]
        lines += [f"| {r.kind} | {r.english} | {r.chinese} | {' '.join(r.proves.split())} |" for r in table]
        lines += [""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(markdown())
