# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill recover`: heal what a drill left broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from drdrill.cli.terminal import say
from drdrill.errors import Refused

if TYPE_CHECKING:
    from drdrill.estate.model import Estate


def _estate(name: str) -> Estate:
    """The estate with the addresses of its lab, inside its networks; where the lab is down, what can be known without."""
    from drdrill.connect.enter import enter  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.estate.load import load  # noqa: PLC0415 - nothing is loaded for --help

    try:
        estate = load(name)
        enter(estate)
    except Refused as error:
        # A lab that is down is no reason to say nothing: what its undo log knows is told all the same.
        say(f"note: {error}", err=True)
        return load(name, lab=False)
    return estate


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

    done = recover(_estate(name), say)
    if not done.healed and done.whole:
        say("nothing is open")
    for words in done.left:
        say(f"LEFT: {words}", err=True)
    if not done.whole:
        raise SystemExit(8)
