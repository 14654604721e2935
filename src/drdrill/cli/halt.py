# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill halt`: stop the drill of an estate."""

from __future__ import annotations

import click

from drdrill.cli.terminal import say


@click.command("halt", short_help="Stop the drill of an estate: it heals and ends.")
@click.option(
    "--estate",
    "name",
    envvar="DRDRILL_ESTATE",
    required=True,
    metavar="NAME|PATH",
    help="The estate whose drill is meant.",
)
def command(name: str) -> None:
    """Stop the drill that runs on an estate, from this machine or any that reaches the host of its lock.

    The drill begins to heal within 2 s, and ends as aborted; its run begins no other. Ends with 0 when no drill runs any more or it
    heals, with 8 when it does not react or something is left struck: `drdrill recover` heals then.
    """
    from drdrill.cli.estates import loaded  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.drill.halt import Halt  # noqa: PLC0415

    if not Halt(loaded(name), say).run():
        raise SystemExit(8)
