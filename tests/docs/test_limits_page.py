# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""docs/limits.md says what the code does: its keys, its example, its guards, its figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from drdrill.connect.capabilities import Look
from drdrill.drill import conditions, guarding
from drdrill.drill.guards.guard import Case, Guard
from drdrill.drill.guards.registry import GUARDS
from drdrill.drill.hold import HEALED_WITHIN_S, REVERT_WITHIN_S
from drdrill.estate.load import load
from drdrill.estate.schema import LimitsPart

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "limits.md").read_text()
EXAMPLE, GUARD = re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_every_limit_and_every_guard_stands_on_the_page():
    rows = re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE)
    assert rows == [*_in_order(LimitsPart.model_fields, rows), *GUARDS.names()]


def _in_order(fields: Any, rows: list[str]) -> list[str]:
    assert set(fields) <= set(rows)
    return [row for row in rows if row in fields]


def test_its_example_loads(tmp_path: Path):
    text = (ROOT / "fixtures" / "estates" / "network.yaml").read_text()
    begin = text.index("\nlimits:")
    path = tmp_path / "estate.yaml"
    path.write_text(f"{text[:begin]}\n{EXAMPLE}abort: [{{service: registration, away: 20 s}}]\n")
    estate = load(str(path), lab=False)
    assert estate.limits.never_struck == ("east-router",)
    assert estate.limits.windows is not None
    assert estate.limits.windows.open[0].holidays
    assert estate.abort[0].longest_s == 20.0


def test_its_guard_is_one():
    known: dict[str, Any] = {"Guard": Guard, "Case": Case, "Look": Look, "is_being_patched": {"east-db1"}.__contains__}
    exec(f"from __future__ import annotations\n{GUARD}", known)  # noqa: S102 - our own page
    guard = known["Maintenance"]()
    assert guard.before(Case(None, frozenset(), new=("east-db1",))).answer is False  # type: ignore[arg-type]
    assert guard.before(Case(None, frozenset(), new=("east-app1",))).answer is True  # type: ignore[arg-type]
    assert not guard.lifted


def test_its_figures_are_those_of_the_code():
    assert f"may take {REVERT_WITHIN_S + HEALED_WITHIN_S:g} s" in PAGE
    assert f"silent for {guarding.ASK_S:g} s" in PAGE
    assert f"every {guarding.ROUND_S:g} s" in PAGE
    assert f"lasts for {guarding.PATIENCE_S:g} s" in PAGE
    assert f"no answer for {guarding.SILENT_S:g} s" in PAGE
    assert f"not measured for {conditions.PERIOD_S:g} s" in PAGE
