# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill recover`: heal what a drill left broken."""

from __future__ import annotations

import click

from drdrill.cli.opened import opened
from drdrill.cli.terminal import say


@click.command()
@click.option(
    "--estate", "name", envvar="DRDRILL_ESTATE", required=True, metavar="NAME|PATH", help="The estate to heal."
)
def command(name: str) -> None:
    """Heal everything that a drill left broken in an estate.

    Works from what was written down before each strike, beside a drill that died or one that still runs: that one loses its
    faults and aborts. Ends with 0 when nothing is open or all is proven healed, with 8 when something is left.
    """
    from drdrill.drill.recover import recover  # noqa: PLC0415 - nothing is loaded for --help

    done = recover(opened(name), say)
    if not done.healed and done.whole:
        say("nothing is open")
    for words in done.left:
        say(f"LEFT: {words}", err=True)
    if not done.whole:
        raise SystemExit(8)
