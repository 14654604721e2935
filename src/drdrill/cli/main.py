# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill`: one group, whose commands are imported only when they are used."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import Final

import click

from drdrill.cli import terminal
from drdrill.errors import DrdrillError, Findings
from drdrill.estate.signs import lines_shown

COMMANDS: Final = {
    "lab": "Raise the embedded estate, look at it, take it down.",
    "ready": "Prove that an estate can be drilled, before anything is struck.",
    "plan": "Show what drills would do, before anything is touched.",
    "approve": "Sign a plan, for a window and an estate.",
    "run": "Drill: break, measure, heal, judge, report.",
    "report": "Make the report of a drill again, from what it left on disk.",
    "guardian": "Stand beside a drill of another machine, and heal when it dies.",
    "halt": "Stop the drill of an estate: it heals and ends.",
    "recover": "Heal what a drill that died left broken.",
    "faults": "List what is struck on an estate, and heal what nobody owns.",
    "lint": "Check features without an estate.",
}
USAGE = 4
"""The exit status of bad arguments, in every command; click's own would be 2, which means interrupted here."""
INTERRUPTED = 2


class Lazy(click.Group):
    """A group that knows its commands by name, so that `drdrill report` does not wait for what `drdrill lab` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table: the order in which one meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import `drdrill.cli.NAME` and give its `command`; the one with subcommands is called like itself."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"drdrill.cli.{cmd_name}")
        command: click.Command = getattr(module, "command" if hasattr(module, "command") else cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy)
@click.version_option(package_name="drdrill")
def group() -> None:
    """Disaster recovery drills that prove something.

    A drill breaks a real estate on purpose, measures from the client's side how long each service was away and whether
    any confirmed data was lost, heals what it broke, and leaves a report.

    Begin with: drdrill lab up; drdrill ready --estate pocket; drdrill run --estate pocket --first
    """


def main(arguments: list[str] | None = None) -> None:
    """Run a command. A person's mistake ends with one message and a status, never with a traceback."""
    terminal.ensure()
    try:
        status = group.main(args=arguments, prog_name="drdrill", standalone_mode=False)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        status = USAGE
    except DrdrillError as error:
        if isinstance(error, Findings) and len(error.findings) > 1:
            terminal.say(lines_shown(f"drdrill: {len(error.findings)} things are wrong:\n{error}"), err=True)
        else:
            terminal.say(lines_shown(f"drdrill: {error}"), err=True)
        status = error.exit_status
    except (KeyboardInterrupt, click.Abort):
        terminal.say("drdrill: stopped", err=True)
        status = INTERRUPTED
    finally:
        terminal.settle()
    sys.exit(status if isinstance(status, int) else 0)
