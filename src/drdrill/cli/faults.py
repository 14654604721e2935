# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill faults`: what carries a tag of ours on the whole estate, and whose it is."""

from __future__ import annotations

import click

from drdrill.cli.opened import opened
from drdrill.cli.terminal import say


@click.command(short_help="List everything that drills made in an estate; remove what is orphaned.")
@click.option(
    "--estate", "name", envvar="DRDRILL_ESTATE", required=True, metavar="NAME|PATH", help="The estate to look at."
)
@click.option("--heal", is_flag=True, help="Heal and remove what belongs to no drill that is alive.")
def command(name: str, *, heal: bool) -> None:
    """List every artefact of a drill: holds, tables, timers, folders, undo records; with its drill and age. Touches nothing.

    With --heal everything is healed and removed whose drill is not alive. Ends with 0 when nothing is there, or all of it was
    removed or belongs to a drill that is alive; with 8 when an orphan is left or something could not be looked at.
    """
    from drdrill.connect.registry import Ways  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.drill import leftovers  # noqa: PLC0415

    estate = opened(name)
    with Ways(estate) as ways:
        left = leftovers.run(ways, say, heal=heal)
    for words in left:
        say(f"LEFT: {words}", err=True)
    if left:
        raise SystemExit(8)
