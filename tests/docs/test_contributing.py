# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The fault that CONTRIBUTING.md shows keeps the whole contract: its tests are run here on the very text of the document."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
import test_every_fault
from harness import ROOT
from test_every_fault import estate  # noqa: F401 - a fixture

from drdrill.bdd import compat
from drdrill.faults.registry import FAULTS

if TYPE_CHECKING:
    from drdrill.faults.fault import Fault

BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
OF_OUR_TABLE = "test_every_known_fault_has_an_example"

globals().update({k: v for k, v in vars(test_every_fault).items() if k.startswith("test_") and k != OF_OUR_TABLE})


@pytest.fixture
def contributed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The document's Python as one module, known by the name of its fault."""
    module = ModuleType("contributed")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("\n".join(BLOCKS), vars(module))  # noqa: S102 - it is our own text
    monkeypatch.setitem(FAULTS._ours, module.ApplicationsLost.name, "contributed:ApplicationsLost")
    return module


@pytest.fixture
def fault(contributed: ModuleType) -> Fault:
    found: Fault = contributed.ApplicationsLost("east")
    return found


def test_its_sentences_make_one_call_in_both_languages(contributed: ModuleType):
    struck: list[Fault] = []

    class Noun:
        strike = staticmethod(struck.append)

    found = list(compat.steps_of(contributed))
    for context, text in zip(
        found, ('数据中心"east"的所有应用主机断电', 'every application host at site "east" loses power'), strict=True
    ):
        context.step_func(drill=Noun, **context.parser.parse_arguments(text))
    assert struck == [contributed.ApplicationsLost("east")] * 2
