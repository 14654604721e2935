# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drdrill.drill.lock import EstateLock
from drdrill.errors import EstateBusy

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_drill_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    first = EstateLock(tmp_path, "pocket").take("the-first")
    with pytest.raises(EstateBusy, match=rf"the-first \(process {os.getpid()}, since 2"):
        EstateLock(tmp_path, "pocket").take("the-second")
    first.release()
    EstateLock(tmp_path, "pocket").take("the-second").release()


def test_a_killed_drill_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time\nfrom drdrill.drill.lock import EstateLock\n"
        "lock = EstateLock(pathlib.Path(sys.argv[1]), 'pocket').take('killed')\nprint('held', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(EstateBusy, match="killed"):
            EstateLock(tmp_path, "pocket").take("mine")
        child.kill()
        child.wait()
    EstateLock(tmp_path, "pocket").take("mine").release()


def test_releasing_what_was_never_taken_is_fine(tmp_path: Path) -> None:
    EstateLock(tmp_path, "pocket").release()
