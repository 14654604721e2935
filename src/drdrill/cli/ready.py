# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill ready`: is this estate drillable, and what is missing?"""

from __future__ import annotations

import click

from drdrill.cli.terminal import say
from drdrill.errors import Refused

_MARKS = {True: ("ok", "green"), False: ("MISSING", "red"), None: ("note", "yellow")}


@click.command()
@click.option(
    "--estate", "name", envvar="DRDRILL_ESTATE", required=True, metavar="NAME|PATH", help="The estate to look at."
)
def command(name: str) -> None:
    """Show whether an estate can be drilled: hosts, ways in, databases, services, what an earlier drill left.

    Touches nothing. Ends with 0 when it can, with 1 when something is missing, with 4 when the estate file is wrong.
    """
    from drdrill.connect.enter import enter  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.drill.ready import ready  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.estate.load import load  # noqa: PLC0415 - nothing is loaded for --help

    try:
        estate = load(name)
        enter(estate)
    except Refused as error:
        say(f"not ready: {error}", err=True)
        raise SystemExit(1) from None
    part, missing = "", 0
    for line in ready(estate):
        if line.part != part:
            part = line.part
            say(part, bold=True)
        mark, colour = _MARKS[line.good]
        say(f"  {click.style(f'{mark:8}', fg=colour)}{line.what:34} {line.words}")
        missing += line.good is False
    say(f"ready: {name} can be drilled" if not missing else f"not ready: {missing} of the lines above are missing")
    if missing:
        raise SystemExit(1)
