# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill guardian`: what a runner starts on another machine by SSH, to have its guardian there."""

from __future__ import annotations

import click


@click.command("guardian", short_help="Stand beside a drill of another machine, and heal when it dies.")
@click.option("--drill", required=True, metavar="ID", help="The id of the drill.")
@click.option("--estate", required=True, metavar="NAME|PATH", help="The estate, as this machine knows it.")
def command(drill: str, estate: str) -> int:
    """Start the guardian of a drill, which outlives this command, and relay between it and standard input and output.

    `drdrill run --guardian ssh://HOST` does it by itself: drdrill, the estate file and the ways in have to be there.
    """
    from drdrill.drill.guardian.relay import relay  # noqa: PLC0415 - the whole drill is behind it

    return relay(drill, estate)
