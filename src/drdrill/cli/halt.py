# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill halt`: stop the drill of an estate, wherever it runs."""

from __future__ import annotations

import click

from drdrill.cli.opened import opened
from drdrill.cli.terminal import say


@click.command(short_help="Stop the drill of an estate, wherever it runs; it heals.")
@click.option(
    "--estate",
    "name",
    envvar="DRDRILL_ESTATE",
    required=True,
    metavar="NAME|PATH",
    help="The estate whose drill is to stop.",
)
@click.option("--because", default="", metavar="WORDS", help="Why, for the journal and the report of that drill.")
def command(name: str, because: str) -> None:
    """Stop the drill of an estate, from any machine that reaches the host of its lock. The drill aborts and heals.

    Ends with 0 when no drill runs or it has seen the halt; with 8 when it does not react: then it says until when the leases of its
    faults last, and what heals now.
    """
    from drdrill.drill.halt import halt  # noqa: PLC0415 - nothing is loaded for --help

    halted = halt(opened(name), because, say)
    say(halted.words, err=halted.drill is not None and not halted.reacted)
    if halted.drill is not None and not halted.reacted:
        raise SystemExit(8)
