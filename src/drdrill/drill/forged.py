# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an undo record is one that a drill of this estate wrote, before anything of it is used. Pure but for loading the fault.

What stands in a record becomes names of files, tables and units, and words of commands on hosts with the right of root. So each
word is looked at: names exist in the estate, a word has no character that a shell or a terminal would take for more than itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.capabilities import STRIKING
from drdrill.connect.registry import WAYS_IN
from drdrill.drill.undo_log import HOLD
from drdrill.errors import BadInput, DrdrillError
from drdrill.faults.registry import FAULTS, of_undo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Undo

_WORD: Final = re.compile(r"[\w][\w .:@/+=,-]{0,200}|")
"""A word of a sentence that names nothing of the estate: a letter or digit first, so that it is no option of a command either."""


def require_genuine(undo: Undo, estate: Estate) -> None:
    """Raises BadInput when this record is not one by which anything of this estate may be healed; nothing was done with it."""
    words = forged(undo, estate)
    if words is not None:
        raise BadInput(
            f"this is no undo record of a drill on the estate {estate.name}, and nothing is done with it: {words}"
        )


def forged(undo: Undo, estate: Estate) -> str | None:
    """What in this record no drill of this estate can have written, or None."""
    for look in (_texts, _names, _fits):
        if found := next(look(undo, estate), None):
            return found
    return None


def _texts(undo: Undo, estate: Estate) -> Iterator[str]:
    """Every field is what it has to be, and can be shown to a person as it is."""
    for what, value in (("hold", undo.hold), ("drill", undo.drill)):
        if not isinstance(value, str) or not HOLD.fullmatch(value):
            yield f"{value!r} cannot be the name of a {what}"
    if not undo.hold.startswith(f"{undo.drill}-"):
        yield f"the hold {undo.hold} is not one of the drill {undo.drill}"
    for what, value in (("title", undo.title), ("why", undo.why), ("command", undo.command)):
        if not isinstance(value, str) or not value.isprintable():
            yield f"its {what} is {value!r}"
    if not isinstance(undo.way_in, dict) or not isinstance(undo.params, dict):
        yield "its ways in and its parameters are no mappings"
        return
    known = {*estate.hosts, *_called(estate)}
    for word in _words(undo.params):
        if word not in known and not _WORD.fullmatch(word):
            yield f"{word!r} is no word of a sentence"


def _called(estate: Estate) -> Iterator[str]:
    for named in (estate.sites, estate.services, estate.databases):
        for thing in named.values():
            yield from (thing.name, *thing.aka)


def _words(value: Any) -> Iterator[str]:
    """Every text in parameters."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for one in value:
            yield from _words(one)
    elif isinstance(value, str):
        yield value


def _names(undo: Undo, estate: Estate) -> Iterator[str]:
    """Everything that it names is there."""
    if undo.estate != estate.name:
        yield f"it is of the estate {undo.estate!r}"
    if undo.fault not in FAULTS.names():
        yield (
            f'no fault is called "{undo.fault}"'
            if str(undo.fault).isprintable()
            else f"no fault is called {undo.fault!r}"
        )
    yield from (f"there is no host {host!r} in {estate.path}" for host in undo.hosts if host not in estate.hosts)
    yield from (f"there is no site {site!r} in {estate.path}" for site in undo.sites if site not in estate.sites)
    for pair in _pairs(undo):
        yield from (f"there is no host {host!r} in {estate.path}" for host in pair if host not in estate.hosts)
    for capability, name in undo.way_in.items():
        if capability not in STRIKING or f"{capability}.{name}" not in WAYS_IN.names():
            yield f"there is no way in {name!r} for {capability!r}"
        elif not any(name in host.ways_in(capability) for host in estate.hosts.values()):
            yield f"{estate.path} names no {name} for {capability} of any host"


def _pairs(undo: Undo) -> Iterator[list[Any]]:
    """Lists in lists are pairs of hosts, as links and entries have them."""
    for value in undo.params.values():
        if isinstance(value, list | tuple):
            yield from (list(one) for one in value if isinstance(one, list | tuple))


def _fits(undo: Undo, estate: Estate) -> Iterator[str]:
    """It is a record of its fault: that one needs these ways in, and could have struck these hosts."""
    try:
        fault = of_undo(undo)
        if set(undo.way_in) != fault.needs:
            yield f"a {undo.fault} is healed through {', '.join(sorted(fault.needs))}, not {', '.join(sorted(undo.way_in))}"
        could = fault.candidates(estate).hosts
    except DrdrillError as error:
        yield str(error)
        return
    if strange := [host for host in undo.hosts if host not in could]:
        yield f"a {undo.fault} with these words cannot have struck {', '.join(strange)}"
