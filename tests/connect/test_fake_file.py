# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A fake estate in a file is one of several processes, and one that stands still in the middle of a call stops no other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate
from waiting import eventually

from drdrill.connect.fake_file import WAITS_S, alone
from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill.bounded import bounded
from drdrill.errors import WayInFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate

STOPPED = """
import os, pathlib, signal, sys
from drdrill.connect.fake_file import alone
from drdrill.errors import WayInFailed
try:
    with alone(pathlib.Path(sys.argv[1])) as turn:
        os.kill(os.getpid(), signal.SIGSTOP)
        turn.write('{"revoked": ["the late one"]}')
except WayInFailed as error:
    print(error)
"""


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    (tmp_path / "estate.fake.json").touch()
    made = fake_estate(tmp_path)
    yield made
    World.forget(made)


def stands_still(process: subprocess.Popen[str]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_what_is_kept_is_never_cut_short(estate: Estate, tmp_path: Path) -> None:
    """Who looks at the file without a lock sees what was or what is."""
    path = tmp_path / "estate.fake.json"
    with alone(path) as turn:
        turn.write(json.dumps({"revoked": ["d" * 200]}))
    with alone(path) as turn:
        turn.write("{}")
        assert turn.read().strip() == "{}"
    assert len(path.read_bytes()) > 200
    assert Ways(estate).named("power", "fake").holds() == ()


def test_a_call_that_stands_still_is_passed_by_and_changes_nothing_later(estate: Estate, tmp_path: Path) -> None:
    path = tmp_path / "estate.fake.json"
    late = subprocess.Popen([sys.executable, "-c", STOPPED, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        eventually(lambda: stands_still(late))
        bounded(
            lambda: Ways(estate).named("power", "fake").revoke("d"), 2 * WAITS_S, "a call beside one that stands still"
        )
        late.send_signal(signal.SIGCONT)
        assert "went on without it" in late.communicate(timeout=10)[0]
        assert json.loads(path.read_text())["revoked"] == ["d"]
    finally:
        late.kill()
        late.communicate()


def test_who_waited_for_the_file_that_was_passed_by_takes_the_one_in_its_place(estate: Estate, tmp_path: Path) -> None:
    path = tmp_path / "estate.fake.json"
    with alone(path) as first:
        Ways(estate).named("power", "fake").revoke("d")
        assert first.over
        with pytest.raises(WayInFailed, match="went on without it"):
            first.write("{}")
    Ways(replace(estate)).named("power", "fake").revoke("e")
    assert json.loads(path.read_text())["revoked"] == ["d", "e"]
