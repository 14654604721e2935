# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Baseline, halt and leftovers on a real pocket lab, whose hosts are a part of this machine: what can be known is, and quickly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from drdrill.connect.registry import Ways
from drdrill.drill import baseline, leftovers, state
from drdrill.drill.halt import halt
from drdrill.drill.locks import Locks
from drdrill.engines.registry import engine_for
from drdrill.estate.select import pairs_across

if TYPE_CHECKING:
    from drdrill.estate.model import Estate

pytestmark = pytest.mark.lab
ONCE_S = 1.0


def test_a_baseline_takes_a_second_at_most_and_does_not_differ_from_itself(pocket_estate: Estate) -> None:
    with Ways(pocket_estate) as ways:
        engines = {name: engine_for(pocket_estate, name) for name in pocket_estate.databases}
        before = baseline.look(pocket_estate, ways, engines.__getitem__, first=True)  # Connections are made here.
        begun = time.monotonic()
        after = baseline.look(pocket_estate, ways, engines.__getitem__)
        took_s = time.monotonic() - begun
        for engine in engines.values():
            engine.close()
    assert baseline.differences(pocket_estate, before, after) == []
    assert before.members
    assert "1 writer" in before.roles["clinical"]
    assert took_s < ONCE_S


def test_an_orphan_of_the_lab_is_told_and_removed(pocket_estate: Estate) -> None:
    said: list[str] = []
    with Ways(pocket_estate) as ways:
        links = ways.every("links")[0]
        links.cut("orphan-1", "orphan", pairs_across(pocket_estate, "witness"), 60.0, 60.0)
        left = leftovers.run(ways, said.append, heal=False)
        assert [words for words in left if words.startswith("orphan-1: hold on the pocket lab is orphaned")]
        assert "orphan-1" in links.holds()
        assert leftovers.run(ways, said.append, heal=True) == []
        assert "removed: orphan-1, through lab" in said
        assert "orphan-1" not in links.holds()


def test_a_halt_reaches_a_drill_of_this_machine(pocket_estate: Estate) -> None:
    locks = Locks(state.folder(pocket_estate.name), pocket_estate).take("d")
    try:
        assert "a drill of another machine is not seen" in locks.words
        halt(pocket_estate, "the ward calls", print, reacts_s=0.1)
        words = [watch.look() for watch in locks.watches]
        assert str(words[0]).endswith("the ward calls")
    finally:
        locks.release()
