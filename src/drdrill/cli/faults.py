# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill faults`: everything on an estate that carries our tag."""

from __future__ import annotations

import click

from drdrill.cli.terminal import say


@click.command("faults", short_help="List what is struck on an estate, and heal what nobody owns.")
@click.option(
    "--estate", "name", envvar="DRDRILL_ESTATE", required=True, metavar="NAME|PATH", help="The estate to look at."
)
@click.option("--heal", is_flag=True, help="Heal orphans: what belongs to a drill that is dead.")
def command(name: str, *, heal: bool) -> None:
    """List everything that carries our tag on the whole estate, with its drill and age: in force anywhere, or in an undo log.

    Touches nothing without --heal. Ends with 0, and with 8 when --heal leaves something or cannot tell.
    """
    from drdrill.cli.estates import loaded  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.connect.registry import Ways  # noqa: PLC0415
    from drdrill.drill.artefacts import Artefacts  # noqa: PLC0415
    from drdrill.drill.signals import uninterrupted  # noqa: PLC0415

    with Ways(loaded(name)) as ways:
        artefacts = Artefacts(ways)
        found, notes = artefacts.find()
        for artefact in found:
            say(str(artefact))
        for words in notes:
            say(f"note: {words}", err=True)
        if not found:
            say("nothing carries our tag" + ("" if not notes else ", as far as can be told"))
        if not heal:
            return
        left = len(notes)
        with uninterrupted(lambda: "the orphans that are listed above", say):
            for artefact in found:
                if artefact.alive is False:
                    wrong = artefacts.heal(artefact)
                    say(f"healed: {artefact.hold}" if wrong is None else f"LEFT: {artefact.hold}: {wrong}")
                    left += wrong is not None
                else:
                    why = (
                        "its drill lives: `drdrill halt` stops it"
                        if artefact.alive
                        else "whether its drill lives cannot be told"
                    )
                    say(f"left alone: {artefact.hold}: {why}")
                    left += artefact.alive is None
    if left:
        raise SystemExit(8)
