# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill lab ssh` and `lab exec`: the command's own status, and one sentence for what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from drdrill.cli.lab import lab

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Labs


@pytest.mark.parametrize("command", [("exec", "east-db1", "--", "true"), ("ssh", "east-db1")])
def test_without_a_lab_there_is_no_host(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRDRILL_STATE", str(tmp_path))
    ended = CliRunner().invoke(lab, command)
    assert ended.exit_code == 4
    assert "no lab is up: drdrill lab up pocket, or network" in ended.output


def test_a_lab_that_is_not_up_is_said_with_how_to_raise_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRDRILL_STATE", str(tmp_path))
    ended = CliRunner().invoke(lab, ["exec", "--lab", "network", "east-db1", "--", "true"])
    assert ended.exit_code == 4
    assert "the network lab is not up: drdrill lab up network" in ended.output


@pytest.mark.parametrize(
    "name", [pytest.param("pocket", marks=pytest.mark.lab), pytest.param("network", marks=pytest.mark.network)]
)
def test_a_command_runs_on_the_host_and_its_status_is_ours(name: str, labs: Labs) -> None:
    up = labs.get(name=name)
    ended = up.drdrill("lab", "exec", "east-app1", "--", "sh", "-c", "echo $0 here; exit 7", "it's")
    assert (ended.returncode, ended.stdout) == (7, "it's here\n")
    unknown = up.drdrill("lab", "exec", "west-app1", "--", "true")
    assert unknown.returncode == 4
    assert f"the {name} lab has no host west-app1; it has " in unknown.stderr
