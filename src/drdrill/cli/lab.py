# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill lab up | status | down | ssh | exec`: the embedded estates."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.terminal import say
from drdrill.errors import BadInput, DrdrillError, LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

LABS = click.Choice(["pocket", "network"])


@click.group()
def lab() -> None:
    """Raise, show and end an embedded lab: a hospital with three data centers on this machine.

    `pocket` needs no root; its links and its power are played in user space. `network` needs root: each host has a systemd,
    an sshd and a network stack of its own, and links are routed.
    """


def _lab(name: str) -> Any:
    """The package of a lab, with `up`, `down` and `status`. Imported only when it is asked for."""
    return importlib.import_module(f"drdrill.lab.{name}")


@lab.command()
@click.argument("name", type=LABS, default="pocket")
@click.option(
    "--flaw", "flaws", multiple=True, metavar="NAME", help="Something wrong on purpose, for a drill to catch."
)
def up(name: str, flaws: tuple[str, ...]) -> None:
    """Raise the lab; it stays up until `lab down`. Fine when it is up already."""
    try:
        raised = _lab(name).up(flaws=flaws, say=say)
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
    try:
        there = _lab(name).down()
    except DrdrillError as error:
        _fail(error)
    say(f"the {name} lab is down" if there else f"the {name} lab was not up")


@lab.command()
@click.argument("name", type=LABS, default="pocket")
def status(name: str) -> None:
    """Show the lab's hosts, what is struck, and what went over its links. Ends with 1 when it is not whole."""
    try:
        found = _lab(name).status()
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


@lab.command("exec", context_settings={"ignore_unknown_options": True})
@click.option("--lab", "name", type=LABS, help="Which lab; the one that is up when it is only one.")
@click.argument("host")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_on(name: str | None, host: str, command: tuple[str, ...]) -> None:
    """Run a command on a host of a lab, by ssh as root. Ends with its status, or 255 when ssh could not."""
    _ssh(name, host, [shlex.join(command)], tty=False)


@lab.command()
@click.option("--lab", "name", type=LABS, help="Which lab; the one that is up when it is only one.")
@click.argument("host")
def ssh(name: str | None, host: str) -> None:
    """Log in to a host of a lab as root."""
    _ssh(name, host, [], tty=True)


def _ssh(name: str | None, host: str, words: list[str], *, tty: bool) -> None:
    """Become ssh, from where the lab's hosts can be reached."""
    from drdrill.connect.enter import enter_lab  # noqa: PLC0415 - other commands start without it
    from drdrill.estate import state  # noqa: PLC0415 - the same
    from drdrill.lab.ask_supervisor import hello  # noqa: PLC0415 - the same

    try:
        names = [name] if name else [lab for lab in LABS.choices if (state.folder(lab) / "lab" / "ssh_config").exists()]
        if not names:
            raise LabError(f"no lab is up: drdrill lab up {', or '.join(LABS.choices)}")
        if len(names) > 1:
            raise BadInput(f"{' and '.join(names)} are both up, so it is not clear which is meant: --lab {names[0]}")
        found = hello(state.folder(names[0]) / "lab")
        if found is None:
            raise LabError(f"the {names[0]} lab is not up: drdrill lab up {names[0]}")
        if host not in found["hosts"]:
            known = ", ".join(found["hosts"])
            raise BadInput(f"the {names[0]} lab has no host {host}; it has {known}")
        if names[0] == "network":
            enter_lab(names[0])
    except DrdrillError as error:
        _fail(error)
    config = str(state.folder(names[0]) / "lab" / "ssh_config")
    argv = ["ssh", "-F", config, *(["-t"] if tty and sys.stdin.isatty() else []), host, *words]
    try:
        os.execvp("ssh", argv)  # noqa: S606, S607 - the user's own ssh, in place of this process
    except OSError as error:
        _fail(LabError(f"ssh cannot be started ({error.strerror}): apt-get install openssh-client"))


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
