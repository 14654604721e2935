# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: lazy, plain, and without a traceback for a person's mistake."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import click
import pytest

from drdrill.cli import main
from drdrill.errors import NotHealed, Refused

PRESENT = [name for name in main.COMMANDS if importlib.util.find_spec(f"drdrill.cli.{name}")]


def drdrill(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drdrill.cli", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_help_names_every_command_and_says_what_it_does():
    result = drdrill("--help")
    assert result.returncode == 0
    for name, words in main.COMMANDS.items():
        assert f"{name} " in result.stdout
        assert words.split(",")[0].split(".")[0] in " ".join(result.stdout.split())


def test_help_imports_no_command():
    code = (
        "import sys; from drdrill.cli import main\n"
        "try: main.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.startswith('drdrill')), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == str(
        ["drdrill", "drdrill.cli", "drdrill.cli.main", "drdrill.cli.terminal", "drdrill.errors"]
    )


@pytest.mark.parametrize("name", PRESENT)
def test_each_command_has_help(name: str):
    result = drdrill(name, "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage: drdrill" in result.stdout
    assert "\\b" not in result.stdout


@pytest.mark.parametrize("arguments", [("nonsense",), ("run", "--language", "fr"), ("lint", "--nonsense")])
def test_bad_arguments_are_4_and_not_clicks_2(arguments: tuple[str, ...]):
    result = drdrill(*arguments)
    assert result.returncode == 4
    assert "Traceback" not in result.stderr
    assert result.stderr


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Refused("the lab is not up"), 7, "drdrill: the lab is not up"),
        (NotHealed("type this"), 8, "drdrill: type this"),
        (KeyboardInterrupt(), 2, "drdrill: stopped"),
    ],
)
def test_an_error_on_purpose_is_one_message_and_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, words: str
):
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(main.Lazy, "get_command", lambda *_: failing)
    with pytest.raises(SystemExit) as ended:
        main.main(["lint"])
    assert ended.value.code == status
    assert capsys.readouterr().err.strip() == words


@pytest.mark.parametrize("how", ["return", "exit"])
def test_a_command_says_its_status_by_returning_or_exiting(monkeypatch: pytest.MonkeyPatch, how: str):
    @click.command()
    @click.pass_context
    def command(context: click.Context) -> int:
        if how == "exit":
            context.exit(6)
        return 6

    monkeypatch.setattr(main.Lazy, "get_command", lambda *_: command)
    with pytest.raises(SystemExit) as ended:
        main.main(["lint"])
    assert ended.value.code == 6
