# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill lab up | status | down`: the embedded estate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.terminal import say
from drdrill.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Iterator

LABS = click.Choice(["pocket"])


@click.group()
def lab() -> None:
    """Raise, show and end the embedded lab: a hospital with three data centers on this machine."""


@lab.command()
@click.argument("name", type=LABS, default="pocket")
@click.option(
    "--flaw", "flaws", multiple=True, metavar="NAME", help="Something wrong on purpose, for a drill to catch."
)
def up(name: str, flaws: tuple[str, ...]) -> None:
    """Raise the lab; it stays up until `lab down`. Fine when it is up already."""
    from drdrill.lab import pocket  # noqa: PLC0415

    try:
        raised = pocket.up(flaws=flaws, say=say)
    except DrdrillError as error:
        _fail(error)
    state = "was up already" if raised.already else f"is up after {raised.seconds:.1f} s"
    say(f"the {name} lab {state}; its files are in {raised.folder}")
    for flaw in raised.flaws:
        say(f"wrong on purpose: {flaw}")
    for note in raised.notes:
        say(f"note: {note}")


@lab.command()
@click.argument("name", type=LABS, default="pocket")
def down(name: str) -> None:
    """End the lab and remove its data. Its logs stay until the next `up`."""
    from drdrill.lab import pocket  # noqa: PLC0415

    try:
        there = pocket.down()
    except DrdrillError as error:
        _fail(error)
    say(f"the {name} lab is down" if there else f"the {name} lab was not up")


@lab.command()
@click.argument("name", type=LABS, default="pocket")
def status(name: str) -> None:
    """Show the lab's hosts, what is struck, and what went over its links. Ends with 1 when it is not whole."""
    from drdrill.lab import pocket  # noqa: PLC0415

    try:
        found = pocket.status()
    except DrdrillError as error:
        say(f"the {name} lab is not whole: {error}", err=True)
        sys.exit(1)
    if found is None:
        say(f"the {name} lab is not up: drdrill lab up {name}")
        sys.exit(1)
    if "left" in found:
        say(
            f"the {name} lab's supervisor is dead, and {len(found['left'])} processes are left: drdrill lab down {name}"
        )
        sys.exit(1)
    for line in table(found):
        say(line)
    sys.exit(0 if all(host["ready"] for host in found["hosts"].values()) else 1)


def table(found: dict[str, Any]) -> Iterator[str]:
    """The lines of `lab status`."""
    hello = found["hello"]
    yield f"{hello['lab']} lab, {hello['links']} links, supervisor {hello['pid']}, files in {hello['folder']}"
    yield from (f"wrong on purpose: {flaw}" for flaw in hello["flaws"])
    yield from (f"note: {note}" for note in hello["notes"])
    yield ""
    yield f"{'HOST':<14}{'SITE':<10}{'ROLE':<13}{'POWER':<7}{'PROCESSES':>9}  STATE"
    for name, host in found["hosts"].items():
        power = "on" if host["on"] else "off"
        state = "ready" if host["ready"] else "; ".join(host["missing"])
        yield f"{name:<14}{host['site'] or '-':<10}{host['role']:<13}{power:<7}{host['processes']:>9}  {state}"
    yield ""
    open_ = [hold for hold in found["holds"] if hold["state"] == "open"]
    for hold in open_:
        what = f"{len(hold['pairs'])} links" if hold["kind"] == "links" else ", ".join(hold["hosts"])
        yield f"struck: {hold['kind']} of {what} by {hold['drill']} ({hold['hold']}), {hold['left_s']:.1f} s left"
    if not open_:
        yield "nothing is struck"
    frozen = [pair for pair, link in found["links"].items() if link["state"] == "frozen"]
    carried = sum(link["bytes"] for link in found["links"].values())
    yield f"links: {len(found['links'])}, of them {len(frozen)} frozen; {carried / 1e6:.1f} MB carried"
    audit = found["audit"]
    around = len(audit["unexplained"])
    yield f"audit: {audit['looks']} looks, {around} connections around the links, {len(audit['unseen'])} processes unseen"


def _fail(error: DrdrillError) -> None:
    say(f"drdrill: {error}", err=True)
    sys.exit(error.exit_status)
