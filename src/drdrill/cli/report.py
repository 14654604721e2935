# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill report DRILL`: write the report of a drill again, from its journal and data alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from drdrill.cli.terminal import say
from drdrill.errors import BadInput
from drdrill.journal.journal import FILE_NAME, read


@click.command(name="report")
@click.argument("drill")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports/out"),
    show_default=True,
    help="Where drills lie that are named by their folder's name, or as `latest`.",
)
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
def command(drill: str, out: Path, show: bool) -> None:
    """Write the report of DRILL again and print where it is. Ends with 1 when its journal was changed, and says where.

    DRILL is the folder of a drill, the name of a folder under --out, or "latest". Nothing but the journal and the data of
    the drill is read, so this works for a drill whose runner was killed, and it never touches an estate.
    """
    # The rooms of the top level are loaded by name: nothing in the engine imports them.
    reports = importlib.import_module("drdrill.reports")
    folder = find(drill, out)
    reading = read(folder)
    if not reading.events:
        why = reading.broken or reading.torn or "it is empty"
        raise BadInput(
            f"{folder / FILE_NAME}: not one event of a drill can be read ({why}), so there is nothing to report"
        )
    for path in _written(reports, folder):
        say(str(path))
        if show:
            click.launch(str(path.resolve()))
    if reading.torn:
        say(f"note: its writer died in the middle of an event: {reading.torn}", err=True)
    if reading.broken:
        say(f"the chain of the journal does not hold: {reading.broken}; the report shows what stands before", err=True)
        raise SystemExit(1)


def _written(reports: Any, folder: Path) -> list[Path]:
    try:
        paths: list[Path] = reports.write_all(folder)
    except OSError as error:
        raise BadInput(
            f"{folder}: the report cannot be written there ({error.strerror}); copy the folder and try there"
        ) from error
    return paths


def find(drill: str, out: Path) -> Path:
    """The folder of a drill.

    Raises:
        BadInput: there is none; the message says where was looked and what to type instead.
    """
    known = sorted(path.parent for path in out.glob(f"*/{FILE_NAME}"))
    if drill == "latest":
        if not known:
            raise BadInput(f"{out} holds no drill yet; run one with `drdrill run`, or say where they lie with --out")
        return max(known, key=lambda folder: (folder / FILE_NAME).stat().st_mtime_ns)
    for folder in (Path(drill), out / drill):
        if (folder / FILE_NAME).is_file():
            return folder
    near = f"; {out} holds {', '.join(folder.name for folder in known[-3:])}" if known else f"; {out} holds no drill"
    raise BadInput(f'"{drill}" is no drill: neither {drill} nor {out / drill} holds a {FILE_NAME}{near}')
