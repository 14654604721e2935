# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`drdrill approve`: a person says yes to a plan, for a window and an estate, with a key of their own."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from drdrill.cli.terminal import say
from drdrill.errors import BadInput

_NAME: Final = re.compile(r"\w[\w.-]*")
"""As in an estate file."""


@click.command(
    "approve",
    short_help="Sign a plan, for a window and an estate.",
    options_metavar="--key FILE --as NAME --from TIME --until TIME [--out FILE] | --new-key FILE",
)
@click.option(
    "--new-key", metavar="FILE", help="Make a key pair: the private key goes there, the public one is printed."
)
@click.option("--key", metavar="FILE", help="Your private key; nobody else may be able to read it.")
@click.option("--as", "person", metavar="NAME", help="Who you are, as approvals.keys of the estate calls you.")
@click.option("--from", "begin", metavar="TIME", help="When the window opens, with its zone: 2027-05-02T22:00+02:00.")
@click.option("--until", "end", metavar="TIME", help="When it closes.")
@click.option(
    "--out", metavar="FILE", help="Where the approval is written (default: NAME.approval.json beside the plan)."
)
@click.argument("plan", required=False, metavar="[PLAN.json]")
def command(
    *,
    new_key: str | None,
    key: str | None,
    person: str | None,
    begin: str | None,
    end: str | None,
    out: str | None,
    plan: str | None,
) -> None:
    """Approve what `drdrill plan --json PLAN.json` wrote, after you have read it.

    The approval counts for exactly this plan on this estate, within the window. What you sign is shown. Touches nothing.
    """
    from drdrill.cli.plan_words import shown  # noqa: PLC0415
    from drdrill.drill import signing  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.drill.approvals import Approval, moment  # noqa: PLC0415
    from drdrill.drill.permit import wall_clock  # noqa: PLC0415

    if new_key is not None:
        if any((key, person, begin, end, out, plan)):
            raise BadInput("--new-key goes with nothing else: it makes a key, and approves nothing")
        say(signing.new_key(Path(new_key)))
        return
    asked = {"PLAN.json": plan, "--key": key, "--as": person, "--from": begin, "--until": end}
    if missing := [name for name, value in asked.items() if value is None]:
        raise BadInput(f"an approval needs {', '.join(missing)} as well; see drdrill approve --help")
    if not _NAME.fullmatch(str(person)):
        raise BadInput(f'"{person}" is no name: letters, digits, dots, dashes and underscores')
    kept, digest = _read(Path(str(plan)))
    mine = signing.read_key(Path(str(key)))
    _is_theirs(kept, str(person), signing.public(mine))
    one = Approval(digest, str(kept["estate"]["name"]), str(person), moment(str(begin)), moment(str(end)))
    if one.end <= one.begin:
        raise BadInput(f"this window ends at {end}, before it begins at {begin}")
    told = _told(kept)
    one = replace(one, signature=signing.sign(mine, one.signed))
    path = Path(out) if out else Path(str(plan)).with_name(f"{person}.approval.json")
    try:
        path.write_text(json.dumps(one.as_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: the approval cannot be written there ({error.strerror})") from error
    for line in told:
        say(shown(line))
    say(f"approved by {one}")
    say(f"plan {digest}")
    if one.end <= wall_clock():
        say("note: this window is over already")
    say(f"written to {path}; drdrill run --approval {path}")


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """The plan in a file, and its digest, computed anew. Raises BadInput."""
    from drdrill.drill.canonical import digest  # noqa: PLC0415

    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        plan: dict[str, Any] = kept["plan"]
        said = (plan["estate"]["name"], plan["drills"], plan["approvals"]["keys"])
        del said
        if kept["digest"] != digest(plan):
            raise BadInput(f"{path}: was changed since `drdrill plan` wrote it: its digest is another; plan again")
    except OSError as error:
        raise BadInput(f"{path}: the plan cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise BadInput(f"{path}: is no plan as `drdrill plan --json` writes it") from error
    return plan, str(kept["digest"])


def _is_theirs(plan: dict[str, Any], person: str, public: str) -> None:
    """An approval that will be refused is not made. Raises BadInput."""
    keys = plan["approvals"]["keys"]
    if keys and person not in keys:
        raise BadInput(f'nobody called "{person}" may approve on this estate: its approvals.keys has {", ".join(keys)}')
    if keys and keys[person] != public:
        raise BadInput(f'this is not the key of "{person}": the estate has {keys[person]}, and this one is {public}')


def _told(plan: dict[str, Any]) -> list[str]:
    """What is signed, in short; `drdrill plan` has all of it."""
    estate = plan["estate"]
    marked = ", which is PRODUCTION" if estate["production"] else ""
    lines = [f"drills on the estate {estate['name']}{marked}: {len(plan['drills'])}"]
    for drill in plan["drills"]:
        lines.append(f"  {drill['title']} ({drill['where']}), hosts struck at once: at most {drill['most_at_once']}")
        for sentence in drill["sentences"]:
            lines += [f"    {words}" for words in sentence["moves"]]
            lines += [f"    {strike['title']}: {', '.join(strike['hosts'])}" for strike in sentence["strikes"]]
    return lines
